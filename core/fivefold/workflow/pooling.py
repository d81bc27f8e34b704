"""Several runs judged as one: the test outputs of all, and the baselines' of all, put together and judged once.

For runs whose test splits are parts of one whole, such as the folds of a walk forward. A mean of their scores would
have no interval that is worth the name; the pooled samples have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.table import Array
from fivefold.errors import RunError
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.judge import judge
from fivefold.evaluation.report import write_report
from fivefold.evaluation.section import Section
from fivefold.plugins.registry import Registry
from fivefold.runs import Run
from fivefold.tasks.base import Outputs, Task
from fivefold.training.device import choose_device
from fivefold.training.inference import predict_outputs
from fivefold.workflow.evaluating import fit_baselines, prepare_again, report_info
from fivefold.workflow.loading import load_task
from fivefold.workflow.preparing import Prepared


@dataclass(frozen=True)
class Part:
    """One run with its outputs on its own test split.

    Attributes:
        run: the run.
        task: trained, in evaluation mode.
        prepared: its data.
        outputs: the task's, on its test split.
        baselines: each baseline's on the same samples, fitted on this run's training split.
    """

    run: Run
    task: Task
    prepared: Prepared
    outputs: Outputs
    baselines: Mapping[str, Outputs]


class PooledSamples(Dataset):
    """The test samples of several runs, one after the other.

    Args:
        parts: the samples of each run, one run or more.
    """

    def __init__(self, parts: Sequence[Dataset]) -> None:
        self.parts = tuple(parts)
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def batch(self, indices: Tensor) -> Batch:
        """The samples at ``indices``, int64 of shape ``(B,)``, whichever runs they are of."""
        part_of = torch.from_numpy(np.searchsorted(self._starts, indices.numpy(), side="right") - 1)
        asked = [(part_of == number).nonzero().flatten() for number in range(len(self.parts))]
        batches = [
            part.batch(indices[places] - int(start))
            for part, start, places in zip(self.parts, self._starts[:-1], asked, strict=True)
            if len(places)
        ]
        order = torch.argsort(torch.cat(asked))
        return {name: torch.cat([batch[name] for batch in batches])[order] for name in batches[0]}

    @property
    def facts(self) -> Facts:
        """Those of the first run."""
        return self.parts[0].facts

    @property
    def ids(self) -> Array:
        """Names of all samples, ``(N,)``."""
        return np.concatenate([part.ids for part in self.parts])

    @property
    def units(self) -> Array | None:
        """Independent units of all samples, ``(N,)``; those of equal name in two runs are one unit."""
        units = [part.units for part in self.parts]
        return (
            None if any(one is None for one in units) else np.concatenate([np.asarray(one) for one in units])
        )


def predict_part(run: Run, registry: Registry, *, device: str = "auto") -> Part:
    """Let ``run`` and its baselines predict the run's own test split.

    Raises:
        RunError: it has no weights, or its data are gone or changed.
    """
    _, task = load_task(run, registry)
    place = choose_device(device)
    prepared = prepare_again(run, registry, strict=False)
    outputs = predict_outputs(task, prepared.test, device=place)
    baselines = fit_baselines(prepared.pipeline, prepared.train, prepared.test)
    return Part(run, task.cpu(), prepared, outputs, baselines)


def judge_pooled(parts: Sequence[Part], *, split: str = "test", notes: Sequence[str] = ()) -> Evaluation:
    """Judge the outputs of all ``parts`` together.

    Metrics that depend on what was learned (a scale, a threshold) are those of the first part, so that one measure
    holds for all samples.

    Args:
        parts: in order, one or more, of the same pipeline.
        split: name of what is judged.
        notes: sentences for the report.

    Raises:
        RunError: a sample stands in two parts.
    """
    first = parts[0]
    samples = PooledSamples([part.prepared.test for part in parts])
    _refuse_repeated(samples, parts)
    pipeline = first.prepared.pipeline
    findings = dict.fromkeys(finding for part in parts for finding in part.prepared.findings)
    return judge(
        task=first.task,
        facts=first.prepared.facts,
        outputs=_together([part.outputs for part in parts]),
        samples=samples,
        split=split,
        baseline_outputs={
            name: _together([part.baselines[name] for part in parts])
            for name in first.baselines
            if all(name in part.baselines for part in parts)
        },
        findings=tuple(findings),
        config=pipeline.config.evaluation,
        seed=pipeline.config.seed,
        notes=notes,
    )


def report_pooled(
    parts: Sequence[Part],
    evaluation: Evaluation,
    directory: Path,
    *,
    how: str,
    own: Callable[[Evaluation], Sequence[Section]] = lambda _: (),
) -> None:
    """Write one report on all ``parts``.

    Args:
        parts: as judged.
        evaluation: of `judge_pooled`.
        directory: where ``report.json`` and ``report.html`` go.
        how: how the splits of all parts came about, in a sentence.
        own: sections that come before the task's.
    """
    last = parts[-1]
    pipeline = last.prepared.pipeline
    problems = tuple(dict.fromkeys(one for part in parts for one in part.prepared.splits.train.problems))
    info: dict[str, Any] = report_info(last.run, problems)
    del info["training"]
    info |= {
        "split_how": how,
        "sizes": {"test": len(evaluation.ids)},
        "seconds": _seconds(parts),
        "curves": [],
        "statement": pipeline.statement,
        "cautions": list(
            dict.fromkeys(text for part in parts for text in pipeline.cautions(part.prepared.facts))
        ),
    }
    sections = [*own(evaluation), *parts[0].task.sections(evaluation, parts[0].prepared.facts)]
    write_report(evaluation, sections, info, directory)


def _seconds(parts: Sequence[Part]) -> float | None:
    found = [part.run.info.get("training", {}).get("seconds") for part in parts]
    return None if None in found else float(sum(found))


def _together(outputs: Sequence[Outputs]) -> Outputs:
    return {
        name: np.concatenate([one[name] for one in outputs])
        for name in outputs[0]
        if all(name in one for one in outputs)
    }


def _refuse_repeated(samples: PooledSamples, parts: Sequence[Part]) -> None:
    names, counts = np.unique(samples.ids.astype(str), return_counts=True)
    if (counts > 1).any():
        raise RunError(
            f"{parts[0].run.path.parent}: expected test splits that share no sample, found '{names[counts > 1][0]}' in "
            "two of them; train all parts with the same data and settings"
        )
