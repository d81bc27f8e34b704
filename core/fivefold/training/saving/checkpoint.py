"""Checkpoints as directories: written aside, synced, marked complete, renamed; safetensors and JSON only.

    checkpoints/step-00001234/
        model.safetensors  optimizer-main.safetensors  losses.safetensors  ...  state.json
        COMPLETE           JSON: the format, and the size and SHA-256 of each file

Where several processes hold a part of the tensors each (`fivefold.training.saving.sharded`), a file is written in as
many parts, ``model-00000-of-00002.safetensors`` and so on, and read as one.

What lies there under its final name is whole: a checkpoint that was being written when the machine stopped
has another name, and one whose files were damaged later no longer matches its marker. Both are passed over.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Size, Tensor

from fivefold.errors import CheckpointError
from fivefold.training.saving.marker import MARKER, find_fault, write_marker
from fivefold.training.saving.pieces import PiecedTensors
from fivefold.training.saving.tensor_files import (
    Digest,
    TensorFile,
    encode_tensors,
    load_tensors,
    save_tensors,
    write_file,
)

__all__ = [
    "Checkpoint",
    "checkpoint_of_step",
    "load_tensors",
    "newest_checkpoint",
    "prune_checkpoints",
    "remove_unfinished",
    "save_checkpoint",
    "save_tensors",
    "set_aside_later",
]

_STATE = "state.json"
_FINISHED = re.compile(r"step-([0-9]{8,})(\.old)?")
_UNFINISHED = ".writing-"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint on disk."""

    path: Path
    step: int

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of ``name``, whole and on the CPU, however many processes wrote them; empty where none.

        Raises:
            CheckpointError: parts are missing or do not fit together.
        """
        path = self.path / f"{name}.safetensors"
        if path.exists():
            return load_tensors(path)
        pieces = self.pieces(name)
        return {key: pieces.read(key, [0] * len(shape), shape) for key, shape in pieces.shapes.items()}

    def shapes(self, name: str) -> dict[str, Size]:
        """The shapes of the tensors of ``name``, from the headers alone."""
        return self.pieces(name).shapes

    def pieces(self, name: str) -> PiecedTensors:
        """The tensors of ``name``, to be read part by part."""
        paths = [
            *self.path.glob(f"{name}.safetensors"),
            *self.path.glob(f"{name}-?????-of-?????.safetensors"),
        ]
        return PiecedTensors(sorted(paths))

    def values(self) -> dict[str, Any]:
        """The JSON values of ``state.json``."""
        values: dict[str, Any] = json.loads((self.path / _STATE).read_text(encoding="utf-8"))
        return values


def save_checkpoint(
    directory: Path, step: int, tensors: Mapping[str, Mapping[str, Tensor]], values: Mapping[str, Any]
) -> Checkpoint:
    """Write the checkpoint of ``step`` into ``directory``; afterwards it is there whole, or not at all.

    Args:
        directory: where the checkpoints of a run lie; made if missing.
        step: names the checkpoint; one of the same step is replaced.
        tensors: from the name of a file to its tensors.
        values: JSON values, written as ``state.json``.

    Raises:
        CheckpointError: the disk is full or cannot be written; nothing half-written is left.
    """
    return write_checkpoint(directory, step, whole_files(tensors), json.dumps(values).encode())


def whole_files(tensors: Mapping[str, Mapping[str, Tensor]]) -> dict[str, TensorFile]:
    """The files of a checkpoint that one process writes: from the name of a file to what it shall hold."""
    return {f"{name}.safetensors": TensorFile(held) for name, held in tensors.items() if held}


def write_checkpoint(
    directory: Path, step: int, files: Mapping[str, TensorFile], values: bytes
) -> Checkpoint:
    """`save_checkpoint` with its files laid out already.

    Args:
        directory: where the checkpoints of a run lie; made if missing.
        step: names the checkpoint; one of the same step is replaced.
        files: from the name of a file to what it shall hold.
        values: what ``state.json`` shall hold.

    Raises:
        CheckpointError: the disk is full or cannot be written; nothing half-written is left.
    """
    with writing_aside(directory, step) as aside:
        return complete(aside, directory, step, write_tensor_files(aside, files), values)


@contextmanager
def writing_aside(directory: Path, step: int) -> Iterator[Path]:
    """A new folder in ``directory`` for the files of a checkpoint; gone afterwards, unless `complete` took it.

    Raises:
        CheckpointError: in place of every OSError.
    """
    aside = directory / f"{_UNFINISHED}{os.getpid()}-{step:08d}"
    try:
        _remove(aside)
        aside.mkdir(parents=True)
        yield aside
    except OSError as error:
        raise CheckpointError(
            f"the checkpoint of step {step} could not be written to {directory}: {error.strerror}; "
            "free some space or make the directory writable, and go on with --resume"
        ) from error
    finally:
        _remove(aside)


def write_tensor_files(aside: Path, files: Mapping[str, TensorFile]) -> dict[str, Digest]:
    """Write the files into ``aside``; their digests by name."""
    return {name: write_file(aside / name, encode_tensors(content)) for name, content in files.items()}


def complete(
    aside: Path, directory: Path, step: int, digests: Mapping[str, Digest], values: bytes
) -> Checkpoint:
    """Make what lies in ``aside`` the checkpoint of ``step``: its values and marker are written, then renamed.

    Args:
        aside: holds the files of ``digests``.
        directory: where the checkpoints of a run lie.
        step: names the checkpoint; one of the same step is replaced.
        digests: of each file of tensors.
        values: what ``state.json`` shall hold.
    """
    final = directory / f"step-{step:08d}"
    state = write_file(aside / _STATE, [values])
    write_marker(aside, step, {**digests, _STATE: state})
    sync_directory(aside)
    _put_in_place(aside, final)
    return Checkpoint(final, step)


def newest_checkpoint(directory: Path) -> Checkpoint | None:
    """The newest checkpoint in ``directory`` that is whole, or None; damaged ones are named in the log.

    Raises:
        CheckpointError: a newer one is of a format that this version cannot read, or the directory cannot be
            listed.
    """
    return next(_whole(directory), None)


def checkpoint_of_step(directory: Path, step: int) -> Checkpoint | None:
    """The checkpoint of ``step`` if it is there and whole, else None."""
    return next(_whole(directory, only=step), None)


def prune_checkpoints(directory: Path, *, keep: int, kept_steps: Collection[int] = ()) -> None:
    """Remove all but the ``keep`` newest checkpoints and those of ``kept_steps``."""
    folders = [(step, path) for step, path in _listed(directory) if path.is_dir()]
    marked = sorted({step for step, path in folders if _is_marked(path)}, reverse=True)
    kept = {*marked[:keep], *kept_steps}
    for step, path in folders:
        if step not in kept:
            _remove(path)


def set_aside_later(directory: Path, step: int) -> None:
    """Rename the checkpoints after ``step``, from which a training goes on, so that they count no more.

    They are damaged, or they would have been gone on from. Left in place they would be taken for the newest
    when old ones are removed. They become ``step-*.damaged``, to be looked at or deleted by hand.

    Raises:
        CheckpointError: the directory cannot be written.
    """
    for later, path in _listed(directory):
        if later > step:
            damaged = path.with_name(f"{path.name}.damaged")
            _remove(damaged)
            try:
                path.rename(damaged)
            except OSError as error:
                raise CheckpointError(
                    f"{path} could not be put aside: {error.strerror}; make {directory} writable"
                ) from error
            _log.warning("%s is kept as %s", path, damaged.name)


def remove_unfinished(directory: Path) -> None:
    """Remove what killed processes were still writing in ``directory``."""
    for path in directory.glob(f"{_UNFINISHED}*"):
        _log.warning("removed %s, a checkpoint that was never finished", path)
        _remove(path)


def sync_directory(path: Path) -> None:
    """Sync the names in a directory to disk."""
    if os.name != "posix":
        return  # other systems cannot open a directory; their renames are journalled
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole(directory: Path, only: int | None = None) -> Iterator[Checkpoint]:
    # Of two of the same step the one put aside (".old") comes last: it counts where the other is missing.
    passed_over = False
    for step, path in sorted(_listed(directory), key=lambda item: (-item[0], item[1].name)):
        if only is not None and step != only:
            continue
        fault = find_fault(path)
        if fault is not None:
            passed_over = True
            _log.warning("passed over the checkpoint %s: %s", path, fault)
            continue
        if passed_over:
            _log.warning("the newest whole checkpoint is %s", path)
        yield Checkpoint(path, step)


def _listed(directory: Path) -> list[tuple[int, Path]]:
    try:
        paths = list(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CheckpointError(
            f"{directory} could not be searched for checkpoints: {error.strerror}; make it readable"
        ) from error
    matches = ((_FINISHED.fullmatch(path.name), path) for path in paths)
    return [(int(match[1]), path) for match, path in matches if match is not None]


def _put_in_place(aside: Path, final: Path) -> None:
    old = final.with_name(f"{final.name}.old")
    if final.exists():
        # At every moment one of the two is there under a name that the search knows.
        _remove(old)
        final.rename(old)
    aside.rename(final)
    sync_directory(final.parent)
    _remove(old)


def _is_marked(folder: Path) -> bool:
    try:
        return (folder / MARKER).exists()
    except OSError:  # it may not be looked into
        return False


def _remove(path: Path) -> None:
    """Remove a folder or a file, if it is there, as far as the system lets us."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()
