"""Trainings of behaviour prediction: what can be learned is, what cannot is not claimed, and they go on bit for bit."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from fivefold.errors import ConfigError, DataError, Interrupted
from fivefold.plugins.registry import load_registry
from fivefold.runs import Run
from fivefold.training.callback import Callback
from fivefold.training.inference import predict_outputs
from fivefold.training.trainer import Trainer
from fivefold.workflow import Prepared, prepare, train
from fivefold.workflow.loading import load_task
from fivefold_driving.predict.config import PredictConfig
from fivefold_driving.predict.data import TrackWindows
from fivefold_driving.predict.pipeline import SIMULATED, Predict
from plugins.driving.predict_cases import (
    FACTS,
    INTERVAL,
    LOOKBACK,
    MODELS,
    Grid,
    predict,
    task_of,
    walkers,
    write_grids,
)
from plugins.driving.tracks import write_commonroad, write_network

CPU = torch.device("cpu")
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)
SMALL = {"batch_size": 16, "evaluation": {"resamples": 100}}


def circles(seed: int, agents: int = 12, frames: int = 60, turn: float = 0.25) -> Grid:
    """Agents that turn to the left at one rate and noise of a centimetre; they come and go one after the other."""
    generator = np.random.default_rng(seed)
    born = np.arange(agents) * 7 % max(frames - 26, 1)
    grid = np.full((frames, agents, 2), np.nan)
    for agent in range(agents):
        angle = generator.uniform(0, 2 * np.pi) + turn * np.arange(26)
        steps = 0.4 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        tracks = generator.uniform(-9, 9, 2) + np.cumsum(steps, axis=0)
        grid[born[agent] : born[agent] + 26, agent] = tracks + generator.normal(0, 0.01, tracks.shape)
    return grid


def source_of(folder: Path, seed: int = 0, **settings: Any) -> Path:
    grids = {name: circles(seed + number, **settings) for number, name in enumerate(("north", "south"))}
    return write_grids(folder / "tracks.csv", grids)


def trained(source: Path, out: Path, **settings: Any) -> Run:
    spec, _ = load_registry().pipelines["driving/predict"]
    config = PredictConfig.model_validate(SMALL | settings)
    return train(spec, str(source), config, out=out, device="cpu")


def prepared_of(source: Path, **settings: Any) -> Prepared:
    return prepare(predict(**SMALL | settings), str(source), load_registry())


# Learning


@EVERY_MODEL
def test_one_batch_is_learned_by_heart(name: str, tmp_path: Path) -> None:
    prepared = prepared_of(
        source_of(tmp_path), model=MODELS[name] | {"hidden": 16, "adversarial": 0}, samples=4
    )
    torch.manual_seed(0)
    task = prepared.pipeline.task(prepared.facts)
    batch = prepared.train.batch(torch.arange(8))
    phase = task.phases()[-1].name
    optimizer = torch.optim.AdamW(task.parameters(), lr=1e-2)
    values = []
    for _ in range(80):
        optimizer.zero_grad()
        loss = task.loss(batch, phase).value
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        optimizer.step()
        values.append(loss.item())
    if name.startswith("mixture"):
        assert values[-1] < values[0] - 2  # nats a frame
    else:
        assert values[-1] < 0.1 * values[0]


def verdicts(run: Run) -> dict[str, str]:
    if run.report is None:
        raise TypeError("expected a report")
    return {one["baseline"]: one["verdict"] for one in run.report["comparisons"] if one["metric"] == "ADE"}


def test_turning_is_learned_and_beats_going_straight_on(tmp_path: Path) -> None:
    run = trained(
        source_of(tmp_path, agents=30, frames=250),
        tmp_path / "run",
        epochs=6,
        model={"hidden": 16},
        optimizer={"lr": 0.01},
        augment={"mirror": False, "reverse": False},
        block=5,
    )
    report = run.report or {}
    assert verdicts(run)["constant velocity"] == "beats"
    # A circle of radius 1.6 m is left by 2 m and more.
    assert report["metrics"]["ADE"]["value"] < 0.3
    assert report["baselines"]["constant velocity"]["ADE"] > 1


def test_where_going_straight_on_is_right_nothing_beats_it(tmp_path: Path) -> None:
    run = trained(source_of(tmp_path, turn=0.0), tmp_path / "run", epochs=2, model={"hidden": 8})
    assert verdicts(run)["constant velocity"] != "beats"


def test_nothing_is_fitted_on_the_test_scene(tmp_path: Path) -> None:
    """Another test scene gives the same weights and facts, bit for bit."""
    weights, facts = [], []
    for number in range(2):
        grids = {"north": circles(0, frames=90), "south": circles(7 + number, agents=8 + number)}
        source = write_grids(tmp_path / "tracks.csv", grids)
        training = trainer("attention", source, tmp_path / f"run-{number}")
        training.fit()
        weights.append(training.task.state_dict())
        facts.append(prepared_of(source).facts)
    assert facts[0] == facts[1]
    for key, value in weights[0].items():
        assert torch.equal(value, weights[1][key]), key


# Going on


class Stop(Callback):
    """Sends SIGINT when a step is logged."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_log(self, record: dict[str, Any]) -> None:
        if (record["step"], record["split"]) == (self.step, "train"):
            os.kill(os.getpid(), signal.SIGINT)


