from __future__ import annotations

import threading
from collections.abc import Generator, Iterator

import pytest
import torch

from core.training.readers import Counting, Reader
from core.training.toys import Streamed, blobs
from fivefold.data.dataset import Dataset
from fivefold.errors import DataError
from fivefold.training.loading.loader import Loader
from fivefold.training.loading.prefetch import started_ahead

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
    expected = [data.batch(indices) for indices in BATCHES]
    ways = loader(data), loader(data, workers, memory_share=0), loader(Streamed(data), workers)
    assert [way.resident for way in ways] == [True, False, False]
    for way in ways:
        with way:
            # Twice, because workers live from one epoch to the next.
            for given in (list(way.read(BATCHES)), list(way.read(BATCHES))):
                assert len(given) == len(expected)
                for one, other in zip(given, expected, strict=True):
                    assert one.keys() == other.keys()
                    assert all(torch.equal(one[name], other[name]) for name in one)


def test_nothing_asked_nothing_read() -> None:
    for data in (blobs(5), Streamed(blobs(5))):
        with loader(data) as way:
            assert list(way.read([])) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_reading_ahead_goes_as_far_as_its_bound_and_no_further(workers: int) -> None:
    data = Counting(100)
    with loader(data, workers) as way:
        stream = way.read(torch.split(torch.arange(100), 2))
        for taken in range(1, 40):
            next(stream)
            assert data.wait_until_begun(taken + 2 * workers)
            assert data.begun == taken + 2 * workers
        stream.close()
    assert data.begun == 39 + 2 * workers


def test_threads_live_from_one_reading_to_the_next_and_start_anew_after_a_close() -> None:
    def names() -> set[str]:
        return {thread.name for thread in threading.enumerate() if "fivefold" in thread.name}

    way = loader(Reader(10), workers=1)
    assert names() == set()
    for _ in range(2):
        for _ in range(2):
            assert len(list(way.read([torch.tensor([3])]))) == 1
            assert len(names()) == 1
        way.close()
        assert names() == set()
    way.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_sample_is_named(workers: int) -> None:
    broken = int(BATCHES[3][2])
    data = Streamed(blobs(50), broken={broken: ValueError("bad magic number")})
    with loader(data, workers) as way:
        stream = way.read(BATCHES)
        assert len([next(stream) for _ in range(3)]) == 3
        message = (
            rf"^the sample 'sample {broken}' could not be read: ValueError: bad magic number; it is broken"
        )
        with pytest.raises(DataError, match=message):
            next(stream)
        assert len(list(way.read(BATCHES[:3]))) == 3  # an error leaves the loader as it was


def test_all_broken_samples_of_a_batch_are_named_the_first_five_by_name() -> None:
    broken = {index: KeyError(index) for index in range(2, 9)}
    data = Streamed(blobs(50), broken=broken)
    names = "'sample 2', 'sample 3', 'sample 4', 'sample 5', 'sample 6' and 2 more"
    with pytest.raises(
        DataError, match=rf"^the samples {names} could not be read: KeyError: 2; they are broken"
    ):
        list(loader(data, workers=0).read([torch.tensor([1, 2, 2, 3, 4, 5, 6, 7, 8])]))


def test_samples_that_do_not_fit_together_are_named_together() -> None:
    data = Reader(9, {4: "raise in company"})
    message = (
        r"^the samples 'sample 3', 'sample 4' could not be read together, but each of them alone: ValueError"
    )
    with pytest.raises(DataError, match=message):
        list(loader(data, workers=0).read([torch.tensor([3, 4])]))


@pytest.mark.parametrize(
    "error", [DataError("cat.jpg: expected a JPEG"), MemoryError("no room for 3 GB")], ids=["named", "memory"]
)
def test_errors_that_say_it_already_pass_through(error: Exception) -> None:
    with (
        loader(Streamed(blobs(50), broken={4: error})) as way,
        pytest.raises(type(error), match=rf"^{error}$"),
    ):
        list(way.read(BATCHES))


def _numbers(count: int) -> Generator[int]:
    yield from range(count)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_each_copy_is_started_before_the_item_before_it_is_given(count: int) -> None:
    started: list[int] = []
    given = 0
    for item in started_ahead(_numbers(count), lambda item: started.append(item) or item):
        assert item == given
        given += 1
        assert started == list(range(min(given + 1, count)))
    assert given == count


def test_items_that_are_started_ahead_are_let_go_when_closed() -> None:
    numbers = _numbers(9)
    ahead = started_ahead(numbers, str)
    assert next(ahead) == "0"
    ahead.close()
    assert list(numbers) == []


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["thread", "process"])
def test_batches_that_are_copied_beside_the_computation_are_whole(kind: str) -> None:
    device = torch.device("cuda")
    data = Reader(4096)
    batches = torch.split(torch.randperm(4096), 64)
    weights = torch.randn(2048, 2048, device=device)
    with Loader(data, device, workers=2, memory_share=0, worker_kind=kind) as way:
        sums = []
        for batch in way.read(batches):
            for _ in range(8):  # keeps the device busy, so that copies and reused memory could overtake it
                weights = torch.tanh(weights @ weights)
            sums.append((batch["input"].sum() + 0 * weights.sum(), batch["target"].sum()))
    for indices, (total, targets) in zip(batches, sums, strict=True):
        assert total.item() == pytest.approx(6 * torch.sin(indices.float()).sum().item(), abs=1e-3)
        assert targets.item() == indices.sum().item()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_data_that_fit_are_kept_on_the_device() -> None:
    data = blobs(50)
    way = loader(data)
    on_device = Loader(data, torch.device("cuda"), workers=2, memory_share=0.25)
    assert on_device.resident
    for one, other in zip(on_device.read(BATCHES), way.read(BATCHES), strict=True):
        assert all(one[name].is_cuda and torch.equal(one[name].cpu(), other[name]) for name in other)
