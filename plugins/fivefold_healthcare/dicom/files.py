"""Instances: DICOM files as they lie on disk, in a folder, behind a DICOMDIR, or in a zip archive."""

from __future__ import annotations

import shutil
import tempfile
import warnings
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian

from fivefold.data.table import Problem
from fivefold.data.unpack import unpack
from fivefold.errors import DataError

ENDINGS = frozenset({".dcm", ".dicom", ".dic", ".ima"})
"""Endings, in lower case, of files that ought to be DICOM whatever is in them."""

MOST_UNPACKED = 2**36
"""Bytes that a zip archive may unpack to."""

MOST_INFLATED = 2**30
"""Bytes that a file in the deflated transfer syntax may unpack to; all of it is unpacked in memory."""

_PREAMBLE = 128
_MAGIC = b"DICM"
_EARLY_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
_DIRECTORY = "1.2.840.10008.1.3.10"
_CHUNK = 2**20


@dataclass(frozen=True)
class Instance:
    """One DICOM file.

    Attributes:
        name: what messages call it: relative to the folder that the user named.
        path: where it lies.
        header: everything but the pixels.
        folder: what keeps the folder of an unpacked archive from being removed; nothing reads it.
    """

    name: str
    path: Path
    header: Dataset
    folder: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Found:
    """What a source holds.

    Attributes:
        instances: in order of their names.
        problems: files that ought to be DICOM, and cannot be read.
        others: number of files of other kinds, which were passed over.
    """

    instances: tuple[Instance, ...]
    problems: tuple[Problem, ...]
    others: int = 0


class _Unpacked:
    """A temporary folder, removed with the last instance that lies in it, or with the process."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="fivefold-dicom-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def find_instances(source: Path) -> Found:
    """Every DICOM file of ``source``: a file, a folder, a DICOMDIR, or a zip archive of these.

    A file is taken for DICOM by its content. One whose name says so, or that a DICOMDIR lists, and that is
    none, is a problem; other files are counted. An archive is unpacked into a temporary folder, which lasts as
    long as its instances do.

    Raises:
        DataError: nothing is there, or it is a single file that cannot be read.
        ArchiveError: the archive is broken or unsafe.
    """
    if source.is_dir():
        return _sorted(_in_folder(source, None))
    if not source.is_file():
        raise DataError(
            f"{source}: no such file or folder; expected DICOM files, a folder, a DICOMDIR or a zip archive"
        )
    if is_archive(source):
        folder = _Unpacked()
        inside = folder.path / "unpacked"
        unpack(source, inside, max_bytes=MOST_UNPACKED)
        return _sorted(_in_folder(inside, folder))
    header = read_header(source, str(source))
    if is_directory_record(header):
        return _sorted(_listed(source, header))
    return Found((Instance(source.name, source, header),), ())


def is_archive(path: Path) -> bool:
    """Whether ``path`` is a zip archive, by its content."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def is_dicom(path: Path) -> bool:
    """Whether ``path`` looks like DICOM: by the mark behind its preamble, or, where it has none, its first tag."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_PREAMBLE + len(_MAGIC))
    except OSError:
        return False
    if start[_PREAMBLE:] == _MAGIC:
        return True
    named = path.suffix.lower() in ENDINGS or not path.suffix
    return named and start[:2] in _EARLY_GROUPS and len(start) > _PREAMBLE


def is_directory_record(header: Dataset) -> bool:
    """Whether ``header`` is that of a DICOMDIR (PS3.10, Media Storage Directory)."""
    return str(header.file_meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY


def read_header(path: Path, name: str) -> Dataset:
    """Everything of a DICOM file that comes before its pixels.

    Raises:
        DataError: it is no DICOM file, is cut off in its header, unpacks to too much, or declares more frames than
            it has bytes.
    """
    if not path.is_file():
        raise DataError(f"{name}: expected a DICOM file, found none")
    if path.stat().st_size == 0:
        raise DataError(f"{name}: expected a DICOM file, found an empty file; restore or remove it")
    if not is_dicom(path):
        raise DataError(
            f"{name}: expected a DICOM file, found something else; remove it, or name the file for what it is"
        )
    try:
        with quiet():
            inflated = _inflated(path, name)
            header = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            for element in (*header.file_meta, *header):  # what is broken comes to light here, not later
                del element
    except DataError:
        raise
    except Exception as error:
        raise _broken(name, error) from error
    _check_frames(header, name, inflated or path.stat().st_size)
    return header


def _inflated(path: Path, name: str) -> int:
    """Bytes that a file in the deflated transfer syntax unpacks to (PS3.5 A.5); 0 for one in another syntax.

    Raises:
        DataError: it unpacks to more than `MOST_INFLATED`.
    """
    with path.open("rb") as stream:
        read_preamble(stream, force=True)
        # As dcmread does: the file meta information is explicit and little endian, in front of all else.
        meta = read_dataset(stream, False, True, stop_when=lambda tag, *_: tag.group != 2)  # noqa: FBT003, PLR2004 - read as the comment says
        if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
            return 0
        unpacker, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while size <= MOST_INFLATED and not unpacker.eof:
            chunk = unpacker.unconsumed_tail or stream.read(_CHUNK)
            if not chunk:
                break
            size += len(unpacker.decompress(chunk, _CHUNK))
    if size > MOST_INFLATED:
        raise DataError(
            f"{name}: expected a file that unpacks to at most {MOST_INFLATED:,} bytes, found more; export it again, "
            "not deflated"
        )
    return size


def _check_frames(header: Dataset, name: str, size: int) -> None:
    """Before anything is made for each frame.

    Raises:
        DataError: there are more frames than bytes.
    """
    frames = header.get("NumberOfFrames")
    if isinstance(frames, int) and frames > size:
        raise DataError(
            f"{name}: expected at most a frame a byte of the file, found {frames:,} frames declared in {size:,} "
            "bytes; the header is wrong, or the file is cut off"
        )


def _broken(name: str, error: Exception) -> DataError:
    why = reason(error)
    return DataError(
        f"{name}: expected a DICOM file, found one whose header cannot be read ({why}); export it again"
    )


def reason(error: BaseException) -> str:
    """What ``error`` says, to stand within a sentence."""
    return in_line(str(error)) or type(error).__name__


def in_line(text: str) -> str:
    """Text of a file that is not trusted, in one line, without what cannot be shown."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom's warnings of values that break the standard: what matters is checked here."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        yield


