"""What people, files and callbacks are told of a training."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from core.training import trainings
from fivefold.errors import Interrupted
from fivefold.training.callback import Callback
from fivefold.training.state import Position
from fivefold.training.watching.memory import in_words, peak_memory, used_memory
from fivefold.training.watching.progress import ProgressDisplay
from fivefold.training.watching.records import VARYING
from fivefold.training.watching.reporter import Reporter
from fivefold.training.watching.tensorboard import TensorBoard

INFO = {
    "directory": "runs/x", "device": "CPU", "precision": "float32", "parameters": 131, "samples": 60,
    "epochs": 3, "steps": 12, "steps_per_epoch": 4, "batch_size": 16, "monitor": "accuracy",
}  # fmt: skip


class Recorder(trainings.Recorder):
    """Notes whole records, and where a training goes back to."""

    def on_log(self, record: dict[str, Any]) -> None:
        self.calls.append(("log", record))

    def on_rewind(self, step: int) -> None:
        self.calls.append(("rewind", step))


class Raises(Recorder):
    """Raises in the calls it is told to, and counts those it hears."""

    def __init__(self, *calls: str) -> None:
        super().__init__()
        for call in calls:
            setattr(self, call, self._fail)

    def _fail(self, _: Any) -> None:
        self.calls.append(("raised", None))
        raise ConnectionError("the server is away")


@contextmanager
def opened(
    *callbacks: Callback, path: Path | None = None, position: Position | None = None
) -> Iterator[Reporter]:
    reporter = Reporter(callbacks)
    with reporter.open(path, dict(INFO), position or Position()):
        yield reporter


def losses(reporter: Reporter, step: int, *, waited: float = 0.0) -> None:
    reporter.record_losses(
        {"main/loss": 0.5, "main/accuracy": 0.8},
        {"main": 0.01},
        step=step,
        epoch=step / 4,
        samples=16 * step,
        waited=waited,
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_records_of_training_and_validation(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with opened(path=path) as reporter:
        losses(reporter, 2)
        losses(reporter, 4, waited=1e6)
        reporter.record_validation({"accuracy": 0.75}, step=4, epoch=1.0, seconds=1.23456)
    first, second, third = lines(path)
    assert {key: value for key, value in first.items() if key not in VARYING} == {
        "split": "train", "epoch": 0.5, "step": 2, "loss": 0.5, "accuracy": 0.8, "lr": 0.01,
    }  # fmt: skip
    assert set(first) >= {"samples_per_second", "data_wait", "memory_bytes"}
    assert (first["data_wait"], second["data_wait"]) == (0.0, 1.0)
    assert first["memory_bytes"] > 1e6
    assert third == {"split": "val", "epoch": 1.0, "step": 4, "accuracy": 0.75, "seconds": 1.235}


def test_records_of_several_phases_name_them() -> None:
    heard = Recorder()
    with opened(heard) as reporter:
        reporter.record_losses(
            {"critic/loss": 1.0, "generator/loss": 2.0},
            {"critic": 0.1, "generator": 0.2},
            step=1,
            epoch=0.25,
            samples=16,
            waited=0.0,
        )
    _, record = heard.calls[1]
    assert [key for key in record if "/" in key] == [
        "critic/loss",
        "generator/loss",
        "critic/lr",
        "generator/lr",
    ]


def test_without_a_file_only_callbacks_hear(tmp_path: Path) -> None:
    heard = Recorder()
    with opened(heard) as reporter:
        losses(reporter, 2)
        reporter.sync()
        assert reporter.length == 0
        reporter.rewind(Position(step=1))
    assert [name for name, _ in heard.calls] == ["start", "log", "rewind", "end"]
    assert heard.calls[0][1] == {**INFO, "step": 0, "device_memory": None}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status"), [(None, "finished"), (Interrupted("a signal"), "interrupted"), (OSError(), "failed")]
)
def test_callbacks_hear_how_it_ended(error: Exception | None, status: str) -> None:
    heard = Recorder()
    position = Position()

    def run() -> None:
        with opened(heard, position=position):
            position.step = 7
            if error is not None:
                raise error

    if error is None:
        run()
    else:
        with pytest.raises(type(error)):
            run()
    assert heard.calls[-1] == ("end", {"status": status, "step": 7})


@pytest.mark.parametrize("call", ["on_start", "on_log", "on_rewind", "on_end"])
def test_a_callback_that_raises_costs_only_itself(call: str, caplog: pytest.LogCaptureFixture) -> None:
    broken, heard = Raises(call), Recorder()
    with caplog.at_level(logging.WARNING), opened(broken, heard) as reporter:
        losses(reporter, 2)
        losses(reporter, 4)
        reporter.rewind(Position(step=2))
    assert [name for name, _ in heard.calls] == ["start", "log", "log", "rewind", "end"]
    assert [name for name, _ in broken.calls].count("raised") == 1
    assert broken.calls[-1][0] == "raised"
    assert f"Raises failed in {call} and is left out of this training: ConnectionError" in caplog.text


def test_going_back_cuts_off_what_was_written_since(tmp_path: Path) -> None:
    path, heard = tmp_path / "metrics.jsonl", Recorder()
    with opened(heard, path=path) as reporter:
        losses(reporter, 2)
        saved = Position(step=2, log_bytes=reporter.length)
        losses(reporter, 4)
        losses(reporter, 6)
        reporter.rewind(saved)
        losses(reporter, 3)
        saved.step = 3
    assert [line["step"] for line in lines(path)] == [2, 3]
    assert ("rewind", 2) in heard.calls
    assert heard.calls[-1] == ("end", {"status": "finished", "step": 3})


def test_tensorboard_hides_what_a_training_took_back(tmp_path: Path) -> None:
    with opened(TensorBoard(tmp_path)) as reporter:
        losses(reporter, 2)
        losses(reporter, 4)
        reporter.rewind(Position(step=2))
        losses(reporter, 3)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [2, 3]
    assert [event.step for event in events.Scalars("train/data_wait")] == [2, 3]
    assert all(event.value > 1e6 for event in events.Scalars("train/memory_bytes"))


def shown(*, terminal: bool, width: int = 160, **info: Any) -> str:
    stream = io.StringIO()
    display = ProgressDisplay(Console(file=stream, force_terminal=terminal, width=width))
    display.on_start({**INFO, "step": 0, "device_memory": None, **info})
    record = {
        "split": "train",
        "step": 8,
        "loss": 0.1234567,
        "samples_per_second": 12345.6,
        "data_wait": 0.031,
    }
    display.on_log({**record, "memory_bytes": 5 * 2**30})
    if display.live:
        display.tick(8)
    display.on_log({"split": "val", "step": 8, "accuracy": 0.91})
    display.on_end({"status": "finished", "step": 12})
    return stream.getvalue()


def test_a_line_an_epoch_where_there_is_no_terminal() -> None:
    first, second = shown(terminal=False).splitlines()
    assert first == "Training 131 parameters on 60 samples for 3 epochs of 4 steps (CPU, float32)"
    news, _, left = second.rpartition("  ")
    assert news == (
        "epoch 2/3  loss 0.1235  val accuracy 0.91  12,346 samples/s  data wait 3 %  memory 5.0 GiB"
    )
    assert left.endswith(" left")


def test_a_device_has_so_much_memory_in_all() -> None:
    assert "memory 5.0 GiB of 80.0 GiB" in shown(terminal=False, device_memory=80 * 2**30)


@pytest.mark.parametrize("width", [60, 160])
def test_a_bar_and_the_news_in_a_terminal(width: int) -> None:
    text = shown(terminal=True, width=width, step=4)
    assert "from step 4" in text
    assert "epoch 2/3" in text
    assert "12/12" in text
    words = " ".join(text.split())
    assert all(news in words for news in ("loss 0.1235", "val accuracy 0.91", "data wait 3 %", "5.0 GiB"))


def test_a_step_tells_nobody_where_there_is_no_bar() -> None:
    class Counts(ProgressDisplay):
        ticks = 0

        def tick(self, step: int) -> None:
            self.ticks += 1

    for terminal in (False, True):
        display = Counts(Console(file=io.StringIO(), force_terminal=terminal, width=80))
        with opened(display) as reporter:
            reporter.tick(1)
            reporter.tick(2)
        assert display.ticks == (2 if terminal else 0)


def test_memory() -> None:
    cpu = torch.device("cpu")
    used, peak = used_memory(cpu), peak_memory(cpu)
    assert used is not None
    assert peak is not None
    assert 1e7 < used <= 1.5 * peak
    assert [in_words(size) for size in (999, 2048, 512 * 2**20, 139 * 2**30)] == [
        "999 bytes", "2 KiB", "512 MiB", "139.0 GiB",
    ]  # fmt: skip
