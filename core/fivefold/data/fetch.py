"""Bring a dataset's files into the cache: verified, atomically, from the first source that has them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock

from fivefold.data.cache import cache_directory, cache_path
from fivefold.data.ledger import Ledger, sha256_of
from fivefold.data.manifest import Manifest, ManifestFile
from fivefold.data.sources import is_address, mirror, source
from fivefold.data.sources.address import note_of
from fivefold.data.sources.base import Progress, SourceError, Wanted
from fivefold.data.unpack import unpack
from fivefold.errors import ArchiveError, ChecksumError, DownloadError

_DEFAULT_UNPACKED = 1 << 30


def fetch(manifest: Manifest, *, progress: Progress | None = None, pause: float = 1.0) -> Path:
    """The folder in the cache that holds every file of ``manifest``, verified.

    Files that are there are not fetched again; those that are not come from the mirror directories, then from
    the manifest's sources, in order.

    Args:
        manifest: what to fetch.
        progress: called with a name, the bytes that are here and the bytes that there will be.
        pause: seconds before the first retry of a transfer that failed; doubled for each further one.

    Raises:
        DownloadError: no source had a file, or it cannot be written; the message lists what was tried.
        ChecksumError: what a source had is not the file that the manifest names.
        ArchiveError: an archive is broken or unsafe to unpack.
    """
    folder = dataset_folder(manifest)
    if is_cached(manifest):
        return folder
    cache_directory("datasets", manifest.name)
    # one process fetches, the others wait for it
    with _disk(manifest, folder), FileLock(folder.with_name(f".{folder.name}.lock")):
        ledger = Ledger(folder)
        with tempfile.TemporaryDirectory(dir=cache_directory("tmp")) as workspace:
            for file in manifest.files:
                if not ledger.has(file):
                    found = _bring(manifest, file, Path(workspace), progress, pause)
                    ledger.add(file, found)
                if file.unpack is not None and not ledger.unpacked(file):
                    limit = file.unpacked_bytes or 20 * file.bytes + _DEFAULT_UNPACKED
                    unpack(folder / file.path, folder / file.unpack, max_bytes=limit)
                    ledger.add_unpacked(file)
    return folder


def dataset_folder(manifest: Manifest) -> Path:
    """Where the files of ``manifest`` are kept; not made."""
    return cache_path("datasets", manifest.name)


def is_cached(manifest: Manifest, *, recheck: bool = False) -> bool:
    """Whether every file is here and verified; ``recheck`` hashes each again."""
    ledger = Ledger(dataset_folder(manifest))
    return all(ledger.has(file, recheck=recheck) and ledger.unpacked(file) for file in manifest.files)


def _bring(
    manifest: Manifest, file: ManifestFile, workspace: Path, progress: Progress | None, pause: float
) -> str:
    """Fetch ``file`` into its place from the first source that has it; its checksum."""
    final = dataset_folder(manifest) / file.path
    _make_room(manifest, file, final.parent)
    reasons: list[str] = []
    wrong = False
    for reference, size, get in _ways(manifest, file):
        # a transfer from an address may be resumed, so that its part has a place of its own
        part = final.with_name(f"{final.name}.{'part' if is_address(reference) else 'copy'}")
        try:
            get(Wanted(reference, file.path, size, part, workspace, progress, pause))
        except (SourceError, ArchiveError) as error:
            reasons.append(f"{reference}: {error}")
            if not is_address(reference):
                _discard(part)
            continue
        except OSError:
            _discard(part)
            raise
        found = sha256_of(part)
        if found in file.checksums:
            part.replace(final)
            _discard(part)
            return found
        wrong = True
        expected = " or ".join(file.checksums)
        reasons.append(f"{reference}: expected SHA-256 {expected}, found {found}")
        _discard(part)
    what = "is not the file that the manifest names" if wrong else f"({file.bytes:,} bytes) cannot be fetched"
    raise (ChecksumError if wrong else DownloadError)(
        f"{manifest.name}: '{file.path}' {what}; tried {'; '.join(reasons)}; put the right file into a "
        f"folder that FIVEFOLD_MIRROR names, as {manifest.name}/{file.path}"
    )


def _ways(manifest: Manifest, file: ManifestFile) -> Iterator[tuple[str, int, Callable[[Wanted], None]]]:
    """The places that may have ``file``: name, the most bytes to take from there, and what gets it."""
    for folder in mirror.mirrors():
        get = partial(mirror.get, mirror=folder, dataset=manifest.name)
        yield f"mirror {folder}", max(file.checksums.values()), get
    for reference, size in file.ways:
        yield reference, size, source(reference)


def _make_room(manifest: Manifest, file: ManifestFile, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < file.bytes:
        raise DownloadError(
            f"{manifest.name}: '{file.path}' needs {file.bytes:,} bytes and the disk of {folder} has "
            f"{free:,} left; make room, or set FIVEFOLD_CACHE to a folder on another disk"
        )


@contextmanager
def _disk(manifest: Manifest, folder: Path) -> Iterator[None]:
    """What the disk refuses (space, permission) becomes one sentence."""
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"{manifest.name}: {folder} cannot be written ({error.strerror or error}); make room or give "
            "permission there, or set FIVEFOLD_CACHE to another folder"
        ) from error


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    note_of(part).unlink(missing_ok=True)
