"""Tensors are written as safetensors has them, and read back bit for bit."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import safetensors.torch
import torch

from fivefold.errors import CheckpointError
from fivefold.training.saving.checkpoint import load_tensors, save_tensors
from fivefold.training.saving.tensor_files import TensorFile, encode_tensors, read_digest, write_file


def test_tensors_bit_for_bit_whatever_their_layout(tmp_path: Path) -> None:
    shared = torch.rand(4, 4)
    tensors = {
        "transposed": shared.T,
        "view": shared[1:],
        "tied": shared,
        "expanded": torch.rand(1).expand(5),
        "last": torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
        "odd": torch.tensor([torch.nan, torch.inf, -0.0]),
        "bfloat16": torch.rand(3).bfloat16(),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "parameter": torch.nn.Parameter(torch.rand(2)),
    }
    save_tensors(tmp_path / "x.safetensors", tensors)
    read = load_tensors(tmp_path / "x.safetensors")
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype
        torch.testing.assert_close(read[name], tensor.detach(), rtol=0, atol=0, equal_nan=True)


DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.uint16, torch.int16, torch.uint32, torch.int32, torch.uint64,
    torch.int64, torch.float8_e4m3fn, torch.float8_e5m2, torch.float16, torch.bfloat16, torch.float32,
    torch.float64, torch.complex64,
]  # fmt: skip


def test_safetensors_reads_every_dtype_as_it_was_written(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for dtype in DTYPES:
        size = 3 * dtype.itemsize
        values = torch.randint(0, 2, (size,), dtype=torch.uint8, generator=generator)
        tensors[f"{dtype}"] = values.view(dtype)
        tensors[f"{dtype} empty"] = torch.empty(2, 0, dtype=dtype)
    save_tensors(tmp_path / "x.safetensors", tensors)
    read = safetensors.torch.load((tmp_path / "x.safetensors").read_bytes())
    for name, tensor in tensors.items():
        assert (read[name].dtype, read[name].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(read[name].reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8))


def test_the_file_is_the_one_that_safetensors_writes(tmp_path: Path) -> None:
    tensors = {"b": torch.rand(3, 2), "a": torch.rand(5), "é": torch.rand(()), "wide": torch.rand(2).double()}
    save_tensors(tmp_path / "x.safetensors", tensors)
    assert (tmp_path / "x.safetensors").read_bytes() == safetensors.torch.save(tensors)


def test_large_tensors_are_written_in_pieces(tmp_path: Path) -> None:
    tensors = {"large": torch.rand(3, 1 << 20), "small": torch.rand(2)}
    digest = write_file(tmp_path / "x.safetensors", encode_tensors(TensorFile(tensors)))
    assert digest == read_digest(tmp_path / "x.safetensors")
    assert digest.sha256 == hashlib.sha256((tmp_path / "x.safetensors").read_bytes()).hexdigest()
    read = load_tensors(tmp_path / "x.safetensors")
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)


def test_a_dtype_without_a_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"'wave' is of torch.complex128, which safetensors cannot hold"
    ):
        save_tensors(tmp_path / "x.safetensors", {"wave": torch.zeros(1, dtype=torch.complex128)})


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all"])
def test_broken_tensors(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x.safetensors could not be read as safetensors"):
        load_tensors(path)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"x.safetensors could not be written: No such file"):
        save_tensors(tmp_path / "absent" / "x.safetensors", {})
