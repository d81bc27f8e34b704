"""Files that are broken or hostile: one sentence each, whatever the format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fivefold.errors import DataError
from fivefold_driving.tracks.maps import read_roads
from fivefold_driving.tracks.readers import markup
from fivefold_driving.tracks.readers.choose import read_scenes, recognise
from plugins.driving.tracks import (
    WRITERS,
    nuscenes,
    write_commonroad,
    write_network,
    write_sumo,
)

BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<fcd-export><timestep time="0">&b;</timestep></fcd-export>"""
OUTSIDE = '<!DOCTYPE fcd-export SYSTEM "file:///etc/passwd"><fcd-export/>'


@pytest.mark.parametrize("content", [BOMB, OUTSIDE, "<!--\n-->" + OUTSIDE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_are_refused_in_any_encoding(content: str, encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_bytes(content.encode(encoding))
    assert recognise(file) is None
    for read in (read_scenes, read_roads):
        with pytest.raises(DataError, match="expected XML without a document type, found one"):
            read(file)


def test_an_entity_that_nothing_declares_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<fcd-export>&b;</fcd-export>")
    with pytest.raises(DataError, match="undefined entity"):
        read_scenes(tmp_path / "a.xml")


def test_deep_many_and_large_xml_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.xml"
    file.write_text(f"<fcd-export>{'<a>' * 100_000}")
    with pytest.raises(DataError, match="64 inside one another, found more"):
        read_scenes(file)
    file.write_text(f"<fcd-export>{'<a/>' * 1000}</fcd-export>")
    monkeypatch.setattr(markup, "MOST", 1000)
    with pytest.raises(DataError, match="at most 1,000 elements"):
        read_scenes(file)
    monkeypatch.setattr(markup, "LARGEST", 100)
    with pytest.raises(DataError, match="at most 100 bytes, found 4,025"):
        read_scenes(file)


def test_xml_whose_beginning_does_not_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text("<!--" + " " * 2**21 + "--><fcd-export/>")
    with pytest.raises(DataError, match="found no element at its beginning"):
        read_scenes(file)


def edited(write: Callable[[Path], Path], old: str, new: str, folder: Path) -> Path:
    file = write(folder)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return file


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('time="0.40"', "", "<timestep>, 'time': expected a number, found none"),
        ('x="0.4"', 'x="far"', """<vehicle id="1">, 'x': expected a number, found 'far'"""),
        ('y="2.0"', "", """<vehicle id="1">, 'y': expected a number, found none"""),
        ('id="1"', "", "<vehicle>: expected an attribute 'id', found none"),
    ],
)
def test_floating_car_data_that_is_broken(old: str, new: str, match: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=match):
        read_scenes(edited(write_sumo, old, new, tmp_path))


def test_floating_car_data_in_degrees_is_refused(tmp_path: Path) -> None:
    steps = "".join(
        f'<timestep time="{n}"><vehicle id="a" x="{13.4 + n / 7000}" y="52.5" speed="10"/></timestep>'
        for n in range(9)
    )
    (tmp_path / "a.xml").write_text(f"<fcd-export>{steps}</fcd-export>")
    with pytest.raises(DataError, match="expected positions in metres, found degrees"):
        read_scenes(tmp_path / "a.xml")


def test_lanelets_that_are_missing_are_told(tmp_path: Path) -> None:
    read = read_scenes(
        edited(
            write_commonroad,
            "</rightBound>",
            '</rightBound><successor ref="8"/><adjacentLeft ref="7"/>',
            tmp_path,
        )
    )
    assert read.cautions == ("scenario.xml: lanelets name 1 that are not there (8); the map may lack roads",)
    assert len(read.scenes[0].drivable) == 1


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('timeStepSize="0.4"', "", "timeStepSize: expected a number, found none"),
        ('timeStepSize="0.4"', 'timeStepSize="-1"', "timeStepSize: expected seconds above 0, found -1"),
        ("<x>0</x>", "", "lanelet 7, leftBound, x: expected a number, found none"),
        ("<x>0</x>", "<x>nan</x>", "lanelet 7, leftBound: expected finite numbers, found nan"),
        ("<leftBound>", "<leftBound/><a>", None),
        (
            "<exact>0</exact>",
            "<exact>now</exact>",
            "obstacle 1, state 1, time: expected a number, found 'now'",
        ),
        ("<length>4.5</length>", "", "obstacle 1, shape: expected a number, found none"),
        (' id="1"', "", "<dynamicObstacle>: expected an attribute 'id', found none"),
    ],
)
def test_scenarios_that_are_broken(old: str, new: str, match: str | None, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=match or "something that is none"):
        read_scenes(edited(write_commonroad, old, new, tmp_path))


