"""What data are, which pipelines read them, and what is wrong with them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.cli.output import grid, say
from fivefold.cli.session import warn
from fivefold.config import build_config
from fivefold.data.catalog import resolve
from fivefold.data.leakage import Finding, search, search_tables
from fivefold.data.splits import Splits, given_tables
from fivefold.data.table import Problem, Table
from fivefold.errors import DataError, FivefoldError
from fivefold.pipeline import Pipeline
from fivefold.plugins.discovery import isolated
from fivefold.plugins.registry import Registry
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
    error: str = ""


@dataclass(frozen=True)
class Checked:
    """The views of every pipeline that recognised the data."""

    data: str
    path: Path
    readers: tuple[Reader, ...]

    def describe(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "data": self.data,
            "path": self.path,
            "pipelines": [asdict(reader) for reader in self.readers],
        }


def check_data(data: str, registry: Registry) -> Checked:
    """Ask every pipeline about ``data``, a path, a dataset's name or an address.

    Raises:
        DataError: there are no such data, or no pipeline recognises them.
    """
    path, _ = resolve(data, registry.dataset_specs, registry.source_specs)
    readers = tuple(_readers(data, path, registry))
    if not readers:
        asked = ", ".join(sorted(registry.pipelines)) or "none is installed"
        raise DataError(
            f"{path}: no pipeline recognises it (asked: {asked}); "
            "'fivefold <domain> <task> train --help' says what a pipeline reads"
        )
    return Checked(data, path, readers)


def _readers(data: str, path: Path, registry: Registry) -> Iterator[Reader]:
    for name, (spec, owner) in sorted(registry.pipelines.items()):
        what = None
        pipeline: Pipeline | None = None
        with isolated(owner) as outcome:
            kind = load_pipeline(spec)
            pipeline = kind(build_config(kind))
            what = pipeline.recognise(path)
        if outcome.failure is not None:
            warn(f"{name} could not be asked: {outcome.failure.reason}")
        elif pipeline is not None and what is not None:
            command = f"fivefold {spec.domain} {spec.task} train {shlex.quote(data)}"
            yield _read(pipeline, path, Reader(name, what, command))


def _read(pipeline: Pipeline, path: Path, reader: Reader) -> Reader:
    """Go the way of a training up to the leakage search; stop where it would stop."""
    known: dict[str, Any] = {}
    try:
        table = pipeline.read(path)
        known |= {"samples": len(table), "classes": _class_counts(table), "problems": table.problems}
        if len(table) == 0:
            raise DataError(f"{path}: expected samples to train on, found none")
        splits = pipeline.split(table)
        known |= {"splits": _sizes(splits), "how": splits.how}
        known["findings"] = (
            search(splits, pipeline.fingerprints)
            if table.split is None
            else search_tables(given_tables(table), pipeline.fingerprints)
        )
    except FivefoldError as error:
        known["error"] = str(error)
    return Reader(reader.pipeline, reader.what, reader.command, **known)


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
            grid(("class", "samples"), list(reader.classes.items())[:SHOWN])
        _show_wrong(reader)
        if not reader.error:
            say(f"Next: {reader.command}")


def _show_wrong(reader: Reader) -> None:
    for problem in reader.problems[:SHOWN]:
        say(f"Unusable: {problem.sample}: {problem.reason}", style="yellow")
    if len(reader.problems) > SHOWN:
        say(f"... and {len(reader.problems) - SHOWN} more unusable samples (--json lists all)")
    for finding in reader.findings:
        say(f"{'Leakage' if finding.severe else 'Note'}: {finding.text}", style="yellow")
        for pair in finding.examples[:3]:
            say(f"  {pair[0]} and {pair[1]}")
    if reader.error:
        say(f"Wrong: {reader.error}", style="red")
    elif not reader.problems and not reader.findings:
        say("Nothing wrong was found.", style="green")
