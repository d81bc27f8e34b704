"""The device a training runs on."""

from __future__ import annotations

import torch

from fivefold.errors import ConfigError


def choose_device(name: str, default_index: int = 0) -> torch.device:
    """The device called ``name``: ``auto`` (CUDA if there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    Args:
        name: as above.
        default_index: number of the CUDA device where the name has none; each of several processes on a
            machine takes its own.

    Raises:
        ConfigError: the name is none of these, or this machine has no such device.
    """
    if name == "auto":
        if not torch.cuda.is_available():
            return torch.device("cpu")
        name = "cuda"
    if name == "cpu":
        return torch.device("cpu")
    kind, _, number = name.partition(":")
    if kind != "cuda" or (":" in name and not number.isdecimal()):
        raise ConfigError(f"device '{name}' is not one that fivefold knows; choose auto, cpu, cuda or cuda:N")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(number or default_index)
    if index >= found:
        raise ConfigError(
            f"device 'cuda:{index}' is not there: torch {torch.__version__} sees {found} CUDA device(s); "
            "choose --device cpu or auto"
        )
    return torch.device("cuda", index)


def device_memory(device: torch.device) -> int:
    """Bytes of memory that a CUDA ``device`` has in all."""
    return int(torch.cuda.mem_get_info(device)[1])


def describe_device(device: torch.device) -> str:
    """The device in words, for logs: its name and, on the CPU, the threads torch uses."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"
