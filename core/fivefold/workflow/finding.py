"""What to train with, found by trying on the user's data: learning rate, batch size, cost of a training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from fivefold.config import PipelineConfig
from fivefold.files import write_json
from fivefold.finding.batch_size import find_batch_size
from fivefold.finding.dry_run import DryRun
from fivefold.finding.dry_run import dry_run as try_training
from fivefold.finding.figure import draw_range_test
from fivefold.finding.learning_rate import RangeTest, check_rates, range_test
from fivefold.finding.proposal import RULE, SAFER_RULE
from fivefold.finding.rehearsal import Plan
from fivefold.plugins.registry import Registry, load_registry
from fivefold.plugins.spec import PipelineSpec
from fivefold.runs import new_directory
from fivefold.tasks.base import Task
from fivefold.training.device import choose_device
from fivefold.training.processes.group import ALONE, Processes
from fivefold.training.seeds import seed_everything
from fivefold.workflow.preparing import Prepared, prepare


@dataclass(frozen=True)
class FoundRate:
    """A range test and where it was written.

    Attributes:
        test: the curve and what it speaks for.
        batch_size: samples a batch it was made with; another one asks for another rate.
        points: the JSON file.
        picture: the PNG file.
    """

    test: RangeTest
    batch_size: int
    points: Path
    picture: Path


@dataclass(frozen=True)
class TriedTraining:
    """A dry run on a user's data: what it takes, and the samples in each split."""

    cost: DryRun
    samples: dict[str, int]


def find_learning_rate(
    spec: PipelineSpec,
    source: str,
    config: PipelineConfig | None = None,
    *,
    out: Path | None = None,
    steps: int = 100,
    low: float = 1e-7,
    high: float = 10.0,
    device: str = "auto",
    registry: Registry | None = None,
) -> FoundRate:
    """Test learning rates on the training split of ``source``; see `fivefold.finding.learning_rate`.

    Args:
        spec: the pipeline.
        source: a path, or the name of a dataset.
        config: settings; the pipeline's defaults without.
        out: where ``learning-rate.json`` and ``learning-rate.png`` go, in the place of earlier ones; a new
            directory below ``runs/`` without.
        steps: length of the test.
        low: first learning rate.
        high: last learning rate.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        registry: the plugins; those installed and enabled without.

    Raises:
        FivefoldError: see `range_test`; or the data or settings are wrong.
    """
    check_rates(steps, low, high)
    prepared, plan = _plan(spec, source, config, device, registry)
    test = range_test(plan, steps=steps, low=low, high=high)
    directory = out or new_directory(spec.name, source, "find-lr-")
    found = FoundRate(
        test, plan.config.samples_a_batch, directory / "learning-rate.json", directory / "learning-rate.png"
    )
    write_json(found.points, {"pipeline": spec.name, "data": source, **_document(test, plan, prepared)})
    draw_range_test(test, found.picture)
    return found


def dry_run(
    spec: PipelineSpec,
    source: str,
    config: PipelineConfig | None = None,
    *,
    device: str = "auto",
    registry: Registry | None = None,
) -> TriedTraining:
    """Try the training of ``source`` by a few steps; nothing is written. The data are not searched for leakage.

    Args:
        spec: the pipeline.
        source: a path, or the name of a dataset.
        config: settings; the pipeline's defaults without.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        registry: the plugins; those installed and enabled without.

    Raises:
        FivefoldError: what the training would raise at its beginning.
    """
    prepared, plan = _plan(spec, source, config, device, registry)
    return TriedTraining(try_training(plan), prepared.sizes)


def settle_batch_size(
    prepared: Prepared, task: Task, device: torch.device, processes: Processes = ALONE
) -> PipelineConfig:
    """The settings of ``prepared`` with a number in the place of ``batch_size: auto``.

    Args:
        prepared: the data, and the pipeline with its settings.
        task: what will be trained; stays as it is.
        device: where.
        processes: those that will train together; every one must call this.

    Raises:
        FivefoldError: see `find_batch_size`.
    """
    plan = _plan_of(prepared, task, device)
    if plan.config.batch_size != "auto":
        return plan.config
    return plan.config.model_copy(update={"batch_size": find_batch_size(plan, processes=processes)})


def _plan(
    spec: PipelineSpec,
    source: str,
    config: PipelineConfig | None,
    device: str,
    registry: Registry | None,
) -> tuple[Prepared, Plan]:
    """The data, and the training that would be made on them."""
    registry = registry or load_registry()
    pipeline = registry.pipeline_class(spec.name)(config)
    place = choose_device(device)
    prepared = prepare(pipeline, source, registry, searched=False)
    seed_everything(pipeline.config.seed)
    task = pipeline.task(prepared.facts)
    pipeline.config = settle_batch_size(prepared, task, place)
    return prepared, _plan_of(prepared, task, place)


def _plan_of(prepared: Prepared, task: Task, device: torch.device) -> Plan:
    pipeline = prepared.pipeline
    return Plan(
        task,
        prepared.train,
        prepared.val,
        config=pipeline.config,
        device=device,
        augment=pipeline.augment(prepared.facts),
        sample_weights=pipeline.sample_weights(prepared.train),
    )


def _document(test: RangeTest, plan: Plan, prepared: Prepared) -> dict[str, Any]:
    return {
        "samples": len(prepared.train),
        "batch_size": plan.config.samples_a_batch,
        "seed": plan.config.seed,
        "ended": test.ended,
        "averaged_over": test.width,
        "rules": {"rate": RULE, "safer": SAFER_RULE},
        "proposal": asdict(test.proposal),
        "points": [asdict(point) for point in test.points],
    }
