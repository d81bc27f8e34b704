"""Bad tracks and settings as a user of behaviour prediction meets them: told in the report, or in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main
from plugins.driving.predict_cases import (
    PREDICT,
    QUICK,
    page_of,
    refused,
    report_of,
    two_scenes,
    walks,
    write_grids,
)
from plugins.driving.tracks import state, write_commonroad

# Bad tracks that are told, and do not stop a training


def rows(*texts: str) -> str:
    return "".join(f"{text}\n" for text in texts)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a folder of scenes, each with a fault of its own."""
    folder = tmp_path_factory.mktemp("faulty")
    data = folder / "data"
    data.mkdir()
    names = ("once", "twice", "clash", "nan", "feet", "jump", "rate", "gap", "whole")
    grids = {name: walks(number, 50, agents=3) for number, name in enumerate(names)}
    grids["feet"] /= 0.3048
    grids["jump"][25:, 0] += 60
    grids["gap"][30:33, 1] = np.nan
    file = write_grids(data / "tracks.csv", grids)
    lines = file.read_text().splitlines()
    twice = next(line for line in lines if line.startswith("twice,4.0,"))
    slower = [f"rate,{19.6 + 0.8 * step:.1f},9,{step},1" for step in range(1, 25)]
    more = ["once,4.0,99,1,1", twice, "clash,4.0,1,999,1", "nan,4.0,7,nan,1", *slower]
    file.write_text(rows(*lines, *more))
    road = '<lanelet id="8"><leftBound><point><x>0</x><y>9</y></point><point><x>9</x><y>9</y></point></leftBound>'
    road += "<rightBound><point><x>0</x><y>6</y></point><point><x>9</x><y>6</y></point></rightBound>"
    write_commonroad(data, inside=road + '<successor ref="4711"/></lanelet>', source="SUMO")
    words = [*PREDICT, "train", str(data), *QUICK, "--held-out", "whole", "--max-bad-share", "0.1"]
    assert main([*words, "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.mark.parametrize(
    "said",
    [
        "once: 1 track of one point (first: agent 99) kept out",
        "twice: rows that repeat a frame of an agent, 1 in all",
        "feet: speeds look like feet a second (median",
        "jump: tracks jump once by more than 50 m or 60 m/s (first: agent 0",
        "rate: the frame rate changes (steps of 0.4 to 0.8 s, mostly 0.4 s); resampled by its times",
        "gap: agents return after a gap, once in all (first: agent 1), and are taken for new ones",
        "scenario.xml: lanelets name 1 that are not there",
        "The tracks were simulated: what holds here need not hold on a road.",
    ],
)
def test_doubtful_tracks_are_told_above_the_verdict(said: str, faulty: Path) -> None:
    (told,) = [one for one in report_of(faulty)["run"]["cautions"] if said in one]
    page = page_of(faulty)
    assert 0 < page.index(told) < page.index('<section class="verdict')


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("clash, agent 1", "expected one position a frame, found several in 2 points"),
        ("nan, agent 7", "expected finite numbers for time, x and y, found nan"),
    ],
)
def test_points_that_are_left_out_are_listed(agent: str, said: str, faulty: Path) -> None:
    (problem,) = [one for one in report_of(faulty)["run"]["problems"] if one["sample"] == agent]
    assert said in problem["reason"]
    assert problem["reason"] in page_of(faulty)


# Bad tracks that are refused


