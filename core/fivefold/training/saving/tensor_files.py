"""Files of tensors (safetensors) on disk: written in one pass, hashed on the way, synced.

Written by code of our own because safetensors' own functions either build the whole file in memory while they
hold the interpreter's lock, so that no other thread trains meanwhile, or make files that only their owner may
read. The bytes of each tensor go from where they lie to the disk and into the digest, a piece at a time.
Format: https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from fivefold.errors import CheckpointError

_PIECE = (
    4 << 20
)  # bytes written and hashed at a time: what was just written is still in the processor's cache
_ALIGNMENT = 8
_CODES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.uint16: "U16",
    torch.int16: "I16",
    torch.uint32: "U32",
    torch.int32: "I32",
    torch.uint64: "U64",
    torch.int64: "I64",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
    torch.complex64: "C64",
}


@dataclass(frozen=True)
class TensorFile:
    """What one file shall hold.

    Attributes:
        tensors: by name; those that share memory are written once each.
        metadata: texts for the file's header.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Digest:
    """What a file on disk must be."""

    bytes: int
    sha256: str


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors and sync them to disk; tensors that share memory are written once each.

    Raises:
        CheckpointError: the disk is full or cannot be written, or safetensors has no word for a dtype.
    """
    try:
        write_file(path, encode_tensors(TensorFile(tensors)))
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
        # Copies: a tensor must not change or vanish with the file that it was read from.
        return {name: tensor.clone() for name, tensor in safetensors.torch.load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} could not be read as safetensors: {error}; expected a file that fivefold wrote"
        ) from error


def encode_tensors(content: TensorFile) -> Iterator[bytes | memoryview]:
    """The bytes of a safetensors file, a piece at a time; a tensor elsewhere comes to the CPU at its turn.

    Raises:
        CheckpointError: safetensors has no word for a dtype.
    """
    # Wide elements first, so that each tensor begins at a multiple of its elements' size.
    order = sorted(content.tensors, key=lambda name: (-content.tensors[name].element_size(), name))
    header: dict[str, object] = {"__metadata__": dict(content.metadata)} if content.metadata else {}
    end = 0
    for name in order:
        tensor = content.tensors[name]
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _code(name, tensor),
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    yield len(text).to_bytes(8, "little") + text
    for name in order:
        # Flattened first: a tensor without dimensions cannot be viewed as bytes.
        flat = content.tensors[name].detach().cpu().contiguous().reshape(-1)
        yield flat.view(torch.uint8).numpy().data


def write_file(path: Path, pieces: Iterable[bytes | memoryview]) -> Digest:
    """Write a file and sync it to disk."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in pieces:
            for start in range(0, len(piece), _PIECE):
                part = piece[start : start + _PIECE]
                file.write(part)
                digest.update(part)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return Digest(size, digest.hexdigest())


def read_digest(path: Path) -> Digest:
    """What the file on disk is."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Digest(file.tell(), sha256)


def _code(name: str, tensor: Tensor) -> str:
    try:
        return _CODES[tensor.dtype]
    except KeyError:
        raise CheckpointError(
            f"tensor '{name}' is of {tensor.dtype}, which safetensors cannot hold; "
            "leave it out of the module's state or keep it in another dtype"
        ) from None
