"""What data are, which pipelines read them, and what is wrong with them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.cli.misses import Miss, nearest_first, why_not
from fivefold.cli.output import grid, say
from fivefold.cli.session import warn
from fivefold.config import PipelineConfig, build_config
from fivefold.data.catalog import resolve
from fivefold.data.leakage import Finding, search, search_tables
from fivefold.data.splits import Splits, given_tables
from fivefold.data.table import Problem, Table
from fivefold.errors import DataError, FivefoldError
from fivefold.evaluation.bootstrap import few_units
from fivefold.pipeline import Pipeline
from fivefold.plugins.discovery import isolated
from fivefold.plugins.registry import Registry
from fivefold.plugins.spec import PipelineSpec
from fivefold.plugins.targets import load_pipeline

SHOWN = 10
"""Unreadable samples and classes that are listed one by one; --json has all."""


@dataclass(frozen=True)
class Reader:
    """One pipeline's view of the data.

    Attributes:
        pipeline: its name.
        what: what it takes the data for.
        command: what to type next.
        samples: how many it read.
        classes: class to number of samples.
        splits: split to number of samples; ``how`` says how they came about.
        problems: samples that cannot be used.
        findings: what the leakage search found.
        notes: what a training would tell, and its report say at its top.
        error: why the data cannot be trained on, or empty.
    """

    pipeline: str
    what: str
    command: str
    samples: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    how: str = ""
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Checked:
    """The views of every pipeline that recognised the data, and why the others did not, the nearest first."""

    data: str
    path: Path
    readers: tuple[Reader, ...]
    misses: tuple[Miss, ...] = ()

    def describe(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "data": self.data,
            "path": self.path,
            "pipelines": [asdict(reader) for reader in self.readers],
        }


def check_data(data: str, registry: Registry) -> Checked:
    """Ask every pipeline about ``data``, a path, a dataset's name or an address.

    Where none recognises them, each is asked why not.

    Raises:
        DataError: there are no such data.
    """
    path, _ = resolve(data, registry.dataset_specs, registry.source_specs)
    asked = list(_asked(path, registry))
    readers = tuple(
        _read(pipeline, path, Reader(spec.name, what, _train(spec, data)))
        for spec, pipeline, what in asked
        if what is not None
    )
    if readers:
        return Checked(data, path, readers)
    misses = [Miss(spec.name, why_not(pipeline, path)) for spec, pipeline, _ in asked]
    return Checked(data, path, (), nearest_first(misses, path))


def check_with(
    data: str, spec: PipelineSpec, config: PipelineConfig, words: str, registry: Registry
) -> Checked:
    """Let one pipeline read ``data``, with settings; whether it would recognise them by itself does not matter.

    Args:
        data: a path, a dataset's name or an address.
        spec: the pipeline.
        config: its settings.
        words: the options typed, for the command to go on with.
        registry: the plugins.

    Raises:
        DataError: there are no such data.
    """
    path, _ = resolve(data, registry.dataset_specs, registry.source_specs)
    pipeline = registry.pipeline_class(spec.name)(config)
    try:
        what = pipeline.recognise(path)
    except FivefoldError:
        what = None  # reading says it, too
    command = f"{_train(spec, data)} {words}".rstrip()
    reader = Reader(spec.name, what or f"read as {spec.name} was told to", command)
    return Checked(data, path, (_read(pipeline, path, reader),))


def _train(spec: PipelineSpec, data: str) -> str:
    return f"fivefold {spec.domain} {spec.task} train {shlex.quote(data)}"


def _asked(path: Path, registry: Registry) -> Iterator[tuple[PipelineSpec, Pipeline, str | None]]:
    """Each pipeline that can be asked, and what it takes the data for."""
    for name, (spec, owner) in sorted(registry.pipelines.items()):
        what = None
        pipeline: Pipeline | None = None
        with isolated(owner) as outcome:
            kind = load_pipeline(spec)
            pipeline = kind(build_config(kind))
            what = pipeline.recognise(path)
        if outcome.failure is not None:
            warn(f"{name} could not be asked: {outcome.failure.reason}")
        elif pipeline is not None:
            yield spec, pipeline, what


def _read(pipeline: Pipeline, path: Path, reader: Reader) -> Reader:
    """Go the way of a training up to its samples; stop where it would stop."""
    known: dict[str, Any] = {}
    try:
        table = pipeline.read(path)
        known |= {"samples": len(table), "classes": _class_counts(table), "problems": table.problems}
        known["notes"] = table.notes
        if len(table) == 0:
            raise DataError(f"{path}: expected samples to train on, found none")
        folds = pipeline.config.folds
        splits = pipeline.split(table) if folds is None else pipeline.fold(table, folds)
        known |= {"splits": _sizes(splits), "how": splits.how}
        known["findings"] = (
            search(splits, pipeline.fingerprints)
            if table.split is None
            else search_tables(given_tables(table), pipeline.fingerprints)
        )
        known["notes"] = _notes(pipeline, splits)
    except FivefoldError as error:
        known["error"] = str(error)
    return replace(reader, **known)


def _notes(pipeline: Pipeline, splits: Splits) -> tuple[str, ...]:
    """What a report on these data would say first, and what of its notes the data alone tell."""
    try:
        train = pipeline.samples(splits.train)
        pipeline.facts = train.facts
        pipeline.samples(splits.val)
        test = pipeline.samples(splits.test)
    except FivefoldError as error:
        # The data can be read and split: it is the settings, such as a batch's size, that do not suit them.
        return (*splits.train.notes, f"With these settings a training would stop: {error}")
    told = (*splits.train.notes, *pipeline.cautions(train.facts), *few_units(len(test), test.units))
    return tuple(dict.fromkeys(told))


def _sizes(splits: Splits) -> dict[str, int]:
    return {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}


def _class_counts(table: Table) -> dict[str, int]:
    if table.label is None or not table.classes:
        return {}
    codes = np.asarray(table[table.label])
    return {name: int((codes == code).sum()) for code, name in enumerate(table.classes)}


def show_check(checked: Checked) -> None:
    """The views, for people."""
    for reader in checked.readers:
        say(f"{checked.data}: {reader.what}", style="bold")
        say(f"Read by {reader.pipeline}: {reader.samples} samples")
        if reader.how:
            say(reader.how)
        if reader.classes:
            _show_classes(reader.classes)
        _show_wrong(reader, checked.data)
        if not reader.error:
            say(f"Next: {reader.command}")


def _show_classes(classes: dict[str, int]) -> None:
    """All classes where they are few, else the largest and the smallest, which are those to look at."""
    rows = sorted(classes.items(), key=lambda one: -one[1])
    if len(rows) <= SHOWN:
        grid(("class", "samples"), classes.items())
        return
    half = SHOWN // 2
    grid(("class", "samples"), [*rows[:half], ("...", ""), *rows[-half:]])
    say(f"{half} largest and {half} smallest of {len(rows)} classes (--json lists all)")


def _show_wrong(reader: Reader, data: str) -> None:
    for problem in reader.problems[:SHOWN]:
        say(f"Unusable: {problem.sample}: {problem.reason}", style="yellow")
    if len(reader.problems) > SHOWN:
        say(f"... and {len(reader.problems) - SHOWN} more unusable samples (--json lists all)")
    for note in reader.notes:
        say(f"Note: {note}", style="yellow")
    for finding in reader.findings:
        say(f"{'Leakage' if finding.severe else 'Note'}: {finding.text}", style="yellow")
        for pair in finding.examples[:3]:
            say(f"  {pair[0]} and {pair[1]}")
    if reader.error:
        say(f"Wrong: {reader.error}", style="red")
        say(
            f"Settings that this names are options of: fivefold data check {shlex.quote(data)} "
            f"--pipeline {reader.pipeline}"
        )
    elif not reader.problems and not reader.findings and not reader.notes:
        say("Nothing wrong was found.", style="green")
