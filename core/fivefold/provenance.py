"""What a run was made with: versions, hardware, command."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch
from packaging.requirements import Requirement

CORE = "fivefold"


def versions(distribution: str = CORE, extra: str = "") -> dict[str, str]:
    """Versions of Python and of the installed packages that bear on results.

    They are those that fivefold needs, and those that the distribution of the plugin asks for, alone and with the
    extra that is called like the domain.

    Args:
        distribution: the one that brings the plugin.
        extra: name of the domain.
    """
    found = {"python": platform.python_version()}
    for package in (CORE, *_required(CORE), distribution, *_required(distribution, extra)):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _required(distribution: str, extra: str = "") -> list[str]:
    """Names of the packages that ``distribution`` asks for, with an extra of its own or without."""
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []
    wanted = [Requirement(line) for line in lines]
    return [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": extra})]


def hardware(device: torch.device) -> dict[str, str | int]:
    """The machine, in the words a benchmark table needs."""
    found: dict[str, str | int] = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
    }
    if device.type == "cuda":
        found["accelerator"] = torch.cuda.get_device_name(device)
    return found


def processor() -> str:
    """The processor's name, where the system tells it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def command() -> str:
    """The command line as it was typed, quoted for a shell."""
    return (
        shlex.join(["fivefold", *sys.argv[1:]])
        if sys.argv[0].endswith(("fivefold", "__main__.py"))
        else "python"
    )


def now() -> str:
    """The current time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
