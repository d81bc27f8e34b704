"""Looks at the validation split every so many steps, instead of at each epoch's end."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from core.training.toys import Classifier
from core.training.trainings import Scripted, checkpoints, records, trainer
from fivefold.errors import ConfigError, Interrupted
from fivefold.training.callback import Callback
from fivefold.training.saving.checkpoint import load_tensors


class Stops(Callback):
    """Sends SIGINT when the losses of a step are logged."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_log(self, record: dict[str, Any]) -> None:
        if (record["split"], record["step"]) == ("train", self.step):
            os.kill(os.getpid(), signal.SIGINT)


def forgetful() -> Classifier:
    """The same weights each time, and dropout, which is off while it is judged."""
    torch.manual_seed(0)
    return Classifier(dropout=0.4)


def validated(directory: Path) -> list[tuple[int, float]]:
    return [(line["step"], line["epoch"]) for line in records(directory) if line["split"] == "val"]


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (None, [4, 8, 12]),
        (3, [3, 6, 9, 12]),
        (4, [4, 8, 12]),
        (5, [5, 10, 12]),
        (99, [12]),
    ],
)
def test_when_it_looks(every: int | None, expected: list[int], tmp_path: Path) -> None:
    trainer(tmp_path, Classifier(), epochs=3, trainer={"validate_every": every}).fit()
    assert validated(tmp_path) == [(step, step / 4) for step in expected]


def test_the_best_step_lies_within_an_epoch(tmp_path: Path) -> None:
    task = Scripted([0.1, 0.9, 0.3, 0.2])
    result = trainer(tmp_path, task, epochs=3, trainer={"validate_every": 3, "keep": 1}).fit()
    assert (result.best, result.best_step, result.steps) == (0.9, 6, 12)
    assert checkpoints(tmp_path) == [6, 12]


def test_looking_changes_nothing_of_what_is_learned(tmp_path: Path) -> None:
    for every in (None, 3):
        kept = {"validate_every": every, "checkpoint_every": 12}
        trainer(tmp_path / str(every), forgetful(), epochs=3, trainer=kept).fit()
    ends = [
        load_tensors(tmp_path / name / "checkpoints/step-00000012/model.safetensors")
        for name in ("None", "3")
    ]
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_patience_counts_looks_and_ends_within_an_epoch(tmp_path: Path) -> None:
    given = {"patience": 2, "validate_every": 3}
    result = trainer(tmp_path, Scripted([0.5, 0.4, 0.4]), epochs=9, trainer=given).fit()
    assert (result.epochs, result.steps, result.best_step, result.stopped_early) == (2, 9, 3, True)
    again = trainer(tmp_path, Scripted([]), epochs=9, trainer=given).fit(resume=True)
    assert (again.steps, again.best_step, again.stopped_early) == (9, 3, True)
    assert validated(tmp_path) == [(3, 0.75), (6, 1.5), (9, 2.25)]


@pytest.mark.parametrize("step", [3, 4, 5])
def test_a_training_stopped_where_it_looks_goes_on_exactly(step: int, tmp_path: Path) -> None:
    given = {"validate_every": 3, "log_every": 1}
    whole = forgetful()
    trainer(tmp_path / "whole", whole, epochs=3, trainer=given).fit()
    stopped = trainer(tmp_path / "cut", forgetful(), callbacks=[Stops(step)], epochs=3, trainer=given)
    with pytest.raises(Interrupted):
        stopped.fit()
    resumed = forgetful()
    trainer(tmp_path / "cut", resumed, epochs=3, trainer=given).fit(resume=True)
    assert validated(tmp_path / "cut") == validated(tmp_path / "whole")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])


def test_it_needs_something_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"trainer.validate_every needs a validation split"):
        trainer(tmp_path, val=False, trainer={"validate_every": 5})
