"""A short measurement that chooses threads, memory layout and arithmetic on a CPU.

What pays on a CPU depends so much on processor, network and batch that no rule holds: a small network is
slowed down by a second thread, a large one is not. So before a training that is long enough, forward and
backward of a copy of the task are timed on a real batch for about two seconds, all candidates in turn. What
the rules say gives way only to something a tenth faster.

Other choices give other bits. So outcomes are remembered in the cache folder: the same command on the same
machine finds the same answer, however busy the machine is.
"""

from __future__ import annotations

import copy
import logging
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Batch
from fivefold.errors import DataError, StorageError
from fivefold.provenance import processor
from fivefold.tasks.base import Task
from fivefold.training.speed.choices import Choices, choices_by_rule
from fivefold.training.speed.precision import (
    choose_precision,
    has_bfloat16,
    lay_out_channels_last,
    to_channels_last,
    wants_channels_last,
)
from fivefold.training.speed.rehearsal import forward_backward, generators_kept
from fivefold.training.speed.remembered import Remembered

_WORTH = 60.0  # seconds that a training must last to be measured for
_BUDGET = 2.0  # seconds that the measurement may last
_MARGIN = 0.9  # share of the time by rule that another choice may take at most
_TRIAL = 0.01  # seconds of one trial, beside which the start of threads does not count
_FEWEST, _MOST = 3, 15  # trials of a candidate
_HOPELESS = 1.5  # times as slow as the first candidate: no further trial
_CRAWL = 0.5  # seconds that a step on fewer threads may take at worst, to be tried at all

_CPU = torch.device("cpu")

_log = logging.getLogger(__name__)

Switches = dict[str, list[Any]]
"""For each field of `Choices` that is open, the values beside the one by rule."""


def choose(
    task: Task,
    first_batch: Callable[[], Batch],
    config: PipelineConfig,
    device: torch.device,
    *,
    steps: int,
    processes: int = 1,
) -> Choices:
    """What to train with: by rule, or on a CPU by measurement where that is allowed and worth it.

    The task and the global generators stay as they are.

    Args:
        task: prepared, its weights laid out as they were made.
        first_batch: gives a real batch of the training, laid out as it was read; called where it is needed.
        config: the settings; a precision that is not ``auto`` is not touched.
        device: where to train.
        steps: length of the training.
        processes: how many train together; those of several have their threads dealt out already.

    Raises:
        ConfigError: bfloat16 was asked for on a CUDA device that does not have it.
    """
    by_rule = choices_by_rule(task, config.trainer, device)
    if device.type != "cpu" or processes > 1 or not config.trainer.probe:
        return by_rule
    switches = _switches(task, by_rule, config)
    if not switches:
        return by_rule
    batch = first_batch()
    try:
        remembered = Remembered("probe", _question(task, batch, by_rule, switches))
        with generators_kept(_CPU):
            bench = _Bench(task, batch)
            seconds = remembered.recall("seconds", lambda: bench.first_seconds(by_rule))
            if steps * config.trainer.accumulate * seconds < _WORTH:
                return by_rule
            found = remembered.recall("found", lambda: _measure(bench, by_rule, switches, seconds))
    except (DataError, StorageError, OSError) as error:
        _log.info("speed is not measured, because the outcome cannot be remembered: %s", error)
        return by_rule
    _log.info("measured on this CPU: %s (trainer.probe turns it off)", found["figures"])
    return Choices.from_values(found["choices"])


