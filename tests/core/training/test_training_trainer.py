from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.training.toys import Classifier, Gan, Streamed, blobs, settings
from core.training.trainings import CPU, Scripted, checkpoints, records, trainer
from fivefold.config import ScheduleConfig
from fivefold.data.dataset import Batch
from fivefold.errors import ConfigError
from fivefold.tasks.base import Phase
from fivefold.training.callback import Callback
from fivefold.training.engine import Engine
from fivefold.training.inference import predict_outputs
from fivefold.training.loading.loader import Loader
from fivefold.training.saving.checkpoint import newest_checkpoint
from fivefold.training.watching.records import VARYING


def test_it_learns(tmp_path: Path) -> None:
    training = trainer(tmp_path, epochs=8)
    result = training.fit()
    assert (result.epochs, result.steps, result.monitor, result.stopped_early) == (8, 32, "accuracy", False)
    assert result.best == pytest.approx(1.0, abs=0.1)
    assert result.seconds > 0
    assert result.samples_per_second == pytest.approx(8 * 60 / result.seconds)
    assert training.task.prepared == 1
    assert not training.task.training
    outputs = predict_outputs(training.task, blobs(30, seed=1), device=CPU)
    assert np.mean(outputs["logits"].argmax(1) == outputs["target"]) == result.best


def test_records(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=2).fit()
    written = records(tmp_path)
    assert [(line["split"], line["step"], line["epoch"]) for line in written] == [
        ("train", 3, 0.75),
        ("train", 4, 1.0),
        ("val", 4, 1.0),
        ("train", 6, 1.5),
        ("train", 8, 2.0),
        ("val", 8, 2.0),
    ]
    assert set(written[0]) - VARYING == {"split", "epoch", "step", "loss", "accuracy", "lr"}
    assert set(written[2]) - VARYING == {"split", "epoch", "step", "size", "accuracy", "log_loss"}
    assert written[0]["loss"] > written[-2]["loss"]


def test_records_of_several_phases_name_them(tmp_path: Path) -> None:
    result = trainer(tmp_path, Gan(), val=False, epochs=1).fit()
    assert (result.best, result.monitor, result.best_step) == (None, "", 2)
    names = {"critic/loss", "critic/penalty", "critic/lr", "generator/loss", "generator/lr"}
    assert names < set(records(tmp_path)[0])


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before(tmp_path: Path) -> None:
    weights = []
    for name in ("one", "two"):
        training = trainer(tmp_path / name, Classifier(dropout=0.4))
        torch.rand(len(weights))
        training.fit()
        weights.append(torch.nn.utils.parameters_to_vector(training.task.parameters()))
    other = trainer(tmp_path / "three", Classifier(dropout=0.4), seed=1)
    other.fit()
    assert not torch.equal(weights[0], torch.nn.utils.parameters_to_vector(other.task.parameters()))


def test_the_best_weights_are_kept_and_loaded(tmp_path: Path) -> None:
    task = Scripted([0.1, 0.9, 0.3, 0.4, 0.5])
    result = trainer(tmp_path, task, epochs=5, trainer={"keep": 1}).fit()
    assert (result.best, result.best_step, result.steps) == (0.9, 8, 20)
    assert checkpoints(tmp_path) == [8, 20]
    # Those are the weights of a training that stops there.
    shorter = Scripted([0.1, 0.9])
    trainer(tmp_path / "short", shorter, epochs=2, schedule={"name": "constant"}).fit()
    same = Scripted([0.1, 0.9, 0.3])
    trainer(tmp_path / "long", same, epochs=3, schedule={"name": "constant"}).fit()
    assert torch.equal(shorter.network[0].weight, same.network[0].weight)


def test_a_lost_best_checkpoint_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Loses(Callback):
        def on_log(self, record: dict[str, Any]) -> None:
            if record["step"] == 12 and record["split"] == "val":
                (tmp_path / "checkpoints" / "step-00000008" / "state.json").unlink()

    result = trainer(
        tmp_path, Scripted([0.1, 0.9, 0.3]), callbacks=[Loses()], trainer={"background_saving": False}
    ).fit()
    assert (result.best, result.best_step) == (0.9, 12)
    assert "the best checkpoint, of step 8, is gone" in caplog.text


