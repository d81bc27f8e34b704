"""A training that is killed or stopped, and resumed, ends where an uninterrupted one ends, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from core.training.toys import Classifier, Gan, Streamed, blobs, jitter, settings
from fivefold.data.dataset import Batch
from fivefold.errors import CheckpointError, Interrupted, TrainingError
from fivefold.tasks.base import Loss, Task
from fivefold.training.callback import Callback
from fivefold.training.saving.checkpoint import load_tensors, newest_checkpoint
from fivefold.training.sources import Augment
from fivefold.training.trainer import Trainer
from fivefold.training.watching.records import VARYING

HERE = Path(__file__).parent
CPU = torch.device("cpu")


def records(directory: Path) -> list[dict[str, Any]]:
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in VARYING} for line in lines]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the processes that it kills")
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("kind", ["supervised", "gan"])
def test_killed_at_random_moments(kind: str, processes: int, tmp_path: Path) -> None:
    # In saving, in judging and anywhere: five kills each of the four cases.
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / "killing.py", kind, str(processes), tmp_path, "1", "5"],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sum(told["killed"].values()) == 5
    whole = load_tensors(tmp_path / "whole" / "final.safetensors")
    for number in range(1, told["trainings"] + 1):
        folder = tmp_path / f"killed-{number}"
        killed = load_tensors(folder / "final.safetensors")
        assert whole.keys() == killed.keys()
        assert [name for name in whole if not torch.equal(whole[name], killed[name])] == []
        assert records(tmp_path / "whole") == records(folder)
        assert not list((folder / "checkpoints").glob(".*"))


class Signal(Callback):
    """Sends a signal when the record of a step comes."""

    def __init__(self, step: int, split: str = "train", number: signal.Signals = signal.SIGINT) -> None:
        self.step, self.split, self.number = step, split, number

    def on_log(self, record: dict[str, Any]) -> None:
        if (record["step"], record["split"]) == (self.step, self.split):
            os.kill(os.getpid(), self.number)


def train(
    directory: Path,
    *callbacks: Callback,
    resume: bool = False,
    gan: bool = False,
    augment: Augment = jitter,
    **values: Any,
) -> Trainer:
    torch.manual_seed(5)
    trainer = {"log_every": 1, "accumulate": 2, "ema": 0.8, **values.pop("trainer", {})}
    return Trainer(
        Gan() if gan else Classifier(dropout=0.3, norm=True),
        blobs(70),
        None if gan else blobs(30, seed=1),
        config=settings(trainer=trainer, **values),
        device=CPU,
        directory=directory,
        augment=None if gan else augment,
        callbacks=callbacks,
        progress=False,
        tensorboard=False,
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trainer]:
    directory = tmp_path_factory.mktemp("uninterrupted")
    training = train(directory)
    training.fit()
    return directory, training


# 3 steps an epoch: in the middle of one, at its last step, and while its validation is written down.
@pytest.mark.parametrize(
    ("step", "split"), [(2, "train"), (3, "train"), (5, "train"), (3, "val"), (6, "val")]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal(
    step: int, split: str, number: signal.Signals, tmp_path: Path, uninterrupted: tuple[Path, Trainer]
) -> None:
    with pytest.raises(
        Interrupted, match=rf"stopped by {number.name} at step {step} of 9, saved in .* --resume"
    ):
        train(tmp_path, Signal(step, split, number)).fit()
    found = newest_checkpoint(tmp_path / "checkpoints")
    assert found is not None
    assert found.step == step
    resumed = train(tmp_path)
    result = resumed.fit(resume=True)
    directory, whole = uninterrupted
    for name, value in whole.task.state_dict().items():
        assert torch.equal(value, resumed.task.state_dict()[name]), name
    assert records(tmp_path) == records(directory)
    assert result.steps == 9


def test_a_signal_in_the_last_validation_lets_it_finish(tmp_path: Path) -> None:
    assert train(tmp_path, Signal(9, "val")).fit().epochs == 3


def test_stopped_between_log_lines(tmp_path: Path) -> None:
    # What was gathered since the last line must come back, so that the next line is the same.
    def stopping(batch: Batch, generator: torch.Generator) -> Batch:
        calls.append(len(batch))
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return jitter(batch, generator)

    calls: list[int] = []
    train(tmp_path / "whole", trainer={"log_every": 7}).fit()
    with pytest.raises(Interrupted, match="at step 2 of 9"):
        train(tmp_path / "cut", trainer={"log_every": 7}, augment=stopping).fit()
    train(tmp_path / "cut", trainer={"log_every": 7}).fit(resume=True)
    assert records(tmp_path / "cut") == records(tmp_path / "whole")


def test_resuming_a_finished_training_gives_its_best_weights(uninterrupted: tuple[Path, Trainer]) -> None:
    directory, whole = uninterrupted
    before = records(directory)
    again = train(directory)
    result = again.fit(resume=True)
    assert (result.epochs, result.steps) == (3, 9)
    assert all(torch.equal(v, again.task.state_dict()[k]) for k, v in whole.task.state_dict().items())
    assert records(directory) == before


def test_more_epochs_extend_a_finished_training(tmp_path: Path) -> None:
    assert train(tmp_path, epochs=2).fit().steps == 6
    result = train(tmp_path, epochs=4).fit(resume=True)
    assert (result.epochs, result.steps) == (4, 12)
    assert [line["step"] for line in records(tmp_path) if line["split"] == "val"] == [3, 6, 9, 12]


def test_without_a_checkpoint_it_starts_anew_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"left": "over"}\n')
    train(tmp_path, epochs=1).fit(resume=True)
    assert "no complete checkpoint to resume from; the training starts anew" in caplog.text
    assert records(tmp_path)[0]["step"] == 1


def test_a_corrupt_newest_checkpoint_falls_back(
    tmp_path: Path, uninterrupted: tuple[Path, Trainer], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Interrupted):
        train(tmp_path, Signal(5)).fit()
    newest = tmp_path / "checkpoints" / "step-00000005" / "model.safetensors"
    newest.write_bytes(newest.read_bytes()[:-7])
    resumed = train(tmp_path)
    resumed.fit(resume=True)
    assert "passed over" in caplog.text
    assert all(
        torch.equal(v, resumed.task.state_dict()[k]) for k, v in uninterrupted[1].task.state_dict().items()
    )
    assert records(tmp_path) == records(uninterrupted[0])


def test_a_training_is_not_overwritten(uninterrupted: tuple[Path, Trainer]) -> None:
    with pytest.raises(
        TrainingError, match=r"holds a training already, saved at step 9; go on with it by --resume"
    ):
        train(uninterrupted[0]).fit()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 8}, "batch_size was 16, is 8"),
        ({"seed": 3}, "seed was 0, is 3"),
        ({"trainer": {"ema": 0.9}}, "trainer.ema was 0.8, is 0.9"),
        ({"optimizer": {"lr": 0.5}}, "optimizer.lr was 0.01, is 0.5"),
    ],
)
def test_other_settings_are_refused(
    changes: dict[str, Any], message: str, uninterrupted: tuple[Path, Trainer]
) -> None:
    with pytest.raises(CheckpointError, match=rf"of a training with other settings: {message}; resume with"):
        train(uninterrupted[0], **changes).fit(resume=True)


def test_settings_that_do_not_change_the_arithmetic_may_differ(tmp_path: Path) -> None:
    train(tmp_path, epochs=1).fit()
    free = {"log_every": 5, "keep": 4, "workers": 0, "patience": 2, "checkpoint_every": 2}
    assert train(tmp_path, epochs=2, trainer=free).fit(resume=True).epochs == 2


def test_another_model_is_refused(tmp_path: Path) -> None:
    train(tmp_path, epochs=1).fit()
    other = train(tmp_path, epochs=2)
    other.task.network[0] = torch.nn.Linear(4, 16, bias=False)  # type: ignore[union-attr, operator]  # a module's attribute, as far as types tell
    other.task.extra = torch.nn.Linear(2, 2)
    message = (
        r"does not fit the model Classifier: extra.weight is missing; .*network.0.bias is not the model's"
    )
    with pytest.raises(CheckpointError, match=message):
        other.fit(resume=True)


def test_another_shape_is_refused(tmp_path: Path) -> None:
    train(tmp_path, epochs=1).fit()
    other = train(tmp_path, epochs=2)
    other.task.network[4] = nn.Linear(16, 5)
    with pytest.raises(CheckpointError, match=r"network.4.weight has shape \(3, 16\), expected \(5, 16\)"):
        other.fit(resume=True)


def test_a_buffer_of_another_shape_is_refused_unless_the_task_takes_it(tmp_path: Path) -> None:
    train(tmp_path, epochs=1).fit()
    other = train(tmp_path, epochs=2)
    other.task.mean = torch.zeros(5)
    with pytest.raises(CheckpointError, match=r"does not fit the model Classifier: .*mismatch for mean"):
        other.fit(resume=True)

    class Pliable(Classifier):
        def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
            self.mean = torch.zeros_like(state[f"{prefix}mean"])
            super()._load_from_state_dict(state, prefix, *rest)

    again = train(tmp_path, epochs=2)
    again.task = Pliable(dropout=0.3, norm=True)
    again.task.mean = torch.zeros(5)
    assert again.fit(resume=True).epochs == 2


def test_other_data_are_refused(tmp_path: Path) -> None:
    train(tmp_path, epochs=1).fit()
    other = train(tmp_path, epochs=2)
    grown = Trainer(
        other.task, blobs(71), None, config=other.config, device=CPU, directory=tmp_path, progress=False
    )
    with pytest.raises(CheckpointError, match=r"on 70 samples, the training split now has 71"):
        grown.fit(resume=True)


def test_gan_stopped_by_a_signal(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", gan=True, trainer={"ema": None})
    whole.fit()
    with pytest.raises(Interrupted):
        train(tmp_path / "cut", Signal(3), gan=True, trainer={"ema": None}).fit()
    resumed = train(tmp_path / "cut", gan=True, trainer={"ema": None})
    resumed.fit(resume=True)
    assert all(torch.equal(v, resumed.task.state_dict()[k]) for k, v in whole.task.state_dict().items())
    assert records(tmp_path / "cut") == records(tmp_path / "whole")


def test_streamed_data_resume_where_they_stopped(tmp_path: Path) -> None:
    torch.manual_seed(5)
    data = Streamed(blobs(64))
    config = settings(epochs=1, trainer={"log_every": 1, "workers": 1})
    shared: dict[str, Any] = {"config": config, "device": CPU, "directory": tmp_path, "progress": False}
    with pytest.raises(Interrupted):
        Trainer(Classifier(), data, None, callbacks=[Signal(2)], **shared).fit()
    data.read.clear()
    Trainer(Classifier(), data, None, **shared).fit(resume=True)
    assert len(data.read) == 32  # nothing was read again


def test_convolutions_in_channels_last_resume_bit_for_bit(tmp_path: Path) -> None:
    def build(directory: Path, *callbacks: Callback) -> Trainer:
        torch.manual_seed(5)
        data = blobs(40)
        data.tensors()["input"] = torch.rand(40, 3, 6, 6, generator=torch.Generator().manual_seed(0))
        config = settings(trainer={"log_every": 1, "precision": "bfloat16", "ema": 0.5})
        shared: dict[str, Any] = {
            "device": CPU,
            "directory": directory,
            "progress": False,
            "tensorboard": False,
        }
        return Trainer(Images(), data, None, config=config, callbacks=callbacks, **shared)

    whole, resumed = build(tmp_path / "whole"), build(tmp_path / "cut")
    whole.fit()
    with pytest.raises(Interrupted):
        build(tmp_path / "cut", Signal(4)).fit()
    resumed.fit(resume=True)
    assert whole.task.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(v, resumed.task.state_dict()[k]) for k, v in whole.task.state_dict().items())
    assert whole.task.conv.weight.dtype is torch.float32


class Images(Task):
    """A small convolutional network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.out = nn.Linear(8, 3)

    def loss(self, batch: Batch, phase: str) -> Loss:
        if not batch["input"].is_contiguous(memory_format=torch.channels_last):
            raise ValueError("expected channels last")
        logits = self.out(F.relu(self.norm(self.conv(batch["input"]))).mean((2, 3)))
        return Loss(F.cross_entropy(logits, batch["target"]), len(logits))


def test_a_resumed_training_takes_as_many_threads_as_it_began_with(tmp_path: Path) -> None:
    class Counts(Callback):
        def on_log(self, record: dict[str, Any]) -> None:
            threads.add(torch.get_num_threads())

    threads: set[int] = set()
    with pytest.raises(Interrupted):
        train(tmp_path, Signal(3), Counts()).fit()
    torch.set_num_threads(2)
    train(tmp_path, Counts()).fit(resume=True)
    assert threads == {1}
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
