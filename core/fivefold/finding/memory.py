"""How much memory there is, and how much a trial took of it: on a GPU, or in the machine."""

from __future__ import annotations

import ctypes
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import torch

from fivefold.errors import ConfigError
from fivefold.training.watching.memory import peak_memory

_ROOT = Path("/")
_RESET_PEAK = "5"  # what resets the peak in /proc/self/clear_refs: man 5 proc


class Memory(ABC):
    """A device's memory as one training may use it.

    Attributes:
        budget: bytes that were free at the start.
        forgiving: whether asking for too much is refused at once and without harm.
    """

    budget: int
    forgiving: bool

    @abstractmethod
    def begin(self) -> None:
        """A trial begins: forget the peak of those before."""

    @abstractmethod
    def peak(self) -> int:
        """Bytes in use at the highest moment since `begin`, above those in use at the start."""


class DeviceMemory(Memory):
    """A GPU's memory, by the books of torch's allocator: what it reserved, its caches included."""

    forgiving = True

    def __init__(self, device: torch.device) -> None:
        torch.cuda.empty_cache()
        self._device = device
        self._base = torch.cuda.memory_reserved(device)
        self.budget = int(torch.cuda.mem_get_info(device)[0])

    def begin(self) -> None:
        """Hand cached memory back, so that trials do not count each other's."""
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self._device)

    def peak(self) -> int:
        """Bytes reserved at the highest moment, above those at the start."""
        return int(torch.cuda.max_memory_reserved(self._device)) - self._base


class MachineMemory(Memory):
    """The machine's memory, by the process's resident set.

    Where the system does not tell what a process has now, or does not let it reset its peak, the peak counts
    more than the trial: it is never too small.

    Args:
        sharing: processes on this machine that train together; each may use its part.
    """

    forgiving = False

    def __init__(self, sharing: int = 1) -> None:
        give_back_heap()
        self._base = resident_bytes()
        self.budget = available_bytes() // sharing

    def begin(self) -> None:
        """Reset the process's peak, where the system can."""
        give_back_heap()
        try:
            Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
        except OSError:
            return

    def peak(self) -> int:
        """Resident bytes at the highest moment, above those at the start."""
        return max(0, peak_resident_bytes() - self._base)


def memory_of(device: torch.device, *, sharing: int = 1) -> Memory:
    """The memory of ``device``; of the machine's memory one part of ``sharing``."""
    return DeviceMemory(device) if device.type == "cuda" else MachineMemory(sharing)


def give_back_heap() -> None:
    """Return freed memory that the C library keeps for later, where it can; else it hides what a trial takes."""
    if sys.platform == "linux":
        # Not every C library of Linux has it.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def available_bytes(root: Path = _ROOT) -> int:
    """Bytes that this process can take without pushing the machine into swap.

    The least of what the kernel calls available and what each control group (container, batch job) leaves,
    where a group's file cache counts as free. On systems without ``/proc/meminfo``, free pages; half of all
    pages where those are not told either.

    Args:
        root: where ``proc`` and ``sys`` lie.

    Raises:
        ConfigError: this system tells none of these.
    """
    try:
        machine = _table(root / "proc/meminfo")["MemAvailable"] * 1024
    except (OSError, KeyError):
        machine = _free_pages()
    return max(0, min([machine, *_left_in_groups(root)]))


def resident_bytes() -> int:
    """Bytes of memory that this process has now; 0 where the system does not tell."""
    try:
        return _table(Path("/proc/self/status"))["VmRSS"] * 1024
    except OSError:
        return 0


def peak_resident_bytes() -> int:
    """Bytes of memory that this process had at its highest moment (on Linux: since that was reset).

    Raises:
        ConfigError: this system does not tell.
    """
    try:
        return _table(Path("/proc/self/status"))["VmHWM"] * 1024
    except OSError:
        peak = peak_memory(torch.device("cpu"))
    if peak is None:
        raise _unknown()
    return peak


def _free_pages() -> int:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        if "SC_AVPHYS_PAGES" in os.sysconf_names:
            return page * os.sysconf("SC_AVPHYS_PAGES")
        return page * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):
        raise _unknown() from None


def _unknown() -> ConfigError:
    return ConfigError(
        "batch_size is auto, and this system does not tell how much memory a process uses; "
        "give a number by --batch-size"
    )


def _left_in_groups(root: Path) -> Iterator[int]:
    """What the limit of each control group of this process leaves, of both versions of the interface."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _left_above(
                root / "sys/fs/cgroup", path, "memory.max", "memory.current", "inactive_file"
            )
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left_above(root / "sys/fs/cgroup/memory", path, *names)


def _left_above(mount: Path, path: str, limit: str, usage: str, cached: str) -> Iterator[int]:
    """What each group from ``path`` up to the root of ``mount`` leaves; a container sees but the root."""
    group = Path(path.lstrip("/"))
    for folder in dict.fromkeys([mount / group, *(mount / parent for parent in group.parents), mount]):
        try:
            allowed = (folder / limit).read_text(encoding="ascii").strip()
            used = int((folder / usage).read_text(encoding="ascii"))
            cache = _table(folder / "memory.stat").get(cached, 0)
        except OSError:
            continue
        if allowed != "max":
            yield int(allowed) - used + cache


def _table(path: Path) -> dict[str, int]:
    """The numbers of a file whose lines are ``name: number unit`` or ``name number``."""
    rows = (line.replace(":", " ").split() for line in path.read_text(encoding="utf-8").splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}
