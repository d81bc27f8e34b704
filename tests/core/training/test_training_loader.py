from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from core.training.toys import Streamed, blobs
from fivefold.data.dataset import Dataset
from fivefold.errors import DataError
from fivefold.training.loader import Loader

CPU = torch.device("cpu")
BATCHES = torch.split(torch.randperm(50, generator=torch.Generator().manual_seed(0)), 8)


def loader(data: Dataset, workers: int = 2, memory_share: float = 0.25) -> Loader:
    return Loader(data, CPU, workers=workers, memory_share=memory_share)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if "fivefold" in thread.name] == []


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_all_ways_give_the_same_batches(workers: int) -> None:
    data = blobs(50)
    held = loader(data)
    assert held.resident
    assert not loader(data, memory_share=0).resident
    expected = [data.batch(indices) for indices in BATCHES]
    for way in (held, loader(data, workers, memory_share=0), loader(Streamed(data), workers)):
        given = list(way.read(BATCHES))
        assert len(given) == len(expected)
        for one, other in zip(given, expected, strict=True):
            assert one.keys() == other.keys()
            assert all(torch.equal(one[name], other[name]) for name in one)


def test_nothing_asked_nothing_read() -> None:
    assert list(loader(blobs(5)).read([])) == []
    assert list(loader(Streamed(blobs(5))).read([])) == []


def test_reading_ahead_is_bounded_and_stops_when_closed() -> None:
    data = Streamed(blobs(50))
    stream = loader(data, workers=1).read(BATCHES)
    next(stream)
    stream.close()
    assert len(data.read) <= 8 * 4


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_sample_is_named(workers: int) -> None:
    data = Streamed(blobs(50), broken={int(BATCHES[3][2]): ValueError("bad magic number")})
    stream = loader(data, workers).read(BATCHES)
    assert len([next(stream) for _ in range(3)]) == 3
    name = f"'sample {int(BATCHES[3][2])}'"
    with pytest.raises(
        DataError, match=rf"{name}.* and 3 more could not be read: ValueError: bad magic number"
    ):
        next(stream)


def test_errors_that_name_their_file_pass_through() -> None:
    error = DataError("cat.jpg: expected a JPEG")
    with pytest.raises(DataError, match=r"^cat.jpg: expected a JPEG$"):
        list(loader(Streamed(blobs(50), broken={4: error})).read(BATCHES))
