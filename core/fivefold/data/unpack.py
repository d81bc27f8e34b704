"""Unpack archives that are not trusted: no path escapes, no links, no devices, bounded size and number.

Zip, tar (plain, gzip, bzip2, xz) and single gzip files. Everything is unpacked aside and then renamed, so
that the target is there whole or not at all. No link is ever made: one to another member becomes a copy of
it, any other is refused.
"""

from __future__ import annotations

import gzip
import lzma
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, cast

from fivefold.errors import ArchiveError

MAX_FILES = 2_000_000
"""The most members that an archive may have."""

_CHUNK = 1 << 18
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,  # a compression that zipfile does not know
    RecursionError,  # links that point at each other
)

Member = tuple[str, IO[bytes]]


def unpack(archive: Path, target: Path, *, max_bytes: int, max_files: int = MAX_FILES) -> None:
    """Unpack ``archive`` into the folder ``target``, which is replaced as a whole.

    Args:
        archive: a zip, tar or gzip file, told apart by its content.
        target: the folder; a single gzip file becomes one file in it.
        max_bytes: the most bytes that the files may have together.
        max_files: the most files that there may be.

    Raises:
        ArchiveError: the archive is broken, unsafe, too large, or of an unknown kind; nothing is left.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        _unpack(archive, aside, max_bytes, max_files)
        if target.exists():
            shutil.rmtree(target)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def extract_member(archive: Path, path: str, target: Path, *, max_bytes: int) -> bool:
    """Write the member ``path`` of ``archive`` to the file ``target``; False where there is no such member.

    The member's path may lack the archive's leading folder (``NAME-VERSION/`` of a source distribution).

    Raises:
        ArchiveError: the archive is broken, or the member is larger than ``max_bytes``.
    """
    try:
        with closing(_members(archive, only=path)) as members:
            for name, stream in members:
                if path in (name, name.partition("/")[2]):
                    _write(archive, name, stream, target, max_bytes)
                    return True
    except _BROKEN as error:
        raise _broken(archive, error) from error
    return False


def _unpack(archive: Path, folder: Path, max_bytes: int, max_files: int) -> None:
    left = max_bytes
    try:
        with closing(_members(archive)) as members:
            for number, (name, stream) in enumerate(members):
                if number >= max_files:
                    raise ArchiveError(f"{archive.name}: more than {max_files:,} files; not unpacked")
                path = folder / safe_path(archive.name, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                left -= _write(archive, name, stream, path, left)
    except _BROKEN as error:
        raise _broken(archive, error) from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ArchiveError(
            f"{archive.name}: a name stands for both a file and a folder; not unpacked"
        ) from error


def safe_path(archive: str, name: str) -> PurePosixPath:
    """The path of a member, if it stays below the folder that it is unpacked into.

    Raises:
        ArchiveError: the path is absolute, climbs with ``..``, or uses backslashes or a drive.
    """
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        raise ArchiveError(
            f"{archive}: the entry '{name}' points outside the folder that it is unpacked into; not unpacked"
        )
    return path


def _members(archive: Path, only: str = "") -> Generator[Member]:
    """Name and content of every file in ``archive``; with ``only``, other members may be passed over."""
    if _starts_with(archive, b"PK"):  # not is_zipfile: a tar that ends in a zip file would pass for one
        with zipfile.ZipFile(archive) as opened_zip:
            yield from _zip_members(archive, opened_zip, only)
    elif _is_tar(archive):
        with tarfile.open(archive) as opened_tar:
            yield from _tar_members(archive, opened_tar, only)
    elif _starts_with(archive, b"\x1f\x8b"):
        with gzip.open(archive) as stream:
            yield archive.name.removesuffix(".gz"), cast(IO[bytes], stream)
    else:
        raise ArchiveError(f"{archive.name}: neither a zip, a tar nor a gzip file; download it again")


def _zip_members(archive: Path, opened: zipfile.ZipFile, only: str) -> Iterator[Member]:
    for entry in opened.infolist():
        if entry.is_dir() or (only and not entry.filename.endswith(only)):
            continue
        mode = entry.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise ArchiveError(
                f"{archive.name}: the entry '{entry.filename}' is a link or device; not unpacked"
            )
        if entry.flag_bits & 0x1:
            raise ArchiveError(f"{archive.name}: the entry '{entry.filename}' is encrypted; not unpacked")
        with opened.open(entry) as stream:
            yield entry.filename, stream


def _tar_members(archive: Path, opened: tarfile.TarFile, only: str) -> Iterator[Member]:
    for entry in opened:
        name = entry.name.removeprefix("./")
        if entry.isdir() or (only and not name.endswith(only)):
            continue
        if not (entry.isreg() or entry.islnk() or entry.issym()):
            raise ArchiveError(f"{archive.name}: the entry '{name}' is a device; not unpacked")
        try:
            stream = opened.extractfile(entry)  # follows links, to members of this archive only
        except KeyError:
            stream = None
        if stream is None:
            raise ArchiveError(
                f"{archive.name}: the entry '{name}' is a link to '{entry.linkname}', no file of this "
                "archive; not unpacked"
            )
        with stream:
            yield name, stream


def _write(archive: Path, name: str, stream: IO[bytes], target: Path, limit: int) -> int:
    """Write ``stream`` to ``target``; the number of bytes."""
    done = 0
    with target.open("wb") as output:
        while chunk := stream.read(_CHUNK):
            done += len(chunk)
            if done > limit:
                raise ArchiveError(
                    f"{archive.name}: unpacks to more than the allowed size at '{name}'; not unpacked"
                )
            output.write(chunk)
    return done


def _is_tar(archive: Path) -> bool:
    """Whether ``archive`` is a tar file with a member; zeros alone would pass for an empty one."""
    try:
        with tarfile.open(archive) as opened:
            return opened.next() is not None
    except _BROKEN:
        return False


def _starts_with(archive: Path, magic: bytes) -> bool:
    with archive.open("rb") as stream:
        return stream.read(len(magic)) == magic


def _broken(archive: Path, error: BaseException) -> ArchiveError:
    why = " ".join(str(error).split()) or type(error).__name__
    return ArchiveError(f"{archive.name}: the archive is broken ({why}); download it again")
