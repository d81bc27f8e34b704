"""Windows: who is in them and who is judged, what is padded, and that nothing of the future is in what is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold_driving.predict.data import TrackWindows, measure
from fivefold_driving.predict.windows import windows_of
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.readers.choose import read_scenes
from plugins.driving.predict_cases import (
    ALONE,
    FACTS,
    HORIZON,
    LENGTH,
    LOOKBACK,
    MODELS,
    Grid,
    answers,
    predict,
    scene_of,
    task_of,
    walkers,
    write_grids,
)

FILES = {
    "eth": ("biwi_eth",),
    "hotel": ("biwi_hotel",),
    "univ": ("students001", "students003"),
    "zara1": ("crowds_zara01",),
    "zara2": ("crowds_zara02",),
}
PUBLISHED = {
    "eth": (364, 1.075, 2.282),
    "hotel": (1197, 0.319, 0.614),
    "univ": (24334, 0.524, 1.165),
    "zara1": (2356, 0.427, 0.952),
    "zara2": (5910, 0.324, 0.724),
}
"""Agents judged, and ADE and FDE of constant velocity."""


# Who is there


@pytest.mark.parametrize("place", FILES)
def test_agents_and_constant_velocity_of_eth_ucy(place: str, shared: Path) -> None:
    errors = []
    for name in FILES[place]:
        (scene,) = read_scenes(shared / "eth_ucy" / f"{name}.txt", Options()).scenes
        for window in windows_of(scene, LOOKBACK, HORIZON, judged=True):
            tracks = window.tracks[~np.isnan(window.tracks[..., 0]).any(axis=1)].astype(np.float64)
            step = tracks[:, LOOKBACK - 1] - tracks[:, LOOKBACK - 2]
            onward = tracks[:, LOOKBACK - 1, None] + step[:, None] * np.arange(1, HORIZON + 1)[:, None]
            errors.append(np.linalg.norm(onward - tracks[:, LOOKBACK:], axis=2))
    found = np.concatenate(errors)
    agents, ade, fde = PUBLISHED[place]
    assert len(found) == agents
    # Published to three digits, from positions that are rounded elsewhere.
    assert found.mean() == pytest.approx(ade, abs=1e-3)
    assert found[:, -1].mean() == pytest.approx(fde, abs=1e-3)


def test_births_and_deaths() -> None:
    """Of five agents over 21 frames: always there, born in what is seen, gone in it, gone later, and born later."""
    grid = np.arange(21.0)[:, None, None] + 100 * np.arange(5.0)[:, None] * np.ones(2)
    grid[:3, 1], grid[5:, 2], grid[12:, 3], grid[:10, 4] = np.nan, np.nan, np.nan, np.nan
    windows = list(windows_of(scene_of(grid), LOOKBACK, HORIZON, judged=True))
    assert [(window.frame, window.agents.tolist()) for window in windows] == [(7, [0, 3]), (8, [0, 3])]
    first = windows[0]
    np.testing.assert_allclose(first.origin, [157, 157])  # of 7 and 307, at the last seen frame
    np.testing.assert_allclose(first.tracks[0], np.arange(20.0)[:, None] - 157 + np.zeros(2))
    assert np.isnan(first.tracks[1, 12:]).all()
    assert not np.isnan(first.tracks[1, :12]).any()
    every = {one.frame: one.agents.tolist() for one in windows_of(scene_of(grid), LOOKBACK, 12, judged=False)}
    assert every[8] == [0, 3]
    assert every[10] == [0, 1, 3]
    assert every[17] == [0, 1, 4]
    assert max(every) == 20


def naive(grid: Grid, *, judged: bool) -> list[tuple[int, list[int], Grid]]:
    """Windows by loops, in the places of the scene."""
    found = []
    for last in range(LOOKBACK - 1, len(grid)):
        there = [
            agent
            for agent in range(grid.shape[1])
            if not any(np.isnan(grid[frame, agent, 0]) for frame in range(last - LOOKBACK + 1, last + 1))
        ]
        tracks = np.full((len(there), LENGTH, 2), np.nan)
        for row, agent in enumerate(there):
            for step in range(LENGTH):
                frame = last - LOOKBACK + 1 + step
                if frame < len(grid):
                    tracks[row, step] = grid[frame, agent]
        whole = [row for row in range(len(there)) if not np.isnan(tracks[row]).any()]
        if there and (whole or not judged):
            found.append((last, there, tracks))
    return found


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), judged=st.booleans())
def test_windows_are_those_that_loops_find(seed: int, judged: bool) -> None:
    generator = np.random.default_rng(seed)
    grid = walkers(generator, agents=6, frames=int(generator.integers(2, 60)), mortal=True)
    grid[generator.random(grid.shape[:2]) < 0.01] = np.nan
    while len(grid) and np.isnan(grid[-1]).all():
        grid = grid[:-1]
    windows = list(windows_of(scene_of(grid), LOOKBACK, HORIZON, judged=judged))
    expected = naive(grid, judged=judged)
    assert [(one.frame, one.agents.tolist()) for one in windows] == [one[:2] for one in expected]
    for window, (_, _, tracks) in zip(windows, expected, strict=True):
        np.testing.assert_allclose(window.tracks + window.origin, tracks, atol=1e-5)


def test_a_scene_of_two_days_that_lie_years_apart_is_not_held_frame_by_frame() -> None:
    """Frames with nobody take no room; held in full, these would take 10 TB."""
    day = scene_of(walkers(np.random.default_rng(0), agents=3, frames=30))
    later = 10**10
    scene = type(day)(
        "long",
        day.interval,
        np.concatenate([day.frames, day.frames + later]),
        np.concatenate([day.agents, day.agents + 3]),
        tuple("abcdef"),
        np.concatenate([day.positions, day.positions]),
    )
    windows = list(windows_of(scene, LOOKBACK, HORIZON, judged=True))
    assert [window.frame for window in windows] == [*range(7, 18), *range(later + 7, later + 18)]
    assert windows[-1].agents.tolist() == [3, 4, 5]


def test_inputs_are_the_last_window_of_each_scene(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    grids = {"a": walkers(generator, frames=30), "b": walkers(generator, frames=9)}
    grids["a"][29, 1] = np.nan  # gone at the last frame
    grids["b"][0, 2] = np.nan
    grids["b"][:3, 3] = np.nan  # born in what is seen
    table = predict().read_inputs(write_grids(tmp_path / "t.csv", grids))
    assert table.ids.tolist() == ["a@29", "b@8"]
    assert table["agents"].tolist() == [("0", "2", "3", "4"), ("0", "1", "4", "2")]  # as they came
    for tracks, origin, name in zip(table["tracks"], table["origin"], "ab", strict=True):
        assert np.isnan(tracks[:, LOOKBACK:]).all()
        chosen = grids[name][-LOOKBACK:, [int(agent) for agent in table["agents"]["ab".index(name)]]]
        np.testing.assert_allclose(tracks[:, :LOOKBACK] + origin, chosen.transpose(1, 0, 2), atol=1e-5)


# Batches


def table_of(folder: Path, seed: int = 0) -> TrackWindows:
    generator = np.random.default_rng(seed)
    grids = {name: walkers(generator, agents=8, frames=60, mortal=True) for name in "ab"}
    for grid in grids.values():
        grid[20:45, 0] = np.linspace(0, 9, 25)[:, None]
    samples = TrackWindows(predict().read(write_grids(folder / "t.csv", grids)), FACTS, trimmed=True)
    assert len(set(samples.lengths().tolist())) > 1  # type: ignore[union-attr]  # trimmed ones have lengths
    return samples


def test_batches_are_padded_to_their_own_most_or_to_the_splits(tmp_path: Path) -> None:
    trimmed = table_of(tmp_path)
    lengths = trimmed.lengths()
    if lengths is None:
        raise TypeError("expected lengths")
    order = torch.argsort(lengths)[:2]
    whole = TrackWindows(predict().read(tmp_path / "t.csv"), FACTS, trimmed=False)
    assert whole.lengths() is None
    few, all_places = trimmed.batch(order), whole.batch(order)
    assert few["seen"].shape[1] == int(lengths[order].max())
    assert all_places["seen"].shape[1] == int(lengths.max())
    assert few["present"].sum(dim=1).tolist() == lengths[order].tolist()
    for name, tensor in few.items():
        torch.testing.assert_close(
            all_places[name][:, : tensor.shape[1]], tensor, rtol=0, atol=0, equal_nan=True
        )
    beyond = all_places["present"].shape[1] - few["present"].shape[1]
    assert beyond > 0
    assert not all_places["present"][:, -beyond:].any()
    assert (all_places["seen"][:, -beyond:] == 0).all()
    assert all_places["target"][:, -beyond:].isnan().all()


def test_who_leaves_has_no_target_at_all(tmp_path: Path) -> None:
    samples = table_of(tmp_path)
    batch = samples.batch(torch.arange(len(samples)))
    gone = batch["target"].isnan().all(dim=3).any(dim=2)
    torch.testing.assert_close(gone, batch["target"].isnan().all(dim=3).all(dim=2))
    assert (gone & batch["present"]).any()
    assert not batch["seen"].isnan().any()
    again = samples.batch(torch.arange(len(samples)))
    for name, tensor in batch.items():
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=0, equal_nan=True)


def test_facts_are_measured_on_what_is_seen(tmp_path: Path) -> None:
    """Two agents that go 0.3 and 0.4 m a frame; what comes after is ten times as fast and does not count."""
    steps = np.array([0.3, 0.4]) * np.where(np.arange(LENGTH) < LOOKBACK, 1, 10)[:, None]
    grid = np.stack([np.cumsum(steps, axis=0), np.zeros_like(steps)], axis=-1)
    facts = measure(predict().read(write_grids(tmp_path / "t.csv", {"a": grid})), LOOKBACK, HORIZON, 0.4)
    assert facts.step == pytest.approx(np.sqrt((0.3**2 + 0.4**2) / 2), rel=1e-6)
    still = np.zeros((LENGTH, 1, 2))
    assert measure(predict().read(write_grids(tmp_path / "s.csv", {"a": still})), 8, 12, 0.4).step == 1


# The future


CHANGES = ("moved", "one deleted", "exchanged", "more agents")


def changed(grid: Grid, last: int, how: str, generator: np.random.Generator) -> Grid:
    """The same scene up to frame ``last``, and another one after it; the first agent stays to the end."""
    grid = grid.copy()
    after, agents = grid[last + 1 :], grid.shape[1]
    if how == "moved":
        after += np.cumsum(generator.normal(0, 2, after.shape), axis=0)
    elif how == "one deleted":
        after[:, int(generator.integers(1, agents))] = np.nan
    elif how == "exchanged":
        after[:, 1:] = after[:, 1 + generator.permutation(agents - 1)]
    else:
        born = walkers(generator, agents=3, frames=len(grid))
        born[: last + 1] = np.nan
        grid = np.concatenate([grid, born], axis=1)
    return grid


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), how=st.sampled_from(CHANGES))
def test_no_prediction_knows_the_future(
    name: str, seed: int, how: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A window is predicted alike with its future, with another one, and with none: from file to network."""
    folder = tmp_path_factory.mktemp("future")
    generator = np.random.default_rng(seed)
    grid = walkers(generator, agents=5, frames=34, mortal=True)
    grid[:, :2] = walkers(generator, agents=2, frames=34)  # these are there throughout
    last = int(generator.integers(LOOKBACK - 1, 34 - HORIZON))
    task, pipeline = task_of(name, seed), predict()
    there = answers(task, pipeline, write_grids(folder / "t.csv", {"walk": grid}), f"walk@{last}")
    none = answers(task, pipeline, write_grids(folder / "t.csv", {"walk": grid[: last + 1]}))
    other = write_grids(folder / "t.csv", {"walk": changed(grid, last, how, generator)})
    for found in (none, answers(task, pipeline, other, f"walk@{last}")):
        assert found.keys() == there.keys()
        for agent, tracks in there.items():
            np.testing.assert_allclose(found[agent], tracks, atol=1e-4, err_msg=agent)


@pytest.mark.parametrize("name", MODELS)
def test_predictions_know_what_others_did_before(name: str, tmp_path: Path) -> None:
    """That the tests above can fail: another past of a neighbour is noticed, where neighbours are looked at."""
    grid = walkers(np.random.default_rng(1), agents=3, frames=LOOKBACK) / 3
    task, pipeline = task_of(name), predict()
    first = answers(task, pipeline, write_grids(tmp_path / "t.csv", {"walk": grid}))["0"]
    grid[:, 1] += np.linspace(2, 0, LOOKBACK)[:, None] * [1, -1]
    second = answers(task, pipeline, write_grids(tmp_path / "t.csv", {"walk": grid}))["0"]
    assert (np.abs(second - first).max() > 1e-3) == (name not in ALONE)
