"""The profiler around a real training; what its numbers mean is tested on traces that are given."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.training.toys import Classifier, Gan, blobs, settings
from fivefold.data.dataset import Batch
from fivefold.tasks.base import Task
from fivefold.training.engine import Engine
from fivefold.training.watching.profile import Profiler
from fivefold.training.watching.profile_page import describe_profile
from fivefold.training.watching.profile_summary import PARTS
from fivefold.training.watching.trace import read_trace

CPU = torch.device("cpu")
DATA = blobs(32)


def engine_of(task: Task, device: torch.device = CPU) -> Engine:
    return Engine(task, settings(batch_size=8, epochs=9), device, batches=4)


def epochs(number: int, device: torch.device = CPU) -> Iterator[list[list[Batch]]]:
    """So many epochs of four steps, each with the batches that two repeats take."""
    batch = {name: tensor[:8].to(device) for name, tensor in (DATA.tensors() or {}).items()}
    for _ in range(number):
        yield [[batch, batch]] * 4


def train(
    directory: Path,
    task: Task,
    device: torch.device = CPU,
    *,
    number: int = 3,
    steps: int = 5,
    warmup: int = 2,
) -> tuple[Profiler, int]:
    """The profiler, and the number of steps that were made."""
    engine = engine_of(task, device)
    made = 0
    with Profiler(directory, device, steps=steps, warmup=warmup) as profiler:
        profiler.attach(engine)
        for epoch in epochs(number, device):
            for batches in profiler.watch(epoch):
                engine.train_step(batches[: engine.batches_per_step], made)
                made += 1
    return profiler, made


@pytest.mark.parametrize("task", [Classifier(), Gan()], ids=["supervised", "gan"])
def test_it_says_where_the_time_goes(task: Task, tmp_path: Path) -> None:
    profiler, made = train(tmp_path / "profile", task)
    assert made == 12
    summary = profiler.summary
    assert summary is not None
    assert summary.steps == 5
    assert tuple(summary.shares) == PARTS
    assert sum(summary.shares.values()) == pytest.approx(1)
    assert all(summary.shares[part] > 0 for part in ("data", "forward", "backward", "optimizer"))
    assert summary.shares["communication"] == 0
    assert 0 < len(summary.operators) <= 10
    assert all(one.name and one.milliseconds > 0 for one in summary.operators)
    assert summary.memory_bytes is None or summary.memory_bytes > 1e6

    written = json.loads((tmp_path / "profile" / "summary.json").read_text(encoding="utf-8"))
    assert written["format"] == 1
    assert written["shares"] == summary.shares
    assert written["operators"][0]["name"] == summary.operators[0].name
    page = (tmp_path / "profile" / "summary.html").read_text(encoding="utf-8")
    assert summary.advice in page
    assert summary.operators[0].name in page
    told = describe_profile(tmp_path / "profile")
    assert told == f"Profile: {tmp_path / 'profile' / 'summary.html'} ({summary.advice.removesuffix('.')})"
    assert not any(word in page for word in ("<script", "src=", "href=", "url("))


def test_every_part_of_every_step_is_in_the_trace(tmp_path: Path) -> None:
    train(tmp_path, Gan())
    names = [event.name for event in read_trace(tmp_path / "trace.json.gz") if "fivefold." in event.name]
    assert names.count("fivefold.step") == 5
    # The critic makes two updates a step, the generator one.
    assert [names.count(f"fivefold.{part}") for part in ("forward", "backward", "optimizer")] == [15, 15, 15]


def test_nothing_is_left_in_the_step_afterwards(tmp_path: Path) -> None:
    engine = engine_of(Classifier())
    (phase,) = engine.phases
    before = {name: value for name, value in vars(phase).items() if callable(value)}
    with Profiler(tmp_path, CPU, steps=2, warmup=0) as profiler:
        profiler.attach(engine)
        (epoch,) = epochs(1)
        for made, batches in enumerate(profiler.watch(epoch)):
            changed = {name for name, value in before.items() if vars(phase)[name] != value}
            assert len(changed) == (3 if made < 2 else 0)
            engine.train_step(batches[:1], made)
            assert (tmp_path / "summary.json").exists() == (made > 1)


def test_a_short_training_is_profiled_as_far_as_it_goes(tmp_path: Path) -> None:
    profiler, _ = train(tmp_path, Classifier(), number=1, steps=20, warmup=1)
    assert profiler.summary is not None
    assert profiler.summary.steps == 3


def test_a_training_without_steps_after_the_warm_up_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        profiler, _ = train(tmp_path / "profile", Classifier(), number=1, warmup=5)
    assert profiler.summary is None
    assert describe_profile(tmp_path / "profile") is None
    assert not (tmp_path / "profile").exists()
    assert "has 4 steps, expected more than 5 to profile" in caplog.text


def test_a_training_that_fails_leaves_no_profile_and_no_profiler(tmp_path: Path) -> None:
    def fail() -> None:
        with Profiler(tmp_path / "profile", CPU, warmup=0) as profiler:
            (epoch,) = epochs(1)
            for _ in profiler.watch(epoch):
                raise ValueError("the loss is odd")

    with pytest.raises(ValueError, match="the loss is odd"):
        fail()
    assert not (tmp_path / "profile").exists()
    profiler, _ = train(tmp_path / "again", Classifier())  # torch allows one profiler at a time
    assert profiler.summary is not None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_it_says_where_the_time_goes_on_a_gpu(tmp_path: Path) -> None:
    profiler, _ = train(tmp_path, Classifier(), torch.device("cuda", 0))
    summary = profiler.summary
    assert summary is not None
    assert sum(summary.shares.values()) == pytest.approx(1)
    assert all(summary.shares[part] > 0 for part in ("forward", "backward", "optimizer"))
    assert summary.operators[0].milliseconds > 0
    assert summary.memory_bytes == torch.cuda.max_memory_allocated()