HEAD = "scene,time,agent,x,y"
BROKEN: dict[str, tuple[str, str]] = {
    "nothing": ("", "tracks.csv"),
    "no rows": (rows(HEAD), "expected scenes with tracks, found none"),
    "an empty scene": (
        rows(HEAD, "a,0,1,0,0", "a,0.4,1,1,0", "b,0,1,0,0"),
        "scene 'b': expected tracks of two points",
    ),
    "a scene of nan": (
        rows(HEAD, "a,0,1,nan,0", "a,0.4,1,nan,0"),
        "scene 'a': expected tracks of two points",
    ),
    "a word for a number": (
        rows(HEAD, "a,0,1,0,0", "a,0.4,1,far,0"),
        "row 3: expected a number in column 'x'",
    ),
    "no agent": (rows(HEAD, "a,0,,0,0"), "row 2: expected a name or number in column 'agent'"),
    "no column": (rows("scene,time,agent,x", "a,0,1,0"), "tracks.csv"),
    "frames alone": (rows("frame,agent,x,y", "0,1,0,0"), "say by --frame-rate or --seconds-per-frame"),
    "milliseconds": (
        rows(HEAD, *(f"a,{400 * step},1,{step},0" for step in range(30))),
        "seconds between frames",
    ),
    "short tracks": (
        rows(HEAD, *(f"a,{0.4 * step:.1f},1,{step},0" for step in range(15))),
        "expected agents that are there for 20 frames of 0.4 s, found none",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_tables_are_refused(fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, said = BROKEN[fault]
    file = tmp_path / "tracks.csv"
    file.write_text(content)
    refused([*PREDICT, "train", str(file), "--out", str(tmp_path / "run")], said, tmp_path, capsys)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--held-out", "plaza"), "--held-out plaza: expected one of square, street, found no such scene"),
        (("--folds", "5"), "--folds 5: expected as many as there are scenes, found 2 (square, street)"),
        (("--model.hidden", "10"), "multiple of 4"),
        (("--model.kind", "social-gan", "--model.mixture", "3"), "'mixture' does not apply"),
        (("--lookback", "60", "--horizon", "60"), "expected agents that are there for 120 frames"),
        (("--horizon", "55"), "expected several scenes to train on, or one of more than 63 frames"),
        (("--interval", "0.001"), "--interval: expected at least a hundredth of the 0.4 s"),
        (("--map", "nowhere.xml"), "nowhere.xml"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = two_scenes(tmp_path / "tracks.csv")
    words = [*PREDICT, "train", str(source), *options, "--out", str(tmp_path / "run")]
    refused(words, said, tmp_path, capsys)


def test_too_many_agents_with_points_that_are_none_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = two_scenes(tmp_path / "tracks.csv")
    source.write_text(source.read_text() + "square,4.0,0,nan,1\n")
    words = [*PREDICT, "train", str(source), "--out", str(tmp_path / "run")]
    refused(words, "found nan, infinity or one that is no place on Earth in 1 point", tmp_path, capsys)
    refused(
        [*words, "--max-bad-share", "0.09"],
        "found 1 of 10 agents with 1 such points (the first",
        tmp_path,
        capsys,
    )


def test_all_points_that_are_none_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = two_scenes(tmp_path / "tracks.csv")
    more = [f"square,{4 + step},{agent},,1" for agent in (91, 92) for step in range(3)]
    source.write_text(source.read_text() + rows(*more))
    words = [*PREDICT, "train", str(source), "--out", str(tmp_path / "run")]
    refused(
        words,
        "found 2 of 10 agents with 6 such points (the first of them, square, agent 91",
        tmp_path,
        capsys,
    )


def test_one_scene_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_grids(tmp_path / "tracks.csv", {"square": walks(0)})
    said = "expected two scenes or more to train on, one of which tests, found only square"
    refused([*PREDICT, "train", str(source), "--out", str(tmp_path / "run")], said, tmp_path, capsys)


def test_units_of_a_standard_in_metres_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_commonroad(tmp_path)
    words = [*PREDICT, "train", str(source), "--units", "ft", "--out", str(tmp_path / "run")]
    refused(words, "--units: expected m", tmp_path, capsys)


def test_a_broken_scenario_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    number = state("initialState", 0, 1.0, 2.0).replace("1.0", "east", 1)
    source = write_commonroad(tmp_path, inside=f'<dynamicObstacle id="9">{number}</dynamicObstacle>')
    words = [*PREDICT, "train", str(source), "--out", str(tmp_path / "run")]
    refused(words, "obstacle 9", tmp_path, capsys)
