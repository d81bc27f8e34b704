"""From what the user typed, a path, a dataset's name or an address, to a path that a pipeline reads."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from fivefold.data.addresses import fetch_address, is_address
from fivefold.data.fetch import dataset_folder, fetch, is_cached
from fivefold.data.ledger import Ledger
from fivefold.data.manifest import Manifest, load_manifest
from fivefold.data.progress import DownloadBar
from fivefold.data.sources.base import Progress
from fivefold.errors import DataError
from fivefold.plugins.spec import DatasetSpec, SourceSpec

Notify = Callable[[str], None]

ALIKE = 0.75
"""Names that are at least as much alike as this may have been meant (`difflib.SequenceMatcher.ratio`)."""
TELLING = 4
"""Letters that a part of a name must have to stand for it."""


def resolve(
    data: str,
    datasets: Sequence[DatasetSpec],
    sources: Sequence[SourceSpec] = (),
    *,
    notify: Notify | None = None,
    progress: Progress | None = None,
) -> tuple[Path, DatasetSpec | None]:
    """The path that ``data`` stands for, and its dataset if it is the name of one; both kinds of names are fetched.

    A path that exists wins over a name, and a name over an address.

    Args:
        data: a path, the name of a dataset, or an address (``prefix:rest``) of a source.
        datasets: the datasets that there are.
        sources: the sources of addresses that there are.
        notify: told the licence and citation before a dataset's first use, the terms before a source's, and
            what a source has to say; stderr where not given.
        progress: told how far downloads are; a bar on stderr where not given.

    Raises:
        DataError: neither a path nor a name nor an address; the message has the nearest names. A source cannot
            provide what an address names.
        DownloadError: the dataset cannot be fetched.
    """
    path = Path(data).expanduser()
    if data and path.exists():
        return path, None
    for dataset in datasets:
        if dataset.name == data:
            return _dataset_path(dataset, notify or _to_stderr, progress), dataset
    if is_address(data):
        return fetch_address(data, sources, notify or _to_stderr), None
    raise DataError(_unknown(data, datasets))


def terms(manifest: Manifest) -> str:
    """What a user must know before using a dataset: summary, licence, citation, terms."""
    lines = [
        f"{manifest.name}: {manifest.summary}",
        f"  Licence: {manifest.licence}",
        f"  Please cite: {manifest.citation}",
    ]
    if manifest.terms:
        lines.append(f"  Terms: {manifest.terms}")
    if manifest.homepage:
        lines.append(f"  See {manifest.homepage}")
    return "\n".join(lines)


def _dataset_path(dataset: DatasetSpec, notify: Notify, progress: Progress | None) -> Path:
    manifest = load_manifest(dataset.manifest)
    ledger = Ledger(dataset_folder(manifest))
    if not ledger.announced:
        notify(terms(manifest))
        ledger.announce()
    if is_cached(manifest):
        folder = dataset_folder(manifest)
    elif progress is not None:
        folder = fetch(manifest, progress=progress)
    else:
        with DownloadBar() as bar:
            folder = fetch(manifest, progress=bar)
    return folder / manifest.entry


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - what the user must read before the data are used


def _unknown(data: str, datasets: Sequence[DatasetSpec]) -> str:
    """Why ``data`` is nothing that can be read, and what the user may have meant."""
    names = sorted(dataset.name for dataset in datasets)
    is_path = os.sep in data or bool(Path(data).suffix) or not data
    wrong = "no such file or folder" if is_path else "neither a path nor the name of a dataset"
    near = difflib.get_close_matches(data, names, n=3, cutoff=ALIKE)
    near += [name for name in names if len(data) >= TELLING and data in name and name not in near]
    meant = f"did you mean {' or '.join(near[:3])}? " if near else "check the path; " if is_path else ""
    return f"{data or 'empty name'}: {wrong}; {meant}'fivefold data list' lists the datasets that have names"