def test_a_lanelet_without_a_bound_is_refused(tmp_path: Path) -> None:
    bare = '<lanelet id="1"><leftBound/></lanelet>'
    with pytest.raises(DataError, match="lanelet 1, leftBound: expected two points or more, found 0"):
        read_scenes(write_commonroad(tmp_path, inside=bare))


def test_a_state_without_a_point_is_a_problem(tmp_path: Path) -> None:
    file = edited(write_commonroad, "<point><x>0.4</x><y>2.0</y></point>", "<lanelet ref='7'/>", tmp_path)
    read = read_scenes(file)
    (problem,) = read.problems
    assert problem.sample == "scenario, agent 1"
    assert "obstacle 1, state 2: expected a position with a point or a middle" in problem.reason


def test_another_version_of_commonroad_is_told(tmp_path: Path) -> None:
    (caution,) = read_scenes(write_commonroad(tmp_path, "2031a")).cautions
    assert caution == "scenario: written for CommonRoad 2031a, read as 2020a; check what was read"


@pytest.mark.parametrize(
    ("table", "change", "match"),
    [
        ("sample", {"scene_token": "none"}, "the entry that scene_token 'none' names, found none"),
        ("sample", {"timestamp": "now"}, "sample: expected whole microseconds as 'timestamp', found 'now'"),
        ("sample", {"timestamp": 10**400}, "sample: expected whole microseconds as 'timestamp'"),
        (
            "sample_annotation",
            {"sample_token": "none"},
            "the entry that sample_token 'none' names, found none",
        ),
        ("sample_annotation", {"translation": [1, 2]}, "expected 3 numbers as 'translation', found .1, 2."),
        ("sample_annotation", {"size": "big"}, "expected 3 numbers as 'size', found 'big'"),
        ("sample_annotation", {"size": [10**400, 1, 1]}, "expected 3 numbers as 'size'"),
        ("instance", {"category_token": "none"}, "the entry that category_token 'none' names, found none"),
        ("scene", {"split": "dev"}, "expected train, val or test as its split, found 'dev'"),
        ("scene", {"map": [[1, 2]]}, "expected 'map' as lists of points"),
        ("scene", {"map": [["a"]]}, "expected 'map' as lists of points"),
        ("scene", {"name": None}, "scene: expected a text as 'name' of every entry, found None"),
    ],
)
def test_json_that_is_broken(table: str, change: dict[str, Any], match: str, tmp_path: Path) -> None:
    tables = nuscenes()
    tables[table][0] |= change
    file = tmp_path / "a.json"
    file.write_text(json.dumps(tables))
    with pytest.raises(DataError, match=match):
        read_scenes(file)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("<routes/>", "expected a SUMO network or a CommonRoad scenario, found <routes>"),
        ("<net/>", "expected lanes and junctions, found none"),
        ('<net><edge><lane id="l" shape="1 2"/></edge></net>', "expected points 'x,y'"),
        ('<net><edge><lane id="l" shape="1,a 2,1"/></edge></net>', "expected a number, found 'a'"),
        ('<net><edge><lane id="l" shape="1,nan 2,1"/></edge></net>', "expected finite numbers"),
    ],
)
def test_maps_that_are_none(content: str, match: str, tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(content)
    with pytest.raises(DataError, match=match):
        read_roads(file)
    with pytest.raises(DataError, match=r"expected a map .* found no such file"):
        read_roads(tmp_path / "b.xml")


def test_a_lone_network_is_no_track(tmp_path: Path) -> None:
    assert recognise(write_network(tmp_path)) is None


@pytest.mark.parametrize("form", ["ETH/UCY", "CSV", "JSONL", "SUMO", "CommonRoad 2020a", "JSON file"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_read_or_refused_in_a_sentence(
    form: str, data: st.DataObject, tmp_path: Path
) -> None:
    file = WRITERS[form](tmp_path)
    content = file.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.integers(0, 40))
    new = data.draw(
        st.sampled_from([b"", b"nan", b"1e308", b"-1e15", b"9" * 400, b"\x00", b"\xff", b"0", b"<", b"{}"])
    )
    file.write_bytes(content[:place] + new + content[place + length :])
    try:
        read = read_scenes(file)
    except DataError as error:
        sentence = str(error)
    else:
        assert all(np.isfinite(scene.positions).all() for scene in read.scenes)
        return
    assert str(file) in sentence
    assert "\n" not in sentence
