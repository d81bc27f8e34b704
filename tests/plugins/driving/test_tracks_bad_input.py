"""One sentence for each thing that can be wrong with tracks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fivefold.errors import ConfigError, DataError
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.readers.choose import read_scenes
from fivefold_driving.tracks.scene import Scenes
from plugins.driving.tracks import (
    WRITERS,
    rows,
    write_csv,
    write_text,
)

Row = tuple[float, float, float, float]


def straight(frames: range | list[int], agent: int = 1, speed: float = 1.2, y: float = 0.0) -> list[Row]:
    return [(10 * frame, agent, 0.4 * speed * frame, y) for frame in frames]


def read_rows(folder: Path, points: list[Any], **options: Any) -> Scenes:
    """Scenes of a text file whose frame numbers step by 10, which are 0.4 s."""
    return read_scenes(
        write_text(folder / "s.txt", points), Options(**{"seconds_per_frame": 0.04, **options})
    )


def lengths(read: Scenes) -> dict[str, int]:
    (scene,) = read.scenes
    return dict(zip(scene.names, np.bincount(scene.agents).tolist(), strict=True))


def test_a_track_of_one_point_is_kept_out_and_counted(tmp_path: Path) -> None:
    read = read_rows(tmp_path, [*straight(range(9)), (30, 7, 0, 0), (40, 8, 0, 0)])
    assert lengths(read) == {"1": 9}
    assert read.cautions == ("s: 2 tracks of one point (first: agent 7) kept out",)


def test_a_track_that_resampling_leaves_no_two_frames_is_kept_out_and_counted(tmp_path: Path) -> None:
    entries = [{"time": 0.1 * n, "agent": "a", "x": n / 9, "y": 0} for n in range(20)]
    entries += [{"time": 0.1 * n, "agent": "b", "x": n / 9, "y": 0} for n in (5, 6)]
    read = read_scenes(write_csv(tmp_path / "t.csv", entries))
    assert lengths(read) == {"a": 5}
    assert read.cautions == ("t: 1 track on fewer than two frames (first: agent b) kept out",)


def test_equal_rows_are_dropped_and_told(tmp_path: Path) -> None:
    points = straight(range(9))
    read = read_rows(tmp_path, [*points, points[3], points[3], points[4]])
    assert lengths(read) == {"1": 9}
    assert not read.problems
    (caution,) = read.cautions
    assert re.search(
        r"repeat a frame of an agent, 3 in all \(first: .*s\.txt, row 10\), were dropped", caution
    )


def test_an_agent_in_two_places_is_a_problem(tmp_path: Path) -> None:
    read = read_rows(tmp_path, [*straight(range(9)), (30, 1, 99, 99), *straight(range(9), 2, y=5)])
    assert lengths(read) == {"1": 3, "1 (2)": 5, "2": 9}
    (problem,) = read.problems
    assert problem.sample == "s, agent 1"
    assert re.search(r"one position a frame, found several in 2 points \(first: .*row 4\)", problem.reason)


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "1e300"])
@pytest.mark.parametrize("column", [0, 2, 3])
def test_numbers_that_are_none_are_a_problem(bad: str, column: int, tmp_path: Path) -> None:
    points: list[list[Any]] = [list(point) for point in [*straight(range(9)), *straight(range(9), 2, y=5)]]
    points[4][column] = bad
    read = read_rows(tmp_path, points)
    assert lengths(read) == {"1": 4, "1 (2)": 4, "2": 9}
    (problem,) = read.problems
    assert problem.sample == "s, agent 1"
    assert re.search(r"finite numbers .* in 1 point \(first: .*s\.txt, row 5\)", problem.reason)


def test_an_id_that_returns_after_a_gap_is_a_new_agent(tmp_path: Path) -> None:
    read = read_rows(tmp_path, straight([*range(5), *range(6, 9), *range(30, 40)]))
    assert lengths(read) == {"1": 5, "1 (2)": 3, "1 (3)": 10}
    assert read.cautions == (
        "s: agents return after a gap, 2 times in all (first: agent 1), and are taken for new ones",
    )


@pytest.mark.parametrize(("far", "interval"), [(51.0, 2.0), (25.0, 0.4)])
def test_an_agent_that_jumps_is_cut_there(far: float, interval: float, tmp_path: Path) -> None:
    points = [(frame, 1, 0.4 * frame + far * (frame > 4), 0) for frame in range(9)]
    read = read_rows(tmp_path, points, seconds_per_frame=interval)
    assert sum(length > 1 for length in lengths(read).values()) == 2
    assert any(
        re.search(r"jump once by more than 50 m or 60 m/s \(first: agent 1, .*row 6\)", one)
        for one in read.cautions
    )
    (scene,) = read.scenes
    assert not ((scene.positions[:, 0] > 2) & (scene.positions[:, 0] < 20)).any()  # nothing on the way


def test_a_rate_that_changes_by_time_is_told_and_resampled(tmp_path: Path) -> None:
    times = np.concatenate([0.1 * np.arange(40), 4 + 0.2 * np.arange(20)])
    entries = [{"time": time, "agent": "a", "x": time, "y": 0} for time in times]
    read = read_scenes(write_csv(tmp_path / "t.csv", entries))
    assert lengths(read) == {"a": 20}
    np.testing.assert_allclose(read.scenes[0].positions[:, 0], 0.4 * np.arange(20))
    assert read.cautions == (
        "t: the frame rate changes (steps of 0.1 to 0.2 s, mostly 0.1 s); resampled by its times",
    )


def test_a_rate_that_changes_by_frame_is_told_and_cut(tmp_path: Path) -> None:
    read = read_rows(tmp_path, straight([*range(30), *range(30, 60, 2)]))
    assert lengths(read) == {"1": 31}
    assert any("the frame rate changes (steps of 10 to 20 frames, mostly 10)" in one for one in read.cautions)


def test_a_source_that_is_coarser_than_its_frames_is_told(tmp_path: Path) -> None:
    read = read_rows(tmp_path, straight(range(9)), interval=0.1)
    assert lengths(read) == {"1": 33}
    assert read.cautions == (
        "s: frames lie 0.4 s apart, frames of 0.1 s between them are interpolated on straight lines",
    )


def test_feet_are_told(tmp_path: Path) -> None:
    points = straight(range(9), speed=1.3 / 0.3048)
    (caution,) = read_rows(tmp_path, points).cautions
    assert "speeds look like feet a second (median 4.3 a second" in caution
    read = read_rows(tmp_path, points, units="ft")
    assert not read.cautions
    np.testing.assert_allclose(read.scenes[0].positions[:, 0], 0.4 * 1.3 * np.arange(9))


def test_cars_may_be_as_fast_as_feet(tmp_path: Path) -> None:
    entries = [{"time": n, "agent": "a", "x": 4 * n, "y": 0, "type": "car"} for n in range(5)]
    assert not read_scenes(write_csv(tmp_path / "t.csv", entries), Options(interval=1)).cautions


def test_degrees_are_told(tmp_path: Path) -> None:
    (caution,) = read_scenes(write_csv(tmp_path / "t.csv", rows(heading=90))).cautions
    assert "headings reach 90" in caution


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([(0, 1, 0, 0), (10, 2, 0, 0)], "expected tracks of two points or more, found none"),
        ([(0, 1, "nan", 0), (10, 1, 0, 0)], "expected tracks of two points or more, found none"),
        ([(0, 1, 0, 0), (10, 1, 90, 0)], "expected tracks of two points or more, found none"),
        (
            [(0, 1, 0, 0), (10, 1, 0, 0), (20, "b", 0, 0)],
            "row 3: expected four numbers .* found '20\tb\t0\t0'",
        ),
        ([(0, 1, 0, 0), (10, 1, 0, 0), (20, 1, 0)], "row 3: expected four numbers"),
    ],
)
def test_a_scene_that_is_empty_or_broken_is_refused(points: list[Any], found: str, tmp_path: Path) -> None:
    points = points if len(points) < 3 else [*straight(range(9)), *points]
    with pytest.raises(DataError, match=found.replace("row 3", f"row {len(points)}")):
        read_rows(tmp_path, points)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"x": "here"}, r"row 5: expected a number in column 'x', found 'here'; mend the cell"),
        ({"agent": ""}, r"row 5: expected a name or number in column 'agent', found None"),
        ({"split": "dev"}, r"row 5: expected one of train, val and test .* found 'dev'"),
        ({"split": "test"}, r"row 5: expected one of train, val and test .* found 'test' after train"),
    ],
)
def test_a_cell_that_is_wrong_is_named(change: dict[str, str], match: str, tmp_path: Path) -> None:
    entries = rows(split="train")
    entries[3] |= change
    with pytest.raises(DataError, match=match):
        read_scenes(write_csv(tmp_path / "t.csv", entries))


def test_an_empty_cell_of_a_position_is_a_problem(tmp_path: Path) -> None:
    entries = rows()
    entries[-1]["x"] = ""
    (problem,) = read_scenes(write_csv(tmp_path / "t.csv", entries)).problems
    assert problem.sample == "walks, agent 2"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("agent,x,y\n1,0,0\n", "expected a column 'time' or 'frame', found agent, x, y"),
        ("frame,agent,x,y\n1,1,0,0\n", "found frames only; say by --frame-rate or --seconds-per-frame"),
        ("time,id,x,y\n1,1,0,0\n", "expected a column 'agent', found time, id, x, y"),
        ("time,agent,x,y\n", "expected scenes with tracks, found none"),
        ("time,agent,x,y\n0,1,0,0\n100,1,0,0\n200,1,0,0\n", "found 100; give times in seconds"),
        ("time,agent,x,y\n0,1,0,0\n1e-6,1,0,0\n", "found 1e-06; give times in seconds"),
        ("time,agent,x,y\n0,1,0,0\n1,1,0,0\n2,1,0,0\n1e12,1,0,0\n", "lie centuries apart"),
        ("", "expected a column 'time' or 'frame', found none"),
    ],
)
def test_a_table_that_is_wrong_is_refused(content: str, match: str, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(content)
    with pytest.raises(DataError, match=match):
        read_scenes(file)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.txt", "frame id x y\n", "found a file of another kind"),
        ("a.txt", "", "found a file of another kind"),
        ("a.png", "\x89PNG", "found a file of another kind"),
        ("a.xml", "<net/>", "found a file of another kind"),
        ("a.xml", "no XML", "expected XML, found something that is none"),
        ("a.xml", "", "found no element at its beginning"),
        ("a.xml", "<?xml version='1.0' encoding='latin'?><fcd-export>\xe4", "something that is none"),
        (
            "a.xml",
            "<?xml version='1.0' encoding='no'?><a/>",
            r"something that is none \(unknown encoding: no\)",
        ),
        ("a.xml", "<?xml version='1.0' encoding='big5'?><a/>", "something that is none .*multi-byte"),
        ("a.xml", "<fcd-export>", "expected XML, found something that is none"),
        ("a.xml", "<fcd-export/>", "expected tracks of two points or more, found none"),
        ("a.json", '{"scene": 1}', "expected the table 'scene' as a list of objects"),
        ("a.json", '{"scene": ', "expected JSON, found something that is none"),
    ],
)
def test_files_that_are_no_tracks_are_refused(name: str, content: str, match: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(DataError, match=match):
        read_scenes(tmp_path / name)


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent: no such file or folder; expected ETH/UCY text"):
        read_scenes(tmp_path / "absent")
    with pytest.raises(DataError, match="found an empty folder"):
        read_scenes(tmp_path)


def test_two_scenes_of_one_name_are_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", rows())
    write_csv(tmp_path / "b.csv", rows())
    with pytest.raises(DataError, match="a name of its own for each scene, found 'walks' 2 times"):
        read_scenes(tmp_path)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"interval": 0}, "--interval: expected a number above 0, found 0"),
        ({"interval": float("nan")}, "interval: expected a number above 0, found nan"),
        ({"frame_rate": -1.0}, "--frame-rate: expected a number above 0, found -1"),
        ({"frame_rate": 1.0, "seconds_per_frame": 1.0}, "expected one of them, found both"),
        ({"units": "yd"}, "--units: expected m or ft, found 'yd'"),
    ],
)
def test_options_that_are_wrong(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        Options(**options)


@pytest.mark.parametrize("form", ["SUMO", "CommonRoad 2020a"])
def test_formats_in_metres_refuse_feet(form: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="in metres by its standard, found ft"):
        read_scenes(WRITERS[form](tmp_path), Options(units="ft"))


def test_an_interval_far_finer_than_the_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"at least a hundredth of the 0.4 s between frames"):
        read_rows(tmp_path, straight(range(9)), interval=1e-6)
