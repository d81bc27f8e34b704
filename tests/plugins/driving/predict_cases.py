"""Scenes of walkers for the tests of predicted tracks: as grids, as files, and as networks see them."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fivefold.cli.main import main
from fivefold.data.dataset import Batch, Facts
from fivefold.runs import Run
from fivefold_driving.predict.config import PredictConfig
from fivefold_driving.predict.data import TrackWindows
from fivefold_driving.predict.pipeline import Predict
from fivefold_driving.predict.tasks import TrackTask
from fivefold_driving.tracks.scene import Scene

LOOKBACK, HORIZON, INTERVAL = 8, 12, 0.4
LENGTH = LOOKBACK + HORIZON
FACTS = Facts(lookback=LOOKBACK, horizon=HORIZON, interval=INTERVAL, step=0.5, unit="scene block")

PREDICT = ("driving", "predict")
QUICK = ("--epochs", "1", "--model.hidden", "8", "--evaluation.resamples", "100", "--device", "cpu")
"""The command, and options under which a training takes a second."""

KINDS = ("lstm", "social-lstm", "attention", "social-gan")
MODELS: dict[str, dict[str, Any]] = {
    **{kind: {"kind": kind} for kind in KINDS},
    **{f"mixture, {kind}": {"kind": kind, "mixture": 3} for kind in KINDS[:3]},
}
"""Settings of every kind of model."""

ALONE = frozenset({"lstm", "mixture, lstm"})
"""Models in which nobody looks at others."""

Grid = NDArray[np.float64]
"""Positions of agents by frame, ``(F, A, 2)``; nan where one is not there."""


def predict(**settings: Any) -> Predict:
    """The pipeline under ``settings``."""
    return Predict(PredictConfig.model_validate(settings))


def task_of(name: str, seed: int = 0, facts: Facts = FACTS, samples: int = 4) -> TrackTask:
    """A task with random weights, larger than a beginner's, so that everything seen moves what it predicts."""
    torch.manual_seed(seed)
    task = predict(model=MODELS[name] | {"hidden": 8}, samples=samples).task(facts).eval()
    with torch.no_grad():
        for parameter in task.parameters():
            parameter.mul_(1.5)
    return task


def walkers(
    generator: np.random.Generator, agents: int = 5, frames: int = LENGTH, *, mortal: bool = False
) -> Grid:
    """Agents that walk and turn, from 0.5 m a second on; some come later and go earlier where ``mortal``."""
    speed = generator.uniform(0.2, 0.8, (1, agents))
    angle = generator.uniform(0, 2 * np.pi, (1, agents)) + np.cumsum(
        generator.normal(0, 0.2, (frames, agents)), axis=0
    )
    steps = speed[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    grid: Grid = generator.uniform(-6, 6, (1, agents, 2)) + np.cumsum(steps, axis=0)
    if mortal:
        for agent in range(agents):
            born, dead = sorted(generator.integers(0, frames + 1, 2))
            grid[:born, agent], grid[max(dead, born + 2) :, agent] = np.nan, np.nan
    return grid


def walks(seed: int, frames: int = 70, **more: Any) -> Grid:
    """Walkers by a seed."""
    return walkers(np.random.default_rng(seed), frames=frames, **more)


def two_scenes(file: Path, seed: int = 0) -> Path:
    """A square and a street; in the street one goes early and another comes late."""
    street = walks(seed + 1)
    street[40:, 0], street[:10, 1] = np.nan, np.nan
    return write_grids(file, {"square": walks(seed), "street": street})


def scene_of(grid: Grid, name: str = "walk") -> Scene:
    """A scene without a reader."""
    frames, agents = np.nonzero(~np.isnan(grid[..., 0]))
    names = tuple(str(agent) for agent in range(grid.shape[1]))
    return Scene(name, INTERVAL, frames, agents, names, grid[frames, agents])


def write_grids(file: Path, grids: Mapping[str, Grid], **constant: Any) -> Path:
    """A table of tracks; scenes have their names, agents their numbers, and each row ``constant``."""
    lines = [",".join(["scene", "time", "agent", "x", "y", *constant])]
    for name, grid in grids.items():
        for frame, agent in zip(*np.nonzero(~np.isnan(grid[..., 0])), strict=True):
            x, y = grid[frame, agent].tolist()
            row = [name, f"{INTERVAL * int(frame):.1f}", str(agent), repr(x), repr(y)]
            lines.append(",".join([*row, *map(str, constant.values())]))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def batch_of(seen: Grid, future: Grid | None = None) -> Batch:
    """One window of agents ``(S, A, 2)`` and perhaps what comes, ``(T, A, 2)``, from the origin that these have."""
    tensor = torch.from_numpy(seen.transpose(1, 0, 2).astype(np.float32))[None]
    batch = {"seen": tensor, "present": torch.ones(tensor.shape[:2], dtype=torch.bool)}
    if future is not None:
        batch["target"] = torch.from_numpy(future.transpose(1, 0, 2).astype(np.float32))[None]
    return batch


def walking(seed: int = 0, windows: int = 6, agents: int = 4, *, absent: int = 2) -> Batch:
    """A batch of windows with padding: in each of so many the last agent is absent; in the second one leaves."""
    generator = np.random.default_rng(seed)
    parts = []
    for _ in range(windows):
        grid = walkers(generator, agents)
        parts.append(batch_of(grid[:LOOKBACK], grid[LOOKBACK:]))
    batch = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    batch["present"][::absent, -1] = False
    batch["seen"][::absent, -1] = 0
    batch["target"][::absent, -1] = math.nan
    batch["target"][1, 0] = math.nan
    return batch


@torch.no_grad()
def answers(task: TrackTask, pipeline: Predict, source: Path, identity: str | None = None) -> dict[str, Grid]:
    """The samples ``(K, T, 2)`` of each agent, in the places of the file: of the window named, or of the last one.

    The window goes the whole way: reader, windows, batch, network.
    """
    pipeline.facts = FACTS
    table = pipeline.read_inputs(source) if identity is None else pipeline.read(source)
    samples = pipeline.samples(table)
    if not isinstance(samples, TrackWindows):
        raise TypeError(f"expected windows of tracks, found {type(samples)}")
    row = 0 if identity is None else samples.ids.tolist().index(identity)
    # All windows of a file in one batch, so that what is beside the window is there, too.
    found = task.predict(samples.batch(torch.arange(len(samples))))["samples"][row].double().numpy()
    return {
        name: tracks + samples.origins[row]
        for name, tracks in zip(samples.agents[row], found[: len(samples.agents[row])], strict=True)
    }


def refused(words: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says one sentence, in which ``said`` stands, and leaves nothing in ``folder``."""
    before = set(folder.iterdir())
    assert main(words) == 2
    sentence = capsys.readouterr().err.strip()
    assert sentence.startswith("error: ")
    assert len(sentence.splitlines()) == 1
    assert said in sentence
    assert set(folder.iterdir()) == before


def report_of(run: Path) -> dict[str, Any]:
    """The report of a finished run."""
    report = Run.open(run).report
    if report is None:
        raise TypeError("expected a report")
    return report


def page_of(folder: Path) -> str:
    """The report as a page of text."""
    return html.unescape((folder / "report.html").read_text(encoding="utf-8"))