def _in_folder(root: Path, keep: object) -> Iterator[Instance | Problem | None]:
    """Instances and problems below ``root``; None for a file of another kind."""
    for path in sorted(root.rglob("*")):
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(root).parts):
            continue
        name = path.relative_to(root).as_posix()
        if not is_dicom(path) and path.suffix.lower() not in ENDINGS:
            yield None
            continue
        found = _instance(name, path, keep)
        if isinstance(found, Problem) or not is_directory_record(found.header):
            yield found


def _listed(directory: Path, header: Dataset) -> Iterator[Instance | Problem]:
    """The files that a DICOMDIR lists, by paths that may not lead out of its folder."""
    root = directory.parent.resolve()
    for record in header.get("DirectoryRecordSequence", ()):
        parts = record.get("ReferencedFileID")
        if not parts:
            continue
        name = "/".join([parts] if isinstance(parts, str) else [str(part) for part in parts])
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            yield Problem(name, f"{directory}: the entry '{name}' points outside the folder of the DICOMDIR")
        elif not path.is_file():
            yield Problem(name, f"{directory}: the entry '{name}' names a file that is not there; restore it")
        else:
            yield _instance(name, path, None)


def _instance(name: str, path: Path, keep: object) -> Instance | Problem:
    try:
        return Instance(name, path, read_header(path, name), keep)
    except DataError as error:
        return Problem(name, str(error))


def _sorted(found: Iterator[Instance | Problem | None]) -> Found:
    instances: list[Instance] = []
    problems: list[Problem] = []
    others = 0
    for one in found:
        if isinstance(one, Instance):
            instances.append(one)
        elif one is None:
            others += 1
        else:
            problems.append(one)
    return Found(tuple(sorted(instances, key=lambda one: one.name)), tuple(problems), others)
