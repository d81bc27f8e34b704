"""Resampling keeps straight tracks, and makes nothing up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold_driving.tracks.build import build
from fivefold_driving.tracks.maps import offsets
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.readers.choose import read_scenes
from fivefold_driving.tracks.resampling import local_steps, resample, step_of
from fivefold_driving.tracks.rows import Clock, Gathered, Told
from plugins.driving.tracks import write_csv

few = settings(max_examples=25, deadline=None)
steps = st.sampled_from([0.04, 0.1, 0.25, 0.4, 0.5, 1 / 30, 0.7])
intervals = st.sampled_from([0.1, 0.2, 0.4, 0.5, None])
speeds = st.floats(-20, 20).map(lambda speed: round(speed, 3))


@few
@given(
    step=steps, interval=intervals, start=st.floats(0, 1e6), vx=speeds, vy=speeds, length=st.integers(25, 60)
)
def test_a_straight_track_at_constant_speed_is_kept(
    step: float, interval: float | None, start: float, vx: float, vy: float, length: int
) -> None:
    gathered = Gathered("s", "f")
    times = start + step * np.arange(length)
    for row, time in enumerate(times):
        gathered.add(row, time, "a", (vx * (time - start), vy * (time - start)))
    scene = build(gathered.rows(Clock(unit=1.0, timed=True)), Options(interval=interval), Told())
    moments = scene.frames * scene.interval
    assert scene.interval == pytest.approx(step if interval is None else interval, rel=1e-6)
    assert scene.frames.tolist() == list(range(len(scene.frames)))
    assert times[-1] - start - scene.interval < moments[-1] + 1e-4
    assert moments[-1] <= times[-1] - start + 1e-4
    np.testing.assert_allclose(scene.positions, np.outer(moments, [vx, vy]), atol=2e-3)


@few
@given(
    present=st.lists(st.booleans(), min_size=12, max_size=60), interval=st.sampled_from([0.1, 0.15, 0.2, 0.3])
)
def test_nothing_is_made_up_across_gaps_or_beyond_ends(present: list[bool], interval: float) -> None:
    frames = np.flatnonzero([True, True, *present])
    gathered = Gathered("s", "f")
    for row, frame in enumerate(frames):
        gathered.add(row, float(frame), "a", (float(frame), 0.0))
    for frame in range(40):  # another agent, so that a step of one frame is the most common
        gathered.add(frame, float(frame), "b", (0.0, 9.0))
    scene = build(gathered.rows(Clock(unit=0.1)), Options(interval=interval), Told())
    mine = np.array([not name.startswith("b") for name in scene.names])[scene.agents]
    known = set(frames.tolist())
    for moment, x in zip(scene.frames[mine] * interval / 0.1, scene.positions[mine, 0], strict=True):
        assert x == pytest.approx(moment, abs=1e-6)
        assert {int(np.floor(moment + 1e-6)), int(np.ceil(moment - 1e-6))} <= known
    # Agents are runs without gaps.
    for code in range(len(scene.names)):
        assert (np.diff(scene.frames[scene.agents == code]) == 1).all()


@few
@given(
    x=st.lists(st.floats(-50, 50), min_size=2, max_size=30), interval=st.sampled_from([0.1, 0.25, 0.3, 1.0])
)
def test_interpolation_is_that_of_numpy_and_stays_between_neighbours(x: list[float], interval: float) -> None:
    instants = 0.1 * np.arange(len(x))
    frames, values = resample(instants, np.array([x]).T, interval)
    inside = np.clip(frames * interval, 0, instants[-1])
    np.testing.assert_allclose(values[:, 0], np.interp(inside, instants, x), atol=1e-3)
    assert (values >= min(x)).all()
    assert (values <= max(x)).all()


def test_by_hand() -> None:
    frames, values = resample(np.array([0.1, 0.5, 0.9, 1.3]), np.array([[1.0], [5.0], [7.0], [7.0]]), 0.4)
    assert frames.tolist() == [1, 2, 3]
    np.testing.assert_allclose(values[:, 0], [4.0, 6.5, 7.0])


def test_a_track_between_two_frames_has_no_point() -> None:
    frames, values = resample(np.array([0.5, 0.6]), np.array([[1.0, 2.0], [2.0, 3.0]]), 0.4)
    assert frames.tolist() == []
    assert values.shape == (0, 2)


def test_points_on_frames_are_kept_to_the_last_digit() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    frames, values = resample(0.4 * np.arange(50), x, 0.4)
    assert frames.tolist() == list(range(50))
    assert (values == x).all()


def test_the_step_of_frames_is_the_most_common_and_that_of_times_a_mean() -> None:
    assert step_of(np.array([10.0, 10, 20, 30, 10, 6]), timed=False) == 10
    assert step_of(np.array([6.0, 10]), timed=False) == 6
    assert step_of(np.array([0.03, 0.03, 0.04, 0.03, 0.04, 0.03, 5.0]), timed=True) == pytest.approx(0.2 / 6)


def test_the_local_step_follows_changes_but_no_lone_gap() -> None:
    stamps = np.concatenate([np.arange(10), 10 + 2 * np.arange(10), 200 + 2 * np.arange(10)]).astype(float)
    moments, local = local_steps(stamps, 1.0)
    assert (moments == stamps).all()
    assert local.tolist() == [1.0] * 10 + [2.0] * 20


def test_agents_with_clocks_of_their_own_do_not_change_the_rate(tmp_path: Path) -> None:
    entries = [
        {"time": 0.1 * n + 0.01 * agent, "agent": agent, "x": 0.1 * n, "y": agent}
        for agent in range(8)
        for n in range(30)
    ]
    read = read_scenes(write_csv(tmp_path / "t.csv", entries))
    assert not read.cautions
    (scene,) = read.scenes
    assert len(scene.names) == 8
    assert np.bincount(scene.agents).tolist() == [8] + [7] * 7


def test_births_and_deaths_are_kept(tmp_path: Path) -> None:
    lives = {"a": (0, 40), "b": (13, 30), "c": (22, 40)}
    entries = [
        {"time": 0.1 * n, "agent": agent, "x": 0.1 * n, "y": 0}
        for agent, (birth, death) in lives.items()
        for n in range(birth, death)
    ]
    (scene,) = read_scenes(write_csv(tmp_path / "t.csv", entries)).scenes
    frames = [scene.frames[scene.agents == code].tolist() for code in range(3)]
    assert frames == [list(range(10)), [4, 5, 6, 7], [6, 7, 8, 9]]


def test_offsets_of_a_bent_line_keep_their_distance() -> None:
    line = np.array([[0, 0], [4, 0], [4, 0], [4, 5]], dtype=float)
    np.testing.assert_allclose(line + offsets(line), [[0, 1], [3, 1], [3, 1], [3, 5]], atol=1e-12)


def test_offsets_of_a_point_and_of_a_line_that_turns_back() -> None:
    assert not offsets(np.ones((3, 2))).any()
    line = np.array([[0, 0], [4, 0], [0, 0]], dtype=float)
    np.testing.assert_allclose(np.hypot(*offsets(line).T), 1)


def test_agents_whose_clocks_differ_by_half_a_step_keep_their_tracks(tmp_path: Path) -> None:
    rows = [
        f"0,{0.4 * frame + shift:.1f},{agent},{frame},0"
        for agent, shift in (("a", 0.0), ("b", 0.2))
        for frame in range(30)
    ]
    file = tmp_path / "clocks.csv"
    file.write_text("\n".join(["scene,time,agent,x,y", *rows]) + "\n")
    (scene,) = read_scenes(file).scenes
    assert [int((scene.agents == code).sum()) for code in range(2)] == [30, 29]
