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

PACKAGES = (
    "fivefold",
    "torch",
    "numpy",
    "scikit-learn",
    "transformers",
    "pydicom",
    "python-gdcm",
    "pylibjpeg-openjpeg",
    "nibabel",
    "opencv-python-headless",
    "safetensors",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that bear on results."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


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
