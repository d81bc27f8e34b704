"""Checkpoints as directories: written aside, synced, marked complete, renamed; safetensors and JSON only.

    checkpoints/step-00001234/
        model.safetensors  optimizer-main.safetensors  state.safetensors  state.json  ...
        COMPLETE           JSON: the format, and the size and SHA-256 of each file

What lies there under its final name is whole: a checkpoint that was being written when the machine stopped
has another name, and one whose files were damaged later no longer matches its marker. Both are passed over.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from fivefold.errors import CheckpointError

FORMAT = 1
MARKER = "COMPLETE"
_FINISHED = re.compile(r"step-(\d{8,})(\.old)?")
_UNFINISHED = ".writing-"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint on disk."""

    path: Path
    step: int

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of the file ``name.safetensors``, on the CPU; empty where there is no such file."""
        path = self.path / f"{name}.safetensors"
        return load_tensors(path) if path.exists() else {}

    def values(self) -> dict[str, Any]:
        """The JSON values of ``state.json``."""
        values: dict[str, Any] = json.loads((self.path / "state.json").read_text(encoding="utf-8"))
        return values


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors and sync them to disk; tensors that share memory are written once each.

    Raises:
        CheckpointError: the disk is full or cannot be written.
    """
    try:
        _write(path, _encode(tensors))
    except OSError as error:
        raise CheckpointError(
            f"{path} could not be written: {error.strerror}; free some space or choose another place"
        ) from error


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file onto the CPU.

    Raises:
        CheckpointError: the file is missing or broken.
    """
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} could not be read as safetensors: {error}; expected a file that fivefold wrote"
        ) from error
    return tensors


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
    aside = directory / f"{_UNFINISHED}{os.getpid()}-{step:08d}"
    final = directory / f"step-{step:08d}"
    try:
        aside.mkdir(parents=True)
        contents = {f"{name}.safetensors": _encode(held) for name, held in tensors.items() if held}
        contents["state.json"] = json.dumps(values).encode()
        for name, content in contents.items():
            _write(aside / name, content)
        files = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in contents.items()
        }
        _write(
            aside / MARKER, json.dumps({"format": FORMAT, "step": step, "files": files}, indent=1).encode()
        )
        _sync_directory(aside)
        _put_in_place(aside, final)
    except OSError as error:
        raise CheckpointError(
            f"the checkpoint of step {step} could not be written to {directory}: {error.strerror}; "
            "free some space and go on with --resume"
        ) from error
    finally:
        if aside.exists():
            shutil.rmtree(aside, ignore_errors=True)
    return Checkpoint(final, step)


def newest_checkpoint(directory: Path) -> Checkpoint | None:
    """The newest checkpoint in ``directory`` that is whole, or None; damaged ones are named in the log."""
    return next(_complete(directory), None)


def checkpoint_of_step(directory: Path, step: int) -> Checkpoint | None:
    """The checkpoint of ``step`` if it is there and whole, else None."""
    return next((found for found in _complete(directory, only=step)), None)


def prune_checkpoints(directory: Path, *, keep: int, best_step: int | None) -> None:
    """Remove all but the ``keep`` newest checkpoints and that of ``best_step``."""
    steps = sorted({step for step, _ in _listed(directory)}, reverse=True)
    kept = {*steps[:keep], best_step}
    for step, path in _listed(directory):
        if step not in kept:
            shutil.rmtree(path, ignore_errors=True)


def remove_unfinished(directory: Path) -> None:
    """Remove what killed processes were still writing in ``directory``."""
    for path in directory.glob(f"{_UNFINISHED}*"):
        _log.warning("removed %s, a checkpoint that was never finished", path)
        shutil.rmtree(path, ignore_errors=True)


def _complete(directory: Path, only: int | None = None) -> Iterator[Checkpoint]:
    # Of two of the same step the one put aside (".old") comes last: it counts where the other is missing.
    for step, path in sorted(_listed(directory), key=lambda item: (-item[0], item[1].name)):
        if only is not None and step != only:
            continue
        fault = _fault(path)
        if fault is None:
            yield Checkpoint(path, step)
        else:
            _log.warning("passed over the checkpoint %s: %s", path, fault)


def _listed(directory: Path) -> list[tuple[int, Path]]:
    if not directory.is_dir():
        return []
    matches = ((_FINISHED.fullmatch(path.name), path) for path in directory.iterdir())
    return [(int(match[1]), path) for match, path in matches if match is not None]


def _fault(path: Path) -> str | None:
    """What is wrong with the checkpoint, or None where it is as its marker says."""
    try:
        marker = json.loads((path / MARKER).read_text(encoding="utf-8"))
        if marker["format"] != FORMAT:
            raise CheckpointError(
                f"{path} has checkpoint format {marker['format']}, this fivefold reads format {FORMAT}; "
                "resume it with the version that wrote it"
            )
        for name, expected in marker["files"].items():
            content = (path / name).read_bytes()
            if len(content) != expected["bytes"] or hashlib.sha256(content).hexdigest() != expected["sha256"]:
                return f"{name} is not the file that was written"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its marker {MARKER} cannot be read ({error})"
    return None


def _encode(tensors: Mapping[str, Tensor]) -> bytes:
    # Copies, because safetensors refuses tensors that share memory (tied weights, expanded views).
    held = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    content: bytes = safetensors.torch.save(held)
    return content


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(aside: Path, final: Path) -> None:
    old = final.with_name(f"{final.name}.old")
    if final.exists():
        # At every moment one of the two is there under a name that the search knows.
        shutil.rmtree(old, ignore_errors=True)
        final.rename(old)
    aside.rename(final)
    _sync_directory(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_directory(path: Path) -> None:
    if os.name != "posix":
        return  # other systems cannot open a directory; their renames are journalled
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
