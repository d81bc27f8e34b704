"""Tensors that lie in pieces in several safetensors files, read part by part.

Each file's header says where its pieces belong, in the words of torch.distributed.checkpoint's safetensors
format, so that torch's own reader and consolidation read these files too; a file that does not say so holds
whole tensors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Size, Tensor

from fivefold.errors import CheckpointError

_HEADER = "DCP_SHARDING_INFO"
_OFFSETS = "saved_offsets"


def describe_offsets(offsets: dict[str, list[int]]) -> dict[str, str]:
    """The metadata of a file whose pieces begin at ``offsets`` of their tensors, by name."""
    return {_HEADER: json.dumps({name: {_OFFSETS: place} for name, place in offsets.items()})}


@dataclass(frozen=True)
class _Piece:
    file: int
    offsets: list[int]
    sizes: list[int]


class PiecedTensors:
    """The tensors that lie in pieces in ``paths``.

    Attributes:
        shapes: of the whole tensors, by name.

    Raises:
        CheckpointError: a file cannot be read, or the pieces of a tensor do not make up a whole.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self._pieces: dict[str, list[_Piece]] = {}
        self._files: list[Any] = []
        for number, path in enumerate(self._paths):
            try:
                self._files.append(safe_open(path, framework="pt"))
                self._take_in(number)
            except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
                raise CheckpointError(
                    f"{path} could not be read as a part of a checkpoint: {error}; "
                    "expected a file that fivefold wrote"
                ) from error
        self.shapes = {name: self._whole_shape(name, pieces) for name, pieces in self._pieces.items()}

    def read(self, name: str, offsets: Sequence[int], sizes: Sequence[int]) -> Tensor:
        """The part of a tensor that begins at ``offsets`` and has the shape ``sizes``, on the CPU."""
        found: Tensor | None = None
        for piece in self._pieces[name]:
            begin = [max(a, b) for a, b in zip(offsets, piece.offsets, strict=True)]
            end = [
                min(a + size, b + extent)
                for a, size, b, extent in zip(offsets, sizes, piece.offsets, piece.sizes, strict=True)
            ]
            if any(a >= b for a, b in zip(begin, end, strict=True)):
                continue
            stored = self._files[piece.file].get_slice(name)
            part = stored[_slices(begin, end, piece.offsets)]
            if found is None:
                found = torch.empty(list(sizes), dtype=part.dtype)
            found[_slices(begin, end, offsets)] = part
        return self._nothing(name, sizes) if found is None else found

    def _nothing(self, name: str, sizes: Sequence[int]) -> Tensor:
        """A part without elements."""
        file = self._files[self._pieces[name][0].file]
        return torch.empty(list(sizes), dtype=file.get_tensor(name).dtype)

    def _take_in(self, number: int) -> None:
        file = self._files[number]
        described = json.loads((file.metadata() or {}).get(_HEADER, "null"))
        for name in file.keys():  # noqa: SIM118 - no mapping
            sizes = file.get_slice(name).get_shape()
            offsets = [0] * len(sizes) if described is None else described[name][_OFFSETS]
            if len(offsets) != len(sizes) or not all(isinstance(o, int) and o >= 0 for o in offsets):
                raise ValueError(f"{name} of shape {sizes} begins at {offsets}")
            self._pieces.setdefault(name, []).append(_Piece(number, offsets, sizes))

    def _whole_shape(self, name: str, pieces: list[_Piece]) -> Size:
        if len({len(piece.sizes) for piece in pieces}) > 1:
            raise self._misfit(name)
        ends = [[a + b for a, b in zip(piece.offsets, piece.sizes, strict=True)] for piece in pieces]
        shape = Size(max(column) for column in zip(*ends, strict=True))
        if sum(prod(piece.sizes) for piece in pieces) != shape.numel():
            raise self._misfit(name)
        return shape

    def _misfit(self, name: str) -> CheckpointError:
        parts = ", ".join(self._paths[piece.file].name for piece in self._pieces[name])
        return CheckpointError(
            f"{self._paths[0].parent}: the parts of {name} in {parts} do not make up one tensor; "
            "go on from another checkpoint"
        )


def _slices(begin: Sequence[int], end: Sequence[int], origin: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(a - o, b - o) for a, b, o in zip(begin, end, origin, strict=True))
