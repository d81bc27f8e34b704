"""Worker processes. Each costs more than a second to start, so that tests share them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from multiprocessing.reduction import send_handle
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributed as dist

from core.training.readers import FileError, Reader, Surroundings, Unloadable
from fivefold.data.dataset import Batch
from fivefold.errors import ConfigError, DataError
from fivefold.training.loading.loader import Loader
from fivefold.training.loading.worker import serve

CPU = torch.device("cpu")
TESTS = Path(__file__).parents[2]
READABLE = 90
FAULTS = {90: "raise", 91: "name the file", 92: "kill", 93: "leave in company"}


def processes(data: Reader, workers: int = 1) -> Loader:
    return Loader(data, CPU, workers=workers, memory_share=0, worker_kind="process")


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []
    assert [thread.name for thread in threading.enumerate() if "fivefold" in thread.name] == []


@pytest.fixture(scope="module")
def shared() -> Iterator[Loader]:
    with processes(Reader(100, FAULTS), workers=2) as loader:
        yield loader


def same(one: Batch, other: Batch) -> bool:
    return list(one) == list(other) and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


@given(st.lists(st.lists(st.integers(0, READABLE - 1), min_size=1, max_size=9), max_size=7))
@settings(deadline=None, max_examples=60)
def test_processes_give_the_same_batches_as_threads(shared: Loader, numbers: list[list[int]]) -> None:
    batches = [torch.tensor(indices) for indices in numbers]
    data = shared.dataset
    with Loader(data, CPU, workers=2, memory_share=0) as threads:
        expected = [data.batch(indices) for indices in batches]
        for loader in (threads, shared):
            given = list(loader.read(batches))
            assert len(given) == len(expected)
            assert all(map(same, given, expected))


def test_a_batch_is_kept_when_the_next_ones_come_and_holds_no_file(shared: Loader) -> None:
    batches = torch.split(torch.arange(READABLE).repeat(3), 9)
    next(shared.read(batches))
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only their number matters
    kept = list(shared.read(batches))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - pathlib opens one itself
    assert all(
        same(batch, shared.dataset.batch(indices)) for batch, indices in zip(kept, batches, strict=True)
    )


@pytest.mark.parametrize(
    ("broken", "kind", "message"),
    [
        (
            90,
            DataError,
            r"^the sample 'sample 90' could not be read: ValueError: bad magic number; it is broken",
        ),
        (91, FileError, r"^prices.csv, line 7: expected a number"),
        (
            92,
            DataError,
            (
                r"^a worker process died of signal 9 \(Killed, often for want of memory\) while reading "
                r"the sample 'sample 92'; repair that sample or leave it out of the data"
            ),
        ),
        (
            93,
            DataError,
            (
                r"^a worker process ended with exit code 3 while reading together the samples 'sample 5', 'sample 93', "
                r"each of which it can read alone; choose a smaller --batch-size"
            ),
        ),
    ],
)
def test_the_sample_that_fails_is_named_and_the_batches_before_it_come(
    shared: Loader, broken: int, kind: type[Exception], message: str
) -> None:
    stream = shared.read([torch.tensor([1, 2]), torch.tensor([3, 4]), torch.tensor([5, broken])])
    assert [next(stream)["target"].tolist() for _ in range(2)] == [[1, 2], [3, 4]]
    with pytest.raises(kind, match=message):
        next(stream)


def test_a_worker_survives_signals_is_replaced_after_a_kill_and_ends_with_its_loader(
    caplog: pytest.LogCaptureFixture,
) -> None:
    others = set(multiprocessing.active_children())

    def own() -> list[int]:
        return [int(child.pid or 0) for child in set(multiprocessing.active_children()) - others]

    def signal_all(*numbers: signal.Signals) -> list[int]:
        pids = own()
        for pid in pids:
            for number in numbers:
                os.kill(pid, number)
        return pids

    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        batches = [torch.tensor([0]), torch.tensor([1])]
        with processes(Surroundings(10, {3: "sleep"})) as loader:
            stream = loader.read(batches)
            first = signal_all(signal.SIGINT, signal.SIGTERM)  # as early as can be
            assert len(first) == 1
            # One thread, no process group, no CUDA.
            assert [batch["found"].tolist() for batch in stream] == [[[1, 0, 0]]] * 2
            signal_all(signal.SIGINT, signal.SIGTERM)
            assert len(list(loader.read(batches))) == 2
            assert own() == first

            stream = loader.read(batches)
            next(stream)
            stream.close()
            signal_all(signal.SIGKILL)
            with caplog.at_level(logging.WARNING, "fivefold.training.loading.worker_pool"):
                assert len(list(loader.read(batches))) == 2
            assert "died of signal 9" in caplog.text
            assert "the training goes on" in caplog.text
            second = own()
            assert len(second) == 1
            assert second != first

            stream = loader.read([torch.tensor([0]), torch.tensor([3]), torch.tensor([1])])
            next(stream)
        # The loader closed without waiting for a sample that never ends.
        assert own() == []
        with pytest.raises(CancelledError):
            next(stream)
        loader.close()
    finally:
        dist.destroy_process_group()


def test_data_that_cannot_be_sent_are_refused() -> None:
    data = Reader(4)
    data.form = lambda: None
    with pytest.raises(
        ConfigError,
        match=r"cannot be sent to worker processes: .*lambda.*; choose --trainer.worker-kind thread",
    ):
        processes(data).read([torch.tensor([0])])


def test_data_that_a_worker_cannot_make_again_are_refused() -> None:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs, tempfile.TemporaryFile() as file:
        file.write(pickle.dumps(Unloadable(4)))
        file.flush()
        for _ in range(2):  # the dataset, and what stands for the shared memory
            send_handle(ours, file.fileno(), 0)
        serve(theirs)
        error = ours.recv().error()
    assert isinstance(error, ConfigError)
    assert str(error).startswith(
        "the data cannot be sent to worker processes: ImportError: no module of that name here; choose"
    )


def train(code: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", f"from core.training.readers import train\n{code}"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_worker_outlives_a_training_that_is_killed_in_the_middle_of_a_sample() -> None:
    with train("train(busy=True)") as training:
        assert training.stdout is not None
        worker = os.pidfd_open(int(training.stdout.readline()))
        training.kill()
    ended, _, _ = select.select([worker], [], [], 60)
    os.close(worker)
    assert ended


@pytest.mark.slow
def test_a_loader_that_nobody_closed_does_not_hold_up_the_end_of_the_program() -> None:
    with train("train(busy=False)") as training:
        out, errors = training.communicate(timeout=60)
    assert training.returncode == 0
    assert out.strip().isdecimal()
    assert errors == ""


@pytest.mark.slow
def test_a_script_without_a_guarded_entry_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("from core.training.readers import train\ntrain(busy=False)\n")
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "a worker process ended with exit code 1 before it could read anything" in done.stderr
