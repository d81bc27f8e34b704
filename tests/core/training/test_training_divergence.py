"""What happens when a loss is not finite: stop and name the samples, skip the update, or go back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.training.toys import Classifier, Gan, blobs, settings
from fivefold.data.dataset import Batch, TensorDataset
from fivefold.errors import TrainingError
from fivefold.tasks.base import Loss
from fivefold.training.divergence import culprit
from fivefold.training.sampler import Sampler
from fivefold.training.saving.checkpoint import newest_checkpoint
from fivefold.training.trainer import Trainer

SIZE, BATCH = 60, 10


def spoilt(*rows: int) -> TensorDataset:
    data = blobs(SIZE)
    for row in rows:
        data.tensors()["input"][row] = torch.nan
    return data


def trainer(
    directory: Path, policy: str, data: TensorDataset, task: Classifier | Gan | None = None, **values: Any
) -> Trainer:
    torch.manual_seed(5)
    config = settings(
        **{"epochs": 2, "batch_size": BATCH, **values},
        trainer={"non_finite": policy, "log_every": 2, "checkpoint_every": 2, "background_saving": False},
    )
    return Trainer(
        task or Unprepared(norm=True), data, None, config=config, device=torch.device("cpu"), directory=directory,
        progress=False, tensorboard=False,
    )  # fmt: skip


class Unprepared(Classifier):
    """Takes no mean of its data, which a sample that is not finite would spoil for all."""

    def prepare(self, train: object) -> None:
        pass


def step_of(row: int, epoch: int = 0) -> int:
    """The step of ``epoch`` that sees the sample, from 0."""
    batches = Sampler(SIZE, BATCH, seed=0).batches(epoch)
    return next(step for step, batch in enumerate(batches) if row in batch)


def test_the_samples_at_fault_are_named(tmp_path: Path) -> None:
    step = step_of(23) + 1
    with pytest.raises(TrainingError, match=rf"loss is not finite at step {step} .*where 'sample 23' hold"):
        trainer(tmp_path, "stop", spoilt(23)).fit()


def test_where_no_sample_is_odd_the_batch_is_named(tmp_path: Path) -> None:
    class Explodes(Unprepared):
        calls = 0

        def loss(self, batch: Batch, phase: str) -> Loss:
            self.calls += 1
            loss = super().loss(batch, phase)
            return Loss(loss.value * torch.inf, loss.weight) if self.calls == 4 else loss

    members = Sampler(SIZE, BATCH, seed=0).batches(0)[3].tolist()
    listed = ", ".join(f"'sample {row}'" for row in members[:5])
    with pytest.raises(TrainingError, match=rf"at step 4 .*on the samples {listed} and 5 more"):
        trainer(tmp_path, "stop", blobs(SIZE), Explodes()).fit()


def test_skipping_leaves_no_trace_of_the_update(tmp_path: Path) -> None:
    task = Unprepared(norm=True)
    trainer(tmp_path, "skip", spoilt(23), task).fit()
    assert all(torch.isfinite(value).all() for value in task.state_dict().values())
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert all(line["loss"] is not None for line in lines)
    # Only the batches that were taken were counted by the norm.
    assert task.network[1].num_batches_tracked == 2 * SIZE // BATCH - 2


def test_a_phase_is_skipped_alone(tmp_path: Path) -> None:
    task = Gan()
    trainer(tmp_path, "skip", spoilt(23), task).fit()
    assert all(torch.isfinite(value).all() for value in task.state_dict().values())


def test_going_back_leaves_the_step_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = step_of(23, 0), SIZE // BATCH + step_of(23, 1)
    training = trainer(tmp_path, "roll-back", spoilt(23))
    result = training.fit()
    assert result.steps == 2 * SIZE // BATCH
    newest = newest_checkpoint(tmp_path / "checkpoints")
    assert newest is not None
    assert newest.values()["position"]["left_out"] == [first, second]
    assert f"leave out step {first + 1}" in caplog.text
    assert all(torch.isfinite(value).all() for value in training.task.state_dict().values())
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    steps = [line["step"] for line in lines]
    assert steps == sorted(set(steps))


def test_going_back_has_an_end(tmp_path: Path) -> None:
    class Hopeless(Unprepared):
        def loss(self, batch: Batch, phase: str) -> Loss:
            loss = super().loss(batch, phase)
            return Loss(loss.value * torch.nan, loss.weight)

    with pytest.raises(TrainingError, match="the loss is not finite at step"):
        trainer(tmp_path, "roll-back", blobs(SIZE), Hopeless(), epochs=5).fit()


@given(st.integers(0, 50), st.sets(st.integers(0, 50)))
def test_the_culprit_is_a_step_that_is_not_left_out_yet(step: int, left_out: set[int]) -> None:
    found = culprit(step, left_out - {step})
    assert found <= step
    assert found == step if step - 1 not in left_out else found not in left_out or found == 0