def trainer(name: str, source: Path, directory: Path, *callbacks: Callback) -> Trainer:
    prepared = prepared_of(
        source,
        model=MODELS[name] | {"hidden": 8},
        samples=3,
        epochs=2,
        batch_size=8,
        trainer={"ema": 0.9, "log_every": 1, "checkpoint_every": 3},
    )
    torch.manual_seed(1)
    return Trainer(
        prepared.pipeline.task(prepared.facts),
        prepared.train,
        prepared.val,
        config=prepared.pipeline.config,
        device=CPU,
        directory=directory,
        augment=prepared.pipeline.augment(prepared.facts),
        callbacks=callbacks,
        progress=False,
        tensorboard=False,
    )


@pytest.mark.parametrize("name", ["social-gan", "mixture, attention"])
@pytest.mark.parametrize("step", [2, 5])
def test_a_training_goes_on_bit_for_bit(name: str, step: int, tmp_path: Path) -> None:
    """Two phases, their optimizers, the draws of noise and of augmentation, and batches of like numbers."""
    source = source_of(tmp_path, frames=90)
    whole = trainer(name, source, tmp_path / "whole")
    whole.fit()
    with pytest.raises(Interrupted, match=f"at step {step} of"):
        trainer(name, source, tmp_path / "parts", Stop(step)).fit()
    resumed = trainer(name, source, tmp_path / "parts")
    resumed.fit(resume=True)
    for key, value in whole.task.state_dict().items():
        assert torch.equal(value, resumed.task.state_dict()[key]), key


@pytest.mark.parametrize("name", ["social-gan"])
def test_a_loaded_run_predicts_what_it_was_judged_by(name: str, tmp_path: Path) -> None:
    source = source_of(tmp_path)
    settings = {"model": MODELS[name] | {"hidden": 8}, "epochs": 1, "samples": 3}
    run = trained(source, tmp_path / "run", **settings)
    pipeline, task = load_task(run, load_registry())
    prepared = prepared_of(source, **settings)
    outputs = predict_outputs(task, prepared.test, device=CPU)
    again = predict_outputs(task, prepared.test, device=CPU, batch_size=3)
    for key, value in outputs.items():
        np.testing.assert_allclose(again[key], value, atol=1e-4, err_msg=key)
    judged = np.isfinite(outputs["target"]).all(axis=(2, 3))
    apart = np.linalg.norm(outputs["single"] - outputs["target"], axis=-1).mean(axis=-1)[judged]
    report = run.report or {}
    assert report["metrics"]["ADE"]["value"] == pytest.approx(float(apart.mean()), rel=1e-4)
    best = np.linalg.norm(outputs["samples"] - outputs["target"][:, :, None], axis=-1).mean(axis=-1)
    own = best.min(axis=2)[judged].mean()
    assert report["metrics"]["minADE3 per agent"]["value"] == pytest.approx(float(own), rel=1e-4)
    assert isinstance(pipeline, Predict)


# Tables and facts


def table_of(folder: Path, grids: dict[str, Grid], **settings: Any) -> Any:
    return predict(**settings).read(write_grids(folder / "tracks.csv", grids))


def test_columns_of_windows(tmp_path: Path) -> None:
    grid = walkers(np.random.default_rng(0), agents=2, frames=80)
    table = table_of(tmp_path, {"biwi_eth": grid, "b": grid[:30]}, block=10)
    assert len(table) == 61 + 11
    assert table.ids[[0, -1]].tolist() == ["biwi_eth@7", "b@17"]
    assert (table["place"][0], table["scene"][0]) == ("biwi_eth", "biwi_eth")
    assert table["start"][:3].tolist() == [0, 1, 2]
    # Blocks of 10 s by the last seen frame: the 25th frame is at 10 s.
    assert table.units is not None
    assert table.units[[0, 17, 18, 61]].tolist() == ["biwi_eth/0", "biwi_eth/0", "biwi_eth/1", "b/0"]
    assert table["agents"][0] == ("0", "1")
    tracks: NDArray[np.float32] = table["tracks"][5]
    np.testing.assert_allclose(tracks + table["origin"][5], grid[5:25].transpose(1, 0, 2), atol=1e-5)
    np.testing.assert_allclose(tracks[:, LOOKBACK - 1].mean(axis=0), 0, atol=1e-6)


def test_other_numbers_of_frames_and_another_interval(tmp_path: Path) -> None:
    grid = walkers(np.random.default_rng(0), agents=2, frames=81)
    table = table_of(tmp_path, {"a": grid}, lookback=3, horizon=4, interval=0.8)
    assert len(table) == 41 - 6
    np.testing.assert_allclose(
        table["tracks"][0] + table["origin"][0], grid[:14:2].transpose(1, 0, 2), atol=1e-5
    )


