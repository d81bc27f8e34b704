"""What a training says of failures, and what it leaves to go on from."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import torch

from core.training.toys import Classifier, Streamed, blobs
from core.training.trainings import Recorder, checkpoints, trainer
from fivefold.data.dataset import Batch
from fivefold.errors import DataError, TrainingError
from fivefold.tasks.base import Loss
from fivefold.training.watching.reporter import Reporter


def test_a_loss_that_is_not_finite(tmp_path: Path) -> None:
    class Explodes(Classifier):
        calls = 0

        def loss(self, batch: Batch, phase: str) -> Loss:
            self.calls += 1
            loss = super().loss(batch, phase)
            return Loss(loss.value * torch.inf, loss.weight) if self.calls == 6 else loss

    message = (
        r"not finite at step 6 \(learning rate .*the last good one is of step 4\), .*lower --optimizer.lr"
    )
    with pytest.raises(TrainingError, match=message):
        trainer(tmp_path, Explodes(), trainer={"checkpoint_every": 7, "log_every": 100}).fit()
    assert checkpoints(tmp_path) == [4]


def test_a_failure_waits_for_the_checkpoint_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records stay open until it stands: it is the one to go on from."""
    failed = threading.Event()
    sync = Reporter.sync

    def late(reporter: Reporter) -> None:
        failed.wait(10)
        time.sleep(0.2)  # long enough for the training to be over, were it not to wait
        sync(reporter)

    class Explodes(Classifier):
        calls = 0

        def loss(self, batch: Batch, phase: str) -> Loss:
            self.calls += 1
            loss = super().loss(batch, phase)
            if self.calls < 6:
                return loss
            failed.set()
            return Loss(loss.value * torch.inf, loss.weight)

    monkeypatch.setattr(Reporter, "sync", late)
    with pytest.raises(TrainingError, match="the last good one is of step 4"):
        trainer(tmp_path, Explodes(), trainer={"checkpoint_every": 7, "log_every": 100}).fit()
    assert checkpoints(tmp_path) == [4]


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    class Breaks(Classifier):
        def loss(self, batch: Batch, phase: str) -> Loss:
            loss = super().loss(batch, phase)
            endless = self.network[0].weight.sum() * 0  # its gradient is infinite, its value is not
            endless.register_hook(lambda gradient: gradient * torch.inf)
            return Loss(loss.value + endless, loss.weight)

    with pytest.raises(
        TrainingError, match=r"the weights are not finite after step 1 .*none was saved before"
    ):
        trainer(tmp_path, Breaks(), trainer={"checkpoint_every": 1}).fit()
    assert not (tmp_path / "checkpoints").exists()


def test_memory_running_out_is_explained(tmp_path: Path) -> None:
    class Greedy(Classifier):
        def loss(self, batch: Batch, phase: str) -> Loss:
            torch.empty(2**50)
            return super().loss(batch, phase)

    with pytest.raises(TrainingError, match=r"too small for batches of 16; try --batch-size 8"):
        trainer(tmp_path, Greedy()).fit()

    class Device(Classifier):
        def loss(self, batch: Batch, phase: str) -> Loss:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(TrainingError, match="try --batch-size 8"):
        trainer(tmp_path, Device()).fit()


def test_other_errors_pass_through(tmp_path: Path) -> None:
    class Wrong(Classifier):
        def loss(self, batch: Batch, phase: str) -> Loss:
            raise RuntimeError("shapes cannot be multiplied")

    heard = Recorder()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trainer(tmp_path, Wrong(), callbacks=[heard]).fit()
    assert heard.calls[-1] == ("end", {"status": "failed", "step": 0})


def test_a_sample_that_cannot_be_read(tmp_path: Path) -> None:
    data = Streamed(blobs(60), broken={7: OSError("bad sector")})
    with pytest.raises(DataError, match="could not be read: OSError: bad sector"):
        trainer(tmp_path, train=data).fit()
