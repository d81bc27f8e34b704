"""The marker that makes a folder a checkpoint: it names the format, and the size and digest of each file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from fivefold.errors import CheckpointError
from fivefold.training.saving.tensor_files import Digest, read_digest, write_file

FORMAT = 1
MARKER = "COMPLETE"


def write_marker(folder: Path, step: int, digests: Mapping[str, Digest]) -> None:
    """Mark ``folder`` as the complete checkpoint of ``step``, made of the files of ``digests``."""
    files = {name: asdict(digest) for name, digest in digests.items()}
    content = json.dumps({"format": FORMAT, "step": step, "files": files}, indent=1)
    write_file(folder / MARKER, [content.encode()])


def find_fault(folder: Path) -> str | None:
    """What is wrong with the checkpoint ``folder``, or None where all of it is as its marker says.

    Raises:
        CheckpointError: it is of a newer format; what an older version wrote beside it is no substitute.
    """
    if not folder.is_dir():
        return "it is not a directory"
    try:
        marker = json.loads((folder / MARKER).read_bytes())
        _check_format(folder, marker["format"])
        expected = {name: Digest(**digest) for name, digest in marker["files"].items()}
    except FileNotFoundError:
        return f"{MARKER} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its marker {MARKER} cannot be read ({error})"
    faults = (_fault_of_file(folder / name, digest) for name, digest in expected.items())
    return next((fault for fault in faults if fault is not None), None)


def _check_format(folder: Path, number: object) -> None:
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"it names the format {number!r}")
    if number > FORMAT:
        raise CheckpointError(
            f"{folder} has checkpoint format {number}, this fivefold reads format {FORMAT}; "
            "resume it with the version that wrote it, or a later one"
        )


def _fault_of_file(path: Path, expected: Digest) -> str | None:
    try:
        found = read_digest(path)
    except FileNotFoundError:
        return f"{path.name} is missing"
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror})"
    if found.bytes != expected.bytes:
        return f"{path.name} has {found.bytes} bytes, {expected.bytes} were written"
    if found.sha256 != expected.sha256:
        return f"{path.name} is not the file that was written: its SHA-256 differs"
    return None
