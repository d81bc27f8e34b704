"""From a path or name to the samples of three splits, searched for leakage."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fivefold.data.catalog import resolve
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.leakage import Finding, search
from fivefold.data.splits import Splits
from fivefold.data.table import Array
from fivefold.errors import DataError, LeakageError
from fivefold.pipeline import Pipeline
from fivefold.plugins.registry import Registry


@dataclass(frozen=True)
class Prepared:
    """Data on their way into a training.

    Attributes:
        pipeline: the pipeline that read them; it holds the facts of the training split from here on.
        path: where they lie.
        name: how the user called them.
        splits: their rows.
        findings: what the leakage search found.
        train, val, test: the samples.
        exact: keys of the test samples, equal where these are; None where leakage was not searched for.
        fingerprint: digest of every sample's name and split, by which a resumed run knows its data again.
    """

    pipeline: Pipeline
    path: Path
    name: str
    splits: Splits
    findings: tuple[Finding, ...]
    train: Dataset
    val: Dataset
    test: Dataset
    exact: Array | None
    fingerprint: str

    @property
    def facts(self) -> Facts:
        """Facts of the training split."""
        return self.train.facts

    @property
    def sizes(self) -> dict[str, int]:
        """Samples in each split."""
        return {"train": len(self.train), "val": len(self.val), "test": len(self.test)}


def prepare(
    pipeline: Pipeline, source: str, registry: Registry, *, strict: bool = False, searched: bool = True
) -> Prepared:
    """Find, read, split and search the data at ``source`` (a path, a dataset's name or an address).

    Args:
        pipeline: reads them.
        source: as above.
        registry: knows the datasets by name, and the sources by the prefix of their addresses.
        strict: refuse data in which a sample stands on both sides of a split.
        searched: look for leakage and take the fingerprint; without, both are empty.

    Raises:
        DataError: the data are not there, cannot be read, or cannot be split.
        LeakageError: ``strict`` and a sample stands on both sides of a split.
    """
    path, _ = resolve(source, registry.dataset_specs, registry.source_specs)
    table = pipeline.read(path)
    if len(table) == 0:
        raise DataError(f"{path}: expected samples to train on, found none; see `fivefold data check {path}`")
    folds = pipeline.config.folds
    splits = pipeline.split(table) if folds is None else pipeline.fold(table, folds)
    findings: tuple[Finding, ...] = ()
    digest, exact = "", None
    if searched:
        rows_of_splits = (splits.train, splits.val, splits.test)
        keys = {id(rows): pipeline.fingerprints(rows) for rows in rows_of_splits}
        findings = search(splits, lambda rows: keys[id(rows)])
        digest, exact = (
            fingerprint(splits, [keys[id(rows)] for rows in rows_of_splits]),
            keys[id(splits.test)].exact,
        )
    if strict:
        refuse_leakage(findings, source)
    train = pipeline.samples(splits.train)
    pipeline.facts = train.facts
    return Prepared(
        pipeline=pipeline,
        path=path.resolve(),
        name=source,
        splits=splits,
        findings=findings,
        train=train,
        val=pipeline.samples(splits.val),
        test=pipeline.samples(splits.test),
        exact=exact,
        fingerprint=digest,
    )


def refuse_leakage(findings: tuple[Finding, ...], source: str) -> None:
    """Raise on the severe ones among ``findings``.

    Raises:
        LeakageError: there is one.
    """
    severe = [finding for finding in findings if finding.severe]
    if severe:
        raise LeakageError(
            f"{source}: --strict expects splits without leakage, found: {' '.join(finding.text for finding in severe)} "
            f"`fivefold data check {source}` lists them; remove them, or leave --strict away to have them reported only"
        )


def fingerprint(splits: Splits, keys: Sequence[Fingerprints]) -> str:
    """A digest of the content and label of every sample, and of the split it is in."""
    digest = hashlib.sha256()
    for table, found in zip((splits.train, splits.val, splits.test), keys, strict=True):
        digest.update(f"{len(table)};".encode())
        labels = table[table.label] if table.label is not None else [None] * len(table)
        for key, label in zip(found.exact, labels, strict=True):
            digest.update(f"{key!r}{label!r};".encode())
    return digest.hexdigest()