def test_the_average_is_judged_and_kept(tmp_path: Path) -> None:
    training = trainer(tmp_path, trainer={"ema": 0.9}, epochs=2)
    result = training.fit()
    newest = newest_checkpoint(tmp_path / "checkpoints")
    assert newest is not None
    assert result.best_step == newest.step
    average, own = newest.tensors("ema"), newest.tensors("model")
    held = training.task.state_dict()
    assert all(torch.equal(held[name], average[name]) for name in average)
    assert not torch.equal(own["network.0.weight"], average["network.0.weight"])
    alone = trainer(tmp_path / "alone", val=False, trainer={"ema": 0.9}, epochs=2)
    alone.fit()
    assert torch.equal(alone.task.state_dict()["network.0.weight"], average["network.0.weight"])


def test_early_stopping(tmp_path: Path) -> None:
    task = Scripted([0.5, 0.6, 0.6, float("nan"), 0.9])
    result = trainer(tmp_path, task, epochs=9, trainer={"patience": 2}).fit()
    assert (result.epochs, result.best, result.stopped_early) == (4, 0.6, True)
    again = trainer(tmp_path, Scripted([]), epochs=9, trainer={"patience": 2}).fit(resume=True)
    assert (again.epochs, again.stopped_early) == (4, True)


@pytest.mark.parametrize(
    ("every", "keep", "expected"),
    [(None, 9, [4, 8, 12]), (3, 9, [3, 4, 6, 9, 12]), (5, 9, [4, 5, 10, 12]), (5, 1, [4, 12])],
)
def test_checkpoints(every: int | None, keep: int, expected: list[int], tmp_path: Path) -> None:
    # The first epoch is the best one, the others are not saved for their own sake.
    trainer(tmp_path, Scripted([0.9, 0.1, 0.1]), trainer={"checkpoint_every": every, "keep": keep}).fit()
    assert checkpoints(tmp_path) == expected


def test_sample_weights_choose(tmp_path: Path) -> None:
    data = Streamed(blobs(60))
    weights = (torch.arange(60) < 5).float()
    trainer(tmp_path, train=data, sample_weights=weights, epochs=1).fit()
    assert len(data.read) == 60
    assert set(data.read) <= set(range(5))


def test_augmentation_sees_training_batches_only(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []

    def watch(batch: Batch, generator: torch.Generator) -> Batch:
        seen.append((generator.initial_seed(), torch.is_grad_enabled()))
        return batch

    trainer(tmp_path, augment=watch, epochs=2).fit()
    assert len(seen) == len(set(seen)) == 8
    assert not any(enabled for _, enabled in seen)


def test_wrong_settings(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"trainer.monitor 'f1' is no metric of this task; choose one of accuracy"
    ):
        trainer(tmp_path, trainer={"monitor": "f1"})
    with pytest.raises(ConfigError, match=r"trainer.patience needs a validation split"):
        trainer(tmp_path, val=False, trainer={"patience": 3})
    with pytest.raises(ConfigError, match="no samples"):
        trainer(tmp_path, train=blobs(0))


def test_phases_have_schedules_of_their_own(tmp_path: Path) -> None:
    class TwoTimeScales(Gan):
        """Heusel et al. 2017: the critic learns at a rate of its own, here one that stays."""

        def phases(self) -> list[Phase]:
            critic, generator = super().phases()
            return [replace(critic, schedule=ScheduleConfig(name="constant")), generator]

    trainer(tmp_path, TwoTimeScales(), val=False, epochs=4, trainer={"log_every": 1}).fit()
    written = records(tmp_path)
    assert {line["critic/lr"] for line in written} == {2e-3}
    rates = [line["generator/lr"] for line in written]
    assert max(rates) == pytest.approx(1e-2, rel=0.2)
    assert rates[-1] < 0.2 * max(rates)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["supervised", "gan"])
def test_no_value_is_read_from_the_device_between_log_lines(kind: str) -> None:
    device = torch.device("cuda")
    task = Gan() if kind == "gan" else Classifier(dropout=0.1, norm=True)
    config = settings(trainer={"ema": 0.9, "accumulate": 2}, optimizer={"clip_norm": 1.0})
    engine = Engine(task, config, device, batches=8)
    loader = Loader(blobs(128), device, workers=0, memory_share=0.25)
    batches = list(loader.read(list(torch.arange(128).split(16))))
    engine.train_step(batches[: engine.batches_per_step], 0)  # allocates
    torch.cuda.set_sync_debug_mode("error")
    try:
        engine.train_step(batches[: engine.batches_per_step], 1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
