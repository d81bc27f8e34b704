"""Evaluation: a run on its own test split, or on labelled data of the user's, to a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fivefold.config.reading import given_options
from fivefold.data.catalog import resolve
from fivefold.data.dataset import Dataset
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.leakage import Finding, search_tables
from fivefold.data.shown import shown
from fivefold.data.table import Array, Problem, Table
from fivefold.errors import ConfigError, DataError, PluginError, RunError
from fivefold.evaluation.doubts import marked_of_training
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.judge import judge
from fivefold.evaluation.report import write_report
from fivefold.pipeline import Pipeline
from fivefold.plugins.registry import Registry, load_registry
from fivefold.prediction import Source, sample_names
from fivefold.runs import Run
from fivefold.tasks.base import Outputs, Task
from fivefold.training.device import choose_device
from fivefold.training.inference import predict_outputs
from fivefold.workflow.loading import load_task
from fivefold.workflow.preparing import Prepared, prepare, refuse_leakage
from fivefold.workflow.units import units_judged


def evaluate(
    run: Run,
    source: str | None = None,
    *,
    device: str = "auto",
    strict: bool = False,
    reading: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
) -> tuple[Evaluation, Path]:
    """Judge ``run`` on its own test split, or on the labelled data at ``source``.

    The baselines are fitted again on the run's training data, and the data judged are searched for samples of
    them; where the training data are gone, both are left out and the report says so.

    Args:
        run: the trained run.
        source: labelled data; the run's own test split where None.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        strict: refuse data of which a sample stands in the training data.
        reading: settings for a ``source`` that is written otherwise than the training's data, which are read again
            with their own settings.
        registry: the plugins; those installed and enabled without.

    Returns:
        the evaluation, and the directory with ``report.json`` and ``report.html``.

    Raises:
        ConfigError: ``reading`` does not fit, or is given without ``source``.
        RunError: the run has no weights, or ``source`` is not given and the training data are gone or changed.
        DataError: ``source`` cannot be read, or carries a label that the model does not know.
        LeakageError: ``strict`` and a sample stands on both sides.
    """
    registry = registry or load_registry()
    if reading and source is None:
        raise ConfigError(
            f"{given_options(reading)}: expected DATA to read so, found none; name them, or leave it away, as the data "
            "of the training are read as in training"
        )
    pipeline, task = load_task(run, registry, reading)
    place = choose_device(device)
    task.to(place)
    if source is None:
        prepared = prepare_again(run, registry, strict=strict)
        return judge_run(run, task, prepared, place), run.path
    return _judge_new(run, pipeline, task, source, place, registry, strict=strict)


def judge_run(run: Run, task: Task, prepared: Prepared, device: torch.device) -> Evaluation:
    """Judge ``task`` on the test split of ``prepared`` and write the report into the run."""
    baselines = fit_baselines(prepared.pipeline, prepared.train, prepared.test)
    read = prepared.splits.train
    return _judge_and_report(
        run, prepared.pipeline, task, prepared.test, prepared.exact, device, baselines, prepared.findings,
        "test", run.path, problems=read.problems, notes=read.notes,
    )  # fmt: skip


def fit_baselines(pipeline: Pipeline, train: Dataset, judged: Dataset) -> dict[str, Outputs]:
    """Fit each baseline of the pipeline on ``train`` and let it predict ``judged``."""
    outputs: dict[str, Outputs] = {}
    for baseline in pipeline.baselines(train.facts):
        if baseline.name in outputs:
            raise PluginError(
                f"{type(pipeline).__name__} names two baselines '{baseline.name}'; give each its own name"
            )
        baseline.fit(train)
        outputs[baseline.name] = baseline.predict(judged)
    return outputs


def _judge_new(
    run: Run,
    pipeline: Pipeline,
    task: Task,
    source: str,
    device: torch.device,
    registry: Registry,
    *,
    strict: bool,
) -> tuple[Evaluation, Path]:
    path, dataset = resolve(source, registry.dataset_specs, registry.source_specs)
    table = pipeline.read(path)
    if table.classes and "classes" in run.facts:
        _refuse_unknown_labels(table, run.facts["classes"], path)
        table = table.recode(run.facts["classes"])
    if len(table) == 0:
        raise DataError(f"{path}: expected labelled samples to judge the run on, found none")
    judged, prints = pipeline.samples(table), pipeline.fingerprints(table)
    given = given_options(pipeline.reading)
    notes = (*table.notes, *([f"Read with {given}, and otherwise as in training."] if given else []))
    baselines: dict[str, Outputs] = {}
    findings: tuple[Finding, ...] = ()
    searched = True
    try:
        prepared = prepare_again(run, registry, strict=False)
    except (DataError, RunError) as error:
        searched = False
        notes = (
            *notes,
            f"Without baselines and leakage search, because the training data could not be read again: {error}",
        )
    else:
        baselines = fit_baselines(prepared.pipeline, prepared.train, judged)
        findings = _search_judged(prepared, table, prints, pipeline)
        if strict:
            refuse_leakage(findings, source)
    name = path.stem if dataset is None else dataset.name
    directory = run.path / "evaluations" / (name or "data")
    evaluation = _judge_and_report(
        run,
        pipeline,
        task,
        judged,
        prints.exact,
        device,
        baselines,
        findings,
        source,
        directory,
        problems=table.problems,
        notes=notes,
        searched=searched,
    )
    return evaluation, directory


def _search_judged(
    prepared: Prepared, judged: Table, prints: Fingerprints, pipeline: Pipeline
) -> tuple[Finding, ...]:
    """What the data judged share with the run's training and validation data, and what repeats within them.

    What these two share with each other concerns none of the scores.
    """
    splits = prepared.splits
    tables = {"train": splits.train, "val": splits.val, "judged": judged}
    found = search_tables(tables, lambda rows: prints if rows is judged else pipeline.fingerprints(rows))
    return tuple(one for one in found if "judged" in one.splits)


def _refuse_unknown_labels(table: Table, known: Sequence[str], path: Path) -> None:
    """Refuse samples of classes that the model has never seen.

    Raises:
        DataError: there are some; says how many, and names a few of their labels.
    """
    if table.label is None:
        return
    unknown = [code for code, name in enumerate(table.classes) if name not in known]
    rows = np.flatnonzero(np.isin(table[table.label], unknown))
    if not len(rows):
        return
    (first,) = sample_names(Source(str(path), path), [str(table.ids[rows[0]])])
    where = first if first.startswith(str(path)) else f"{path}, {first}"
    labels = [f"'{table.classes[code]}'" for code in np.unique(table[table.label][rows])]
    knows = f"the model knows {', '.join(known)}"
    many = f"{len(rows):,} of {len(table):,} samples"
    if len(labels) == 1:
        raise DataError(f"{where}: unknown label {labels[0]}; {knows}; {many} carry it, so leave them out")
    raise DataError(
        f"{path}: {len(labels):,} unknown labels on {many}, {shown(labels, most=5)} (first: {where}); {knows}; leave "
        "such samples out, or call their classes as in training"
    )


def prepare_again(run: Run, registry: Registry, *, strict: bool) -> Prepared:
    """The data of the run, read anew and checked to be the same."""
    source = run.info["data"]["source"]
    prepared = prepare(registry.pipeline_of(run), source, registry, strict=strict)
    if prepared.fingerprint != run.info["data"]["fingerprint"]:
        raise RunError(
            f"{source}: expected the data that {run.path} was trained on, found that they have changed since"
        )
    return prepared


def _judge_and_report(
    run: Run,
    pipeline: Pipeline,
    task: Task,
    judged: Dataset,
    exact: Array | None,
    device: torch.device,
    baselines: dict[str, Outputs],
    findings: tuple[Finding, ...],
    split: str,
    directory: Path,
    *,
    problems: tuple[Problem, ...] = (),
    notes: tuple[str, ...] = (),
    searched: bool = True,
) -> Evaluation:
    evaluation = judge(
        task=task,
        facts=pipeline.facts or judged.facts,
        outputs=predict_outputs(task, judged, device=device),
        samples=judged,
        split=split,
        baseline_outputs=baselines,
        findings=findings,
        config=pipeline.config.evaluation,
        seed=pipeline.config.seed,
        units=units_judged(judged, exact),
        notes=notes,
    )
    evaluation = replace(evaluation, run=run.path)
    sections = [*task.sections(evaluation, evaluation.facts), *pipeline.sections(evaluation)]
    elsewhere = directory != run.path
    cautions = pipeline.cautions(evaluation.facts)
    info = report_info(run, problems) | {
        "leakage_searched": searched,
        "statement": pipeline.statement,
        "cautions": marked_of_training(cautions, evaluation.facts, notes) if elsewhere else list(cautions),
        "judged_elsewhere": elsewhere,
    }
    write_report(evaluation, sections, info, directory)
    return evaluation


def report_info(run: Run, problems: tuple[Problem, ...]) -> dict[str, Any]:
    """What the report tells of the run beside the judgement."""
    data = run.info["data"]
    return {
        **{key: run.info[key] for key in ("pipeline", "versions", "seed", "device", "hardware", "command")},
        "started": run.info["created"],
        "seconds": run.info.get("training", {}).get("seconds"),
        "training": run.info.get("training", {}),
        "data": data["source"],
        "split_how": data["split"],
        "sizes": data["sizes"],
        "licence": data.get("licence"),
        "citation": data.get("citation"),
        "config": run.config,
        "curves": run.records,
        "problems": [vars(problem) for problem in problems],
    }
