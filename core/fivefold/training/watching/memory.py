"""How much memory a training takes, read without waiting for the device."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

_STATM = Path("/proc/self/statm")  # Linux: sizes of this process in pages, the second of them resident


def used_memory(device: torch.device) -> int | None:
    """Bytes that the training takes; None where the system does not tell.

    On CUDA the most that tensors took at once since the training began. On the CPU what the process keeps in
    the machine's memory now, or, on systems without Linux's ``/proc``, the most that it kept there so far.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if _STATM.exists():
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return peak_memory(device)


def peak_memory(device: torch.device) -> int | None:
    """The most bytes that the training took so far: of the device on CUDA, else of the whole process.

    None where the system does not tell.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - Windows has no such module

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def in_words(size: float) -> str:
    """A number of bytes, as people read it: ``512 MiB``, ``10.2 GiB``."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1000:  # noqa: PLR2004 - three digits at most
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