def test_frames_without_times_need_a_rate(tmp_path: Path) -> None:
    file = write_grids(tmp_path / "tracks.csv", {"a": walkers(np.random.default_rng(0), frames=30)})
    head, *rows = file.read_text().splitlines()
    counted = [
        ",".join([scene, str(round(float(time) / INTERVAL)), *rest])
        for scene, time, *rest in (row.split(",") for row in rows)
    ]
    file.write_text("\n".join([head.replace("time", "frame"), *counted]) + "\n")
    with pytest.raises(DataError, match="say by --frame-rate or --seconds-per-frame"):
        predict().read(file)
    for settings in ({"frame_rate": 2.5}, {"seconds_per_frame": 0.4}):
        assert len(predict(**settings).read(file)) == 11
    with pytest.raises(ConfigError, match="expected one of them, found both"):
        predict(frame_rate=2.5, seconds_per_frame=0.4).read(file)


def test_windows_of_alike_tracks_are_found_wherever_they_lie(tmp_path: Path) -> None:
    # Sixteenths of a metre, so that moving them is exact.
    grid = np.round(walkers(np.random.default_rng(0), agents=2) * 16) / 16
    first = table_of(tmp_path, {"a": grid})
    other = table_of(tmp_path, {"a": grid + 1024.0})
    changed = grid.copy()
    changed[-1, 0] += 0.5
    third = table_of(tmp_path, {"a": changed})
    keys = [predict().fingerprints(table).exact[0] for table in (first, other, third)]
    assert keys[0] == keys[1] != keys[2]


def test_doubts_and_simulation_are_facts(tmp_path: Path) -> None:
    pipeline = predict(lookback=2, horizon=3)
    samples = pipeline.samples(pipeline.read(write_commonroad(tmp_path, source="SUMO")))
    assert SIMULATED in pipeline.cautions(samples.facts)
    grids = {"a": 4 * walkers(np.random.default_rng(0), frames=30)}
    pipeline = predict()
    samples = pipeline.samples(pipeline.read(write_grids(tmp_path / "t.csv", grids)))
    assert any("speeds look like feet" in one for one in pipeline.cautions(samples.facts))
    assert isinstance(samples, TrackWindows)
    assert samples.scenes.tolist() == ["a"] * 11


def test_samples_of_known_facts_keep_them(tmp_path: Path) -> None:
    pipeline = predict()
    pipeline.facts = FACTS
    table = pipeline.read(
        write_grids(tmp_path / "t.csv", {"a": walkers(np.random.default_rng(0), frames=30)})
    )
    samples = pipeline.samples(table)
    assert samples.facts == FACTS
    assert samples.lengths() is None


def test_the_road_is_judged_and_drawn_where_there_is_a_map(tmp_path: Path) -> None:
    """Cars that drive along the road of 100 m; constant velocity stays on it."""
    grid = np.full((80, 3, 2), -1.6)
    grid[..., 0] = 5 + 0.8 * np.arange(80)[:, None] + np.array([0, 8, 16])
    source = write_grids(tmp_path / "t.csv", {"a": grid, "b": grid + np.array([0.1, 0])}, type="car")
    road = write_network(tmp_path)
    run = trained(source, tmp_path / "run", epochs=1, map=str(road), model={"hidden": 8})
    facts = (run.report or {})["sections"]["off_road"]
    assert facts["True tracks"]["value"] == 0
    assert facts["constant velocity"]["value"] == 0
    assert 0 <= facts["Model"]["value"] <= 1


# Settings


def test_presets_survive_being_written_and_read() -> None:
    for preset in Predict.presets.values():
        settings = preset()
        assert PredictConfig.model_validate(settings.model_dump(mode="json")) == settings
        assert preset.__doc__


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"model": {"kind": "social-gan", "mixture": 3}},
            "'mixture' does not apply to the kind 'social-gan'",
        ),
        ({"model": {"hidden": 10}}, "multiple of 4"),
        ({"model": {"mixture": 1}}, "greater than or equal to 2"),
        ({"interval": 0}, "greater than 0"),
        ({"lookback": 1}, "greater than or equal to 2"),
        ({"horizon": 0}, "greater than or equal to 1"),
        ({"frame_rate": -1}, "greater than 0"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PredictConfig.model_validate(settings)


def test_a_seed_gives_the_draws() -> None:
    first, second = (
        predict(model=MODELS["social-gan"], seed=seed).task(FACTS).state_dict()["bank"] for seed in (0, 1)
    )
    assert first.shape == (20, 8)
    assert not torch.equal(first, second)
    assert torch.equal(first, predict(model=MODELS["social-gan"]).task(FACTS).state_dict()["bank"])
    assert task_of("mixture, lstm", samples=7).state_dict()["picks"].shape == (7,)
