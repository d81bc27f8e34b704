"""What a step of frame numbers is taken for where nobody says it: told, with what the tracks have against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.readers.choose import read_scenes
from plugins.driving.tracks import write_csv, write_text

ASSUMED = "one step of frame numbers was taken as 0.4 s, as in ETH/UCY"
REMEDY = "say by --frame-rate or --seconds-per-frame how long a frame is"


def walk(
    step: int = 10, speed: float = 1.3, seconds: float = 0.4, frames: int = 60
) -> list[tuple[float, ...]]:
    """One agent at ``speed`` metres a second, where a step of the frame numbers lasts ``seconds``."""
    return [(step * frame, 1, speed * seconds * frame, 0) for frame in range(frames)]


@pytest.mark.parametrize("step", [6, 10])
def test_an_assumed_step_is_told(step: int, tmp_path: Path) -> None:
    read = read_scenes(write_text(tmp_path / "plaza.txt", walk(step)))
    assert read.cautions == (f"plaza: {ASSUMED}; --frame-rate or --seconds-per-frame says otherwise",)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "biwi_eth",
            "biwi_hotel",
            "students001",
            "students003",
            "crowds_zara01",
            "crowds_zara02",
            "crowds_zara03",
        ),
        *(
            "uni_examples",
            "biwi_eth_train",
            "crowds_zara01_val",
            "students003_test",
            "eth",
            "zara1",
            "univ",
            "Hotel",
        ),
    ],
)
def test_nothing_is_told_of_files_with_published_names(name: str, tmp_path: Path) -> None:
    assert not read_scenes(write_text(tmp_path / f"{name}.txt", walk())).cautions


@pytest.mark.parametrize("options", [{"frame_rate": 25}, {"seconds_per_frame": 0.04}])
def test_nothing_is_told_where_an_option_says_it(options: dict[str, float], tmp_path: Path) -> None:
    assert not read_scenes(write_text(tmp_path / "plaza.txt", walk()), Options(**options)).cautions


def test_tables_assume_nothing(tmp_path: Path) -> None:
    entries = [{"time": 0.4 * n, "agent": "a", "x": 0.1 * n, "y": 0} for n in range(60)]
    assert not read_scenes(write_csv(tmp_path / "t.csv", entries)).cautions


def test_frame_numbers_that_step_otherwise_speak_against_it(tmp_path: Path) -> None:
    read = read_scenes(write_text(tmp_path / "plaza.txt", walk(1)))
    assert read.cautions == (
        f"plaza: {ASSUMED}, but the numbers step by 1, where those of ETH/UCY step by 6 or 10; {REMEDY}",
    )


def test_agents_that_would_creep_speak_against_it(tmp_path: Path) -> None:
    read = read_scenes(write_text(tmp_path / "plaza.txt", walk(10, seconds=0.04, frames=90)))
    assert read.cautions == (
        f"plaza: {ASSUMED}, but agents that move would be as slow as 0.13 m/s, where people walk 1 to 2 m/s; {REMEDY}",
    )


def test_agents_that_stand_are_not_slow(tmp_path: Path) -> None:
    standing = [(10 * frame, 2, 5 + 0.01 * (frame % 3), 5) for frame in range(60)]
    (caution,) = read_scenes(write_text(tmp_path / "plaza.txt", [*walk(), *standing])).cautions
    assert "but" not in caution
    (caution,) = read_scenes(write_text(tmp_path / "plaza.txt", standing)).cautions
    assert "but" not in caution


def test_scenes_of_a_kind_are_told_of_together(tmp_path: Path) -> None:
    for name in "abcd":
        write_text(tmp_path / f"{name}.txt", walk(1, seconds=0.04, frames=90))
    write_text(tmp_path / "e.txt", walk())
    first, second = read_scenes(tmp_path).cautions
    assert first.startswith(f"a, b, c and 1 more: {ASSUMED}, but the numbers step by 1")
    assert ", and agents that move would be as slow as 0.13 m/s" in first
    assert second == f"e: {ASSUMED}; --frame-rate or --seconds-per-frame says otherwise"
