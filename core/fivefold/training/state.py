"""Where a training stands: the part of a checkpoint that is plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fivefold.config import PipelineConfig
from fivefold.errors import CheckpointError

# What may differ between a checkpoint and the training that goes on from it: these change what is kept and
# shown, where and by whom it is computed, or how long it lasts, but not what one step computes.
_FREE = {
    "epochs",
    "evaluation",
    "trainer.activation_checkpointing",
    "trainer.background_saving",
    "trainer.checkpoint_every",
    "trainer.graphs",
    "trainer.keep",
    "trainer.keep_best",
    "trainer.log_every",
    "trainer.memory_share",
    "trainer.non_finite",
    "trainer.offload_optimizer",
    "trainer.parallel",
    "trainer.patience",
    "trainer.probe",
    "trainer.validate_every",
    "trainer.worker_kind",
    "trainer.workers",
}
# Where the number of processes changes, these may change with it, as long as their product stays.
_SHARED = {"batch_size", "trainer.accumulate"}


@dataclass
class Position:
    """How far a training has come.

    Attributes:
        epoch: epochs completed, validation included.
        epoch_step: steps made in the epoch that is under way.
        epoch_samples: samples seen in it, in all processes.
        step: steps made in all.
        samples: training samples seen in all.
        seconds: time spent in all, earlier parts of an interrupted training included.
        log_bytes: length of ``metrics.jsonl``.
        left_out: steps without an update, because their loss was not finite.
    """

    epoch: int = 0
    epoch_step: int = 0
    epoch_samples: int = 0
    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    log_bytes: int = 0
    left_out: list[int] = field(default_factory=list)

    def advance(self, *, samples: int) -> None:
        """A step was made, with ``samples`` training samples."""
        self.epoch_step += 1
        self.epoch_samples += samples
        self.step += 1
        self.samples += samples

    def next_epoch(self) -> None:
        """The epoch is completed."""
        self.epoch += 1
        self.epoch_step = 0
        self.epoch_samples = 0


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes:
        epochs: epochs completed.
        steps: steps made.
        best: best value of the monitored metric; None without a validation split.
        monitor: name of that metric; empty without a validation split.
        best_step: the step whose weights the task now holds.
        seconds: time spent, earlier parts of an interrupted training included.
        samples_per_second: training samples seen over that time, validation and checkpoints included.
        stopped_early: whether patience ran out before the last epoch.
    """

    epochs: int
    steps: int
    best: float | None
    monitor: str
    best_step: int
    seconds: float
    samples_per_second: float
    stopped_early: bool


def check_same_training(
    saved: dict[str, Any], config: PipelineConfig, *, samples: int, processes: int, path: Path
) -> None:
    """Refuse to go on from a checkpoint whose training was another one.

    Args:
        saved: the JSON values of the checkpoint.
        config: the settings to go on with.
        samples: size of the training split to go on with.
        processes: how many train.
        path: the checkpoint, for the message.

    Raises:
        CheckpointError: settings that change the arithmetic differ, or the data's size does.
    """
    before, after = _flat(saved["config"]), _flat(config.model_dump(mode="json"))
    free = _FREE if saved["processes"] == processes else _FREE | _SHARED
    changed = [
        f"{key} was {before.get(key)!r}, is {after.get(key)!r}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key) and key not in free and key.split(".")[0] not in free
    ]
    if changed:
        raise CheckpointError(
            f"{path} is of a training with other settings: {'; '.join(changed)}; "
            "resume with the settings it began with, or train anew in another directory"
        )
    if saved["samples"] != samples:
        raise CheckpointError(
            f"{path} is of a training on {saved['samples']} samples, the training split now has {samples}; "
            "resume with the data it began with, or train anew in another directory"
        )
    _check_samples_an_update(before, after, (saved["processes"], processes), path)


def _check_samples_an_update(
    before: dict[str, Any], after: dict[str, Any], processes: tuple[int, int], path: Path
) -> None:
    was, now = (
        count * settings["batch_size"] * settings["trainer.accumulate"]
        for count, settings in zip(processes, (before, after), strict=True)
    )
    if was != now:
        raise CheckpointError(
            f"{path} is of a training with {was} samples an update in {processes[0]} process(es), "
            f"now it would be {now} in {processes[1]}; "
            "choose --batch-size and --trainer.accumulate so that their product with the processes stays"
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
