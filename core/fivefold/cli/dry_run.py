"""What a training would take, for people and for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from fivefold.cli.output import emit, grid, say

if TYPE_CHECKING:
    from fivefold.workflow.finding import TriedTraining

_MINUTE, _HOUR = 60, 3600  # seconds


def show_dry_run(tried: TriedTraining, *, json: bool) -> None:
    """The tables of a dry run, or its JSON object."""
    from fivefold.finding.dry_run import HOW_ACTIVATIONS  # noqa: PLC0415 - imports torch

    cost = tried.cost
    if json:
        memory = {**asdict(cost.memory), "total": cost.memory.total, "how_activations": HOW_ACTIVATIONS}
        figures = {**asdict(cost), "memory": memory, "total_seconds": cost.total_seconds}
        emit({"samples": tried.samples, **figures})
        return
    _show_network(tried)
    _show_memory(tried)
    _show_time(tried)
    say("Nothing was written; the same command without --dry-run trains.")


def duration(seconds: float) -> str:
    """``3.2 ms``, ``41 s``, ``12 min``, ``2.5 h``."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"


def _show_network(tried: TriedTraining) -> None:
    cost = tried.cost
    rows = [(part.name, part.kind, f"{part.parameters:,}", f"{part.trainable:,}") for part in cost.modules]
    total = ("in all", "", f"{cost.parameters:,}", f"{cost.trainable:,}")
    grid(("network", "kind", "parameters", "trained"), [*rows, total])
    grid(("prediction", "shape for a few samples"), cost.outputs.items())


def _show_memory(tried: TriedTraining) -> None:
    from fivefold.training.watching.memory import in_words  # noqa: PLC0415 - imports torch

    memory = tried.cost.memory
    parts = [
        ("weights", memory.weights),
        ("buffers", memory.buffers),
        ("gradients", memory.gradients),
        ("optimizer state", memory.optimizer),
        ("average of weights", memory.average),
        ("activations of a batch", memory.activations),
        ("data kept on the device", memory.data),
        ("together", memory.total),
    ]
    rows = [(name, in_words(size)) for name, size in parts if size]
    if memory.device_peak is not None:
        rows.append(("most at once, measured on the GPU", in_words(memory.device_peak)))
    grid(("memory", ""), rows)


def _show_time(tried: TriedTraining) -> None:
    cost, samples = tried.cost, tried.samples
    rows = [
        ("device", f"{cost.device}, {cost.precision}"),
        ("samples", ", ".join(f"{name} {count:,}" for name, count in samples.items())),
        ("batch", f"{cost.batch_size} samples, {cost.batches_per_step} a step"),
        ("steps", f"{cost.steps:,}: {cost.epochs} epochs of {cost.steps_per_epoch:,}"),
        ("a step", duration(cost.step_seconds)),
        ("all steps", f"{duration(cost.total_seconds)}, validation and report not counted"),
    ]
    grid(("training", ""), rows)
