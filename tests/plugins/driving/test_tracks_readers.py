"""Every format holds the same tracks, and the maps that come with some."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from fivefold_driving.tracks.options import ColumnsConfig, Options
from fivefold_driving.tracks.readers.choose import read_scenes, recognise
from fivefold_driving.tracks.scene import Scene
from plugins.driving.tracks import (
    FRAMES,
    WRITERS,
    nuscenes,
    positions,
    rows,
    write_comma,
    write_commonroad,
    write_csv,
    write_eth_ucy,
    write_json,
    write_network,
    write_sumo,
    write_text,
)

JUDGED = {"biwi_eth": 364, "biwi_hotel": 1197, "crowds_zara01": 2356, "crowds_zara02": 5910}
UNIVERSITY = 24334  # students001 and students003 together


def track(scene: Scene, name: str) -> np.ndarray:
    return scene.positions[scene.agents == scene.names.index(name)]


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_holds_the_same_tracks(form: str, tmp_path: Path) -> None:
    source = WRITERS[form](tmp_path)
    assert recognise(source)
    read = read_scenes(source)
    (scene,) = read.scenes
    assert not read.problems
    assert scene.interval == 0.4
    assert scene.names == ("1", "2")
    for name in scene.names:
        np.testing.assert_allclose(track(scene, name), positions(name), atol=1e-9)
    assert scene.frames[scene.agents == 0].tolist() == list(range(FRAMES))
    assert scene.frames[scene.agents == 1].tolist() == list(range(3, FRAMES))
    assert (np.lexsort((scene.agents, scene.frames)) == np.arange(len(scene.frames))).all()


@pytest.mark.parametrize("separator", ["\t", " ", "   "])
def test_text_is_apart_by_tabs_or_spaces_whatever_the_step_of_its_frames(
    separator: str, tmp_path: Path
) -> None:
    file = write_text(tmp_path / "a.txt", [(6 * frame, 1, frame / 3, 0) for frame in range(9)], separator)
    (scene,) = read_scenes(file).scenes
    assert scene.frames.tolist() == list(range(9))
    np.testing.assert_allclose(scene.positions[:, 0], np.arange(9) / 3)


def test_a_folder_of_text_is_one_scene_a_file_in_the_split_of_its_folder(tmp_path: Path) -> None:
    for folder in ("train", "val", "test"):
        write_text(tmp_path / folder / "a.txt", [(10 * frame, 1, frame / 3, 0) for frame in range(3)])
    (tmp_path / "README.md").write_text("Tracks.")
    read = read_scenes(tmp_path, Options(frame_rate=25))
    assert [scene.name for scene in read.scenes] == ["test/a", "train/a", "val/a"]
    assert read.split == {"train/a": "train", "val/a": "val", "test/a": "test"}
    assert read.cautions == (f"{tmp_path.name}: what holds no tracks was not read (README.md)",)
    assert recognise(tmp_path) == "a folder of tracks (3 x ETH/UCY text)"


def test_counts_of_eth_and_ucy_are_those_of_the_protocol(shared: Path) -> None:
    read = read_scenes(shared / "eth_ucy")
    counts = {scene.name: judged_agents(scene) for scene in read.scenes}
    assert {name: counts[name] for name in JUDGED} == JUDGED
    assert counts["students001"] + counts["students003"] == UNIVERSITY
    assert not read.problems
    assert not read.cautions


def judged_agents(scene: Scene, length: int = 20) -> int:
    """Agents that are there in all frames of a window, over all windows."""
    there = {agent: set(scene.frames[scene.agents == agent].tolist()) for agent in range(len(scene.names))}
    return sum(
        all(first + ahead in frames for ahead in range(length))
        for frames in there.values()
        for first in frames
    )


def test_eth_is_kept_to_the_last_digit(shared: Path) -> None:
    (scene,) = read_scenes(shared / "eth_ucy" / "biwi_eth.txt").scenes
    raw = np.loadtxt(shared / "eth_ucy" / "biwi_eth.txt")
    raw = raw[np.lexsort((raw[:, 1], raw[:, 0]))]
    assert (scene.positions == raw[:, 2:]).all()
    assert (scene.frames == (raw[:, 0] - 780) / 10).all()


def test_a_scenario_of_commonroad(shared: Path) -> None:
    file = shared / "commonroad" / "ZAM-Ramp-1_1-T-1.xml"
    (scene,) = read_scenes(file, Options(interval=None)).scenes
    assert scene.interval == 0.1
    assert scene.names == ("13", "14", "15")
    assert scene.types == ("car", "car", "car")
    np.testing.assert_array_equal(scene.sizes, [[4.508, 1.61]] * 3)
    assert np.bincount(scene.agents).tolist() == [51, 51, 51]
    np.testing.assert_array_equal(track(scene, "13")[:2], [[110, 5.25], [112.5, 5.2491352]])
    assert (len(scene.map), len(scene.drivable)) == (22, 11)
    np.testing.assert_array_equal(scene.drivable[0][[0, -1]], [[0, -1.5], [0, -5]])
    assert scene.simulated
    assert scene.headings is not None


def test_what_stands_still_in_commonroad_is_an_outline_of_the_map(tmp_path: Path) -> None:
    standing = (
        '<staticObstacle id="9"><type>parkedVehicle</type><shape><rectangle><length>4</length><width>2</width>'
        "</rectangle></shape><initialState><position><point><x>10</x><y>20</y></point></position><orientation><exact>"
        f"{math.pi / 2}</exact></orientation><time><exact>0</exact></time></initialState></staticObstacle>"
    )
    read = read_scenes(write_commonroad(tmp_path, inside=standing))
    (scene,) = read.scenes
    assert scene.names == ("1", "2")
    assert not scene.simulated
    np.testing.assert_allclose(scene.map[-1], [[9, 22], [9, 18], [11, 18], [11, 22], [9, 22]])
    assert read.cautions == ("scenario: obstacles that stand still (1) are part of the map, not tracks",)


def test_sumo_takes_the_middle_of_vehicles_whose_length_is_known(tmp_path: Path) -> None:
    file = write_sumo(tmp_path, 'speed="1.0" length="5.00" width="1.80"', persons=())
    (scene,) = read_scenes(file).scenes
    np.testing.assert_allclose(track(scene, "1"), positions("1") - [2.5, 0], atol=1e-9)
    np.testing.assert_array_equal(scene.sizes, [[5, 1.8], [5, 1.8]])
    assert scene.types == ("car", "car")
    assert scene.simulated
    np.testing.assert_allclose(scene.headings, 0, atol=1e-12)


def test_sumo_calls_persons_pedestrians(tmp_path: Path) -> None:
    (scene,) = read_scenes(write_sumo(tmp_path)).scenes
    assert scene.types == ("car", "pedestrian")
    assert scene.sizes is None


def test_a_network_lies_under_floating_car_data(tmp_path: Path) -> None:
    network = write_network(tmp_path)
    (scene,) = read_scenes(write_sumo(tmp_path), Options(map=network)).scenes
    lines = [line.tolist() for line in scene.map]
    assert lines[:2] == [[[0, -3.2], [100, -3.2]], [[0, -5.2], [100, -5.2]]]  # the sidewalk
    np.testing.assert_allclose(lines[2:], [[[0, 0], [100, 0]], [[0, -3.2], [100, -3.2]]], atol=1e-12)
    lane, junction = scene.drivable
    np.testing.assert_allclose(lane, [[0, 0], [100, 0], [100, -3.2], [0, -3.2]], atol=1e-12)
    np.testing.assert_array_equal(junction, [[100, 0], [104, 0], [104, -5.2], [100, -5.2]])


def test_a_network_and_a_note_beside_tracks_are_found(tmp_path: Path) -> None:
    write_comma(tmp_path)
    alone = read_scenes(tmp_path).scenes[0]
    assert (alone.map, alone.drivable, alone.simulated) == ((), (), False)
    write_network(tmp_path)
    (tmp_path / "simulated.json").write_text('{"simulated": true}')
    for source in (tmp_path, tmp_path / "tracks.csv"):
        read = read_scenes(source)
        assert not read.cautions
        assert (len(read.scenes[0].map), len(read.scenes[0].drivable)) == (4, 2)
        assert read.scenes[0].simulated


def test_of_several_networks_none_is_taken(tmp_path: Path) -> None:
    write_network(tmp_path).rename(tmp_path / "other.net.xml")
    network = write_network(tmp_path)
    write_comma(tmp_path)
    read = read_scenes(tmp_path)
    assert not read.scenes[0].map
    (caution,) = read.cautions
    assert "has several maps (other.net.xml, road.net.xml), of which none was taken" in caution
    assert len(read_scenes(tmp_path, Options(map=network)).scenes[0].map) == 4


def test_a_map_leaves_scenes_that_have_one(tmp_path: Path) -> None:
    (scene,) = read_scenes(write_commonroad(tmp_path), Options(map=write_network(tmp_path))).scenes
    assert len(scene.map) == 2
    np.testing.assert_array_equal(scene.drivable[0], [[0, 3], [10, 3], [10, 0], [0, 0]])


def test_json_has_types_sizes_headings_split_and_map(tmp_path: Path) -> None:
    read = read_scenes(write_json(tmp_path))
    (scene,) = read.scenes
    assert scene.types == ("pedestrian", "car")
    np.testing.assert_array_equal(scene.sizes, [[0.8, 0.6]] * 2)
    np.testing.assert_allclose(scene.headings, 0.5)
    np.testing.assert_array_equal(scene.map[0], [[0, 0], [9, 0]])
    assert read.split == {"walks": "val"}
    assert read.cautions == (
        f"scenes.json: {FRAMES} boxes are no people, vehicles or animals and were left out",
    )


def test_json_in_feet_brings_its_map_along(tmp_path: Path) -> None:
    (scene,) = read_scenes(write_json(tmp_path), Options(units="ft")).scenes
    np.testing.assert_allclose(track(scene, "1"), positions("1") * 0.3048)
    np.testing.assert_allclose(scene.map[0], [[0, 0], [2.7432, 0]])
    np.testing.assert_allclose(scene.sizes, np.array([[0.8, 0.6]] * 2) * 0.3048)


def test_a_table_has_all_columns_of_the_schema(tmp_path: Path) -> None:
    file = write_csv(
        tmp_path / "t.csv", rows(heading=3.1, type="Pedestrian", length=0.5, width=0.4, split="test")
    )
    read = read_scenes(file)
    (scene,) = read.scenes
    assert scene.name == "walks"
    assert scene.types == ("pedestrian", "pedestrian")
    np.testing.assert_array_equal(scene.sizes, [[0.5, 0.4]] * 2)
    np.testing.assert_allclose(scene.headings, 3.1)
    assert read.split == {"walks": "test"}


@pytest.mark.parametrize("options", [{"frame_rate": 2.5}, {"seconds_per_frame": 0.4}])
def test_a_table_of_frames_with_other_names(options: dict[str, float], tmp_path: Path) -> None:
    entries = [
        {"track": row["agent"], "n": round(row["time"] / 0.4), "east": row["x"], "north": row["y"]}
        for row in rows()
    ]
    columns = ColumnsConfig(frame="n", agent="track", x="east", y="north")
    file = write_csv(tmp_path / "t.csv", entries)
    assert recognise(file) is None
    assert recognise(file, Options(columns=columns)) == "a table of tracks"
    (scene,) = read_scenes(file, Options(columns=columns, **options)).scenes
    assert scene.name == "t"
    np.testing.assert_allclose(track(scene, "2"), positions("2"))


def test_milliseconds_are_frames_of_a_thousandth(tmp_path: Path) -> None:
    entries = [{"frame": 400 * n, "agent": "a", "x": n / 2, "y": 0} for n in range(5)]
    (scene,) = read_scenes(write_csv(tmp_path / "t.csv", entries), Options(seconds_per_frame=0.001)).scenes
    assert scene.frames.tolist() == [0, 1, 2, 3, 4]


def test_headings_turn_the_short_way(tmp_path: Path) -> None:
    entries = [
        {"time": 0.8 * n, "agent": "a", "x": n, "y": 0, "heading": heading}
        for n, heading in enumerate([3.1, -3.1, 3.1])
    ]
    (scene,) = read_scenes(write_csv(tmp_path / "t.csv", entries)).scenes
    assert scene.headings is not None
    np.testing.assert_allclose(np.abs(scene.headings), [3.1, math.pi, 3.1, math.pi, 3.1])


def test_agents_without_a_known_type_or_heading(tmp_path: Path) -> None:
    entries = rows()
    entries = [
        {**row, "type": "car" if row["agent"] == "1" else "", "heading": 1.0 if row["agent"] == "1" else ""}
        for row in entries
    ]
    (scene,) = read_scenes(write_csv(tmp_path / "t.csv", entries)).scenes
    assert scene.types == ("car", "")
    assert scene.headings is not None
    assert np.isnan(scene.headings).tolist() == (scene.agents == 1).tolist()


def test_several_scenes_of_a_table_have_clocks_of_their_own(tmp_path: Path) -> None:
    entries = rows() + [{**row, "scene": "later", "time": row["time"] + 1_700_000_000} for row in rows()]
    early, later = read_scenes(write_csv(tmp_path / "t.csv", entries)).scenes
    assert (early.name, later.name) == ("walks", "later")
    assert (early.frames == later.frames).all()
    assert (early.positions == later.positions).all()


def test_a_folder_may_hold_several_formats(tmp_path: Path) -> None:
    write_eth_ucy(tmp_path)
    write_sumo(tmp_path)
    assert recognise(tmp_path) == "a folder of tracks (1 x floating car data of SUMO, 1 x ETH/UCY text)"
    assert [scene.name for scene in read_scenes(tmp_path).scenes] == ["fcd", "walks"]


def test_what_holds_no_tracks_is_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("frame id x y\n")
    (tmp_path / "b.csv").write_text("text,label\n")
    (tmp_path / "c.xml").write_text("<html/>")
    (tmp_path / "d.json").write_text("[]")
    (tmp_path / "e.txt").write_bytes(b"\xff\xfe\x00")
    assert all(recognise(file) is None for file in [*tmp_path.iterdir(), tmp_path, tmp_path / "absent"])


def test_a_nuscenes_folder_may_have_other_files(tmp_path: Path) -> None:
    for name, table in {**nuscenes(), "sensor": []}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(table))
    write_comma(tmp_path)
    assert recognise(tmp_path) == "scenes in JSON"
    assert len(read_scenes(tmp_path).scenes) == 1
