"""What runs take of the disk, and what of it can go."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from fivefold.errors import StorageError
from fivefold.runs import Run


@dataclass(frozen=True)
class Removable:
    """A folder that can go, and why.

    Attributes:
        path: the folder.
        bytes: what it takes.
        reason: in words.
    """

    path: Path
    bytes: int
    reason: str


def disk_use(path: Path) -> int:
    """Bytes of all files below ``path``; links are not followed."""
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_symlink() or file.is_file())


def removable(run: Run, *, unfinished: bool = False) -> Removable | None:
    """What of ``run`` can go: a finished one's checkpoints, as its weights stand beside them; else nothing.

    Args:
        run: the run.
        unfinished: whether a run that was interrupted or failed may go altogether.
    """
    if run.status == "complete":
        checkpoints = run.path / "checkpoints"
        if not run.weights.is_file() or not checkpoints.is_dir() or checkpoints.is_symlink():
            return None
        return Removable(checkpoints, disk_use(checkpoints), "checkpoints of a finished run")
    if unfinished and run.status in {"interrupted", "failed"}:
        return Removable(run.path, disk_use(run.path), f"{run.status} run")
    return None


def remove(found: Removable) -> None:
    """Remove it.

    Raises:
        StorageError: the system does not allow it.
    """
    try:
        shutil.rmtree(found.path)
    except OSError as error:
        raise StorageError(
            f"{found.path}: cannot be removed ({error.strerror or error}); check its permissions"
        ) from error