def _switches(task: Task, by_rule: Choices, config: PipelineConfig) -> Switches:
    threads = torch.get_num_threads()
    switches: Switches = {}
    if threads > 1:
        switches["threads"] = sorted({threads // 2, 1})
    if wants_channels_last(task):
        switches["channels_last"] = [not by_rule.channels_last]
    if config.trainer.precision == "auto" and has_bfloat16(_CPU):
        switches["precision"] = ["float32" if by_rule.precision == "bfloat16" else "bfloat16"]
    return switches


def _question(task: Task, batch: Batch, by_rule: Choices, switches: Switches) -> dict[str, Any]:
    """All that the outcome may depend on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "modules": [[name, type(module).__qualname__] for name, module in task.named_modules()],
        "parameters": [
            [name, list(value.shape), value.requires_grad] for name, value in task.named_parameters()
        ],
        "phases": [[phase.name, phase.repeats] for phase in task.phases()],
        "batch": {name: [list(tensor.shape), str(tensor.dtype)] for name, tensor in batch.items()},
        "candidates": [asdict(by_rule), switches],
    }


def _measure(bench: _Bench, by_rule: Choices, switches: Switches, seconds: float) -> dict[str, Any]:
    """Decide one switch after the other, each beside the best choices so far."""
    best, figures = by_rule, []
    budget = _BUDGET / len(switches)
    for field, values in switches.items():
        tried = [value for value in values if field != "threads" or _step_on(value, seconds) <= _CRAWL]
        candidates = [best, *(replace(best, **{field: value}) for value in tried)]
        if not tried or len(candidates) * (_FEWEST + 1) * seconds > budget:
            figures.append(f"{field} as it is, a step of {seconds:.2g} s is too long to compare")
            continue
        medians = bench.race(candidates, budget)
        figures += [f"{_name(field, choices)} {1000 * median:.3g} ms" for choices, median in medians.items()]
        quickest = min(medians, key=medians.__getitem__)
        if medians[quickest] <= _MARGIN * medians[best]:
            best = quickest
    chosen = ", ".join(_name(field, best) for field in switches)
    return {"choices": best.to_values(), "figures": f"{'; '.join(figures)}; chosen: {chosen}"}


def _step_on(threads: int, seconds: float) -> float:
    """Seconds that a step may take at worst on fewer threads."""
    return seconds * torch.get_num_threads() / threads


def _name(field: str, choices: Choices) -> str:
    value = getattr(choices, field)
    return f"{field} {torch.get_num_threads() if value is None else value}"


class _Bench:
    """Times steps of a task, on copies of it: one for each memory layout."""

    def __init__(self, task: Task, batch: Batch) -> None:
        self._task = task
        self._batch = batch
        self._laid_out: dict[bool, tuple[Task, Batch]] = {}

    def first_seconds(self, choices: Choices) -> float:
        """Seconds a step takes; the first one alone where that is long, else the median of three more."""
        first = self._seconds(choices, 1)
        if first > _BUDGET / 4:
            return first
        return statistics.median(self._seconds(choices, 1) for _ in range(3))

    def race(self, candidates: Sequence[Choices], budget: float) -> dict[Choices, float]:
        """Median seconds a step, of each candidate that runs at all; they take turns, the first is the measure.

        Candidates that are far behind the first one are given no further turn.
        """
        standard = candidates[0]
        racing = [choices for choices in candidates if choices == standard or self._runs(choices)]
        seconds: dict[Choices, list[float]] = {choices: [] for choices in racing}
        steps = max(1, round(_TRIAL / self._seconds(standard, 1)))
        deadline = time.perf_counter() + budget
        while len(seconds[standard]) < _MOST:
            for choices in racing:
                seconds[choices].append(self._seconds(choices, steps))
            limit = _HOPELESS * statistics.median(seconds[standard])
            racing = [choices for choices in racing if statistics.median(seconds[choices]) <= limit]
            late = len(seconds[standard]) >= _FEWEST and time.perf_counter() > deadline
            if late or len(racing) == 1:
                break
        return {choices: statistics.median(times) for choices, times in seconds.items()}

    def _runs(self, choices: Choices) -> bool:
        """Whether a step is possible at all: not every kernel knows every arithmetic."""
        try:
            self._seconds(choices, 1)
        except RuntimeError:
            return False
        return True

    def _seconds(self, choices: Choices, steps: int) -> float:
        task, batch = self._in_layout(channels_last=choices.channels_last)
        precision = choose_precision(choices.precision, _CPU, task)
        with choices.apply():
            start = time.perf_counter()
            for _ in range(steps):
                forward_backward(task, batch, precision)
            return (time.perf_counter() - start) / steps

    def _in_layout(self, *, channels_last: bool) -> tuple[Task, Batch]:
        if channels_last not in self._laid_out:
            task, batch = copy.deepcopy(self._task).train(), self._batch
            if channels_last:
                lay_out_channels_last(task)
                batch = to_channels_last(batch)
            self._laid_out[channels_last] = (task, batch)
        return self._laid_out[channels_last]
