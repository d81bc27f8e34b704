from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from core.training.toys import Classifier, blobs, settings
from fivefold.data.dataset import Batch
from fivefold.tasks.base import Loss, Phase, Task
from fivefold.training.speed import probe
from fivefold.training.speed.choices import Choices
from fivefold.training.speed.probe import choose

CPU = torch.device("cpu")
LONG = 1_000_000  # steps
BY_RULE = Choices("float32", channels_last=False)


class Clock:
    """A clock that only the task moves."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Timed(Task):
    """A task whose passes take as long as ``cost`` says, by the fake clock."""

    def __init__(self, cost: Callable[[Timed], float], *, image: bool = False) -> None:
        super().__init__()
        self.network: nn.Module = nn.Conv2d(2, 2, 3) if image else nn.Linear(4, 3)
        self.cost = cost
        self.passes: list[str] = []

    def __deepcopy__(self, memo: dict[int, object]) -> Timed:
        duplicate = Timed(self.cost, image=isinstance(self.network, nn.Conv2d))
        duplicate.load_state_dict(self.state_dict())
        duplicate.passes = self.passes  # what the copies do is told by the original
        return duplicate

    def phases(self) -> list[Phase]:
        return [Phase("one", repeats=2), Phase("two")]

    def loss(self, batch: Batch, phase: str) -> Loss:
        self.passes.append(phase)
        clock.now += self.cost(self) / 3
        noise = torch.rand(())
        return Loss(self.network(batch["input"]).float().square().mean() * noise, 1)

    @property
    def layout_is_last(self) -> bool:
        return self.network.weight.is_contiguous(memory_format=torch.channels_last)


clock = Clock()


@pytest.fixture(autouse=True)
def _fake_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(probe, "time", SimpleNamespace(perf_counter=clock.perf_counter))
    clock.now = 0.0
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(1)


def numbers(size: int = 8) -> Batch:
    return {"input": torch.rand(size, 4)}


def images() -> Batch:
    return {"input": torch.rand(2, 2, 5, 5)}


def by_threads(times: dict[int, float]) -> Callable[[Timed], float]:
    return lambda _: times[torch.get_num_threads()]


def test_fewer_threads_where_they_are_faster(caplog: pytest.LogCaptureFixture) -> None:
    task = Timed(by_threads({4: 0.004, 2: 0.003, 1: 0.001}))
    with caplog.at_level(logging.INFO):
        assert choose(task, numbers, settings(), CPU, steps=LONG) == Choices(
            "float32", channels_last=False, threads=1
        )
    assert clock.now < 2.5
    (line,) = [record.message for record in caplog.records]
    assert "threads 4 4 ms; threads 1 1 ms; threads 2 3 ms; chosen: threads 1" in line


def test_a_gain_of_less_than_a_tenth_is_left() -> None:
    task = Timed(by_threads({4: 0.004, 2: 0.0037, 1: 0.0038}))
    assert choose(task, numbers, settings(), CPU, steps=LONG) == BY_RULE


def test_the_first_outcome_stays_whatever_is_measured_later() -> None:
    first = choose(Timed(by_threads({4: 0.004, 2: 0.001, 1: 0.004})), numbers, settings(), CPU, steps=LONG)
    assert first.threads == 2
    later = Timed(by_threads({4: 0.001, 2: 0.004, 1: 0.004}))
    assert choose(later, numbers, settings(), CPU, steps=LONG) == first
    assert later.passes == []
    assert choose(later, lambda: numbers(5), settings(), CPU, steps=LONG) == BY_RULE, "another question"


def test_short_trainings_are_left_alone_for_good() -> None:
    task = Timed(by_threads({4: 0.004, 2: 0.001, 1: 0.001}))
    assert choose(task, numbers, settings(), CPU, steps=1000) == BY_RULE
    looks = len(task.passes)
    assert looks == 3 * 4
    slow = Timed(by_threads({4: 4.0, 2: 0.001, 1: 0.001}))
    assert choose(slow, numbers, settings(), CPU, steps=1000) == BY_RULE, "the first look is remembered"
    assert slow.passes == []
    assert choose(task, numbers, settings(), CPU, steps=LONG).threads == 1
    assert choose(task, numbers, settings(), CPU, steps=1000) == BY_RULE, "also when a longer one measured"


def test_accumulation_makes_steps_longer() -> None:
    task = Timed(by_threads({4: 0.004, 2: 0.001, 1: 0.001}))
    config = settings(trainer={"accumulate": 20})
    assert choose(task, numbers, config, CPU, steps=1000).threads == 1


def test_memory_layout() -> None:
    task = Timed(lambda task: 0.004 if task.layout_is_last else 0.002, image=True)
    torch.set_num_threads(1)
    assert choose(task, images, settings(), CPU, steps=LONG) == Choices("float32", channels_last=False)
    task = Timed(lambda task: 0.002 if task.layout_is_last else 0.004, image=True)
    larger = {"input": torch.rand(3, 2, 5, 5)}
    assert choose(task, lambda: larger, settings(), CPU, steps=LONG) == Choices("float32", channels_last=True)


def by_precision(task: Timed) -> float:
    return 0.002 if torch.is_autocast_enabled("cpu") else 0.004


def test_bfloat16_where_the_hardware_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    assert choose(Timed(by_precision), numbers, settings(), CPU, steps=LONG) == BY_RULE
    monkeypatch.setattr(probe, "has_bfloat16", lambda _: True)
    found = choose(Timed(by_precision), numbers, settings(), CPU, steps=LONG)
    assert found == Choices("bfloat16", channels_last=False)
    asked = settings(trainer={"precision": "float32"})
    assert choose(Timed(by_precision), numbers, asked, CPU, steps=LONG) == BY_RULE


def test_what_does_not_run_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def cost(task: Timed) -> float:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("no such kernel in bfloat16")
        return 0.004

    torch.set_num_threads(1)
    monkeypatch.setattr(probe, "has_bfloat16", lambda _: True)
    assert choose(Timed(cost), numbers, settings(), CPU, steps=LONG) == BY_RULE


def test_steps_too_long_to_compare_are_not_compared() -> None:
    task = Timed(by_threads({4: 3.0, 2: 1.0, 1: 1.0}))
    assert choose(task, numbers, settings(), CPU, steps=LONG) == BY_RULE
    assert clock.now == pytest.approx(3.0), "one step alone was timed"


def test_hopeless_candidates_get_one_turn() -> None:
    task = Timed(by_threads({4: 0.02, 2: 0.02, 1: 0.08}))
    assert choose(task, numbers, settings(), CPU, steps=LONG) == BY_RULE
    assert clock.now < 2.5


@pytest.mark.parametrize(
    ("values", "processes", "device"),
    [({"probe": False}, 1, "cpu"), ({}, 2, "cpu"), ({"precision": "float32"}, 1, "cuda")],
)
def test_nothing_is_measured_where_it_may_not_be(
    values: dict[str, object], processes: int, device: str
) -> None:
    task = Timed(by_threads({4: 0.004, 2: 0.001, 1: 0.001}))
    config = settings(trainer=values)
    chosen = choose(task, numbers, config, torch.device(device), steps=LONG, processes=processes)
    assert chosen == BY_RULE
    assert task.passes == []


def test_without_a_place_to_remember_nothing_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "file" / "cache"))
    task = Timed(by_threads({4: 0.004, 2: 0.001, 1: 0.001}))
    assert choose(task, numbers, settings(), CPU, steps=LONG) == BY_RULE


def test_a_damaged_memory_is_measured_anew(tmp_path: Path) -> None:
    task = Timed(by_threads({4: 0.004, 2: 0.004, 1: 0.001}))
    choose(task, numbers, settings(), CPU, steps=LONG)
    (remembered,) = (tmp_path / "cache" / "probe").glob("*.json")
    remembered.write_text("{", encoding="utf-8")
    assert choose(task, numbers, settings(), CPU, steps=LONG).threads == 1
    assert json.loads(remembered.read_text(encoding="utf-8"))["seconds"] == pytest.approx(0.004)


def test_task_threads_and_generators_stay_as_they_are() -> None:
    task = Timed(by_threads({4: 0.004, 2: 0.001, 1: 0.001}), image=True).eval()
    before = copy.deepcopy(task.state_dict())
    batch = images()
    torch.manual_seed(1)
    chosen = choose(task, lambda: batch, settings(), CPU, steps=LONG)
    assert chosen.threads == 1
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))
    assert torch.get_num_threads() == 4
    assert not task.training
    assert all(value.grad is None for value in task.parameters())
    assert not task.layout_is_last
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items())
    assert task.passes.count("one") == 2 * task.passes.count("two")


def test_choices_are_applied_and_written_down() -> None:
    choices = Choices("bfloat16", channels_last=True, threads=2)
    with choices.apply():
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 4
    assert Choices.from_values(json.loads(json.dumps(choices.to_values()))) == choices
    with BY_RULE.apply():
        assert torch.get_num_threads() == 4


def test_a_real_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "time", time)
    torch.set_num_threads(2)
    data = blobs(64).tensors()
    assert data is not None
    batch: dict[str, Tensor] = data
    found = choose(Classifier(norm=True), lambda: batch, settings(), CPU, steps=10**9)
    assert found.threads in {None, 1}
    assert choose(Classifier(norm=True), lambda: batch, settings(), CPU, steps=10**9) == found
