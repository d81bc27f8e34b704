"""What callbacks, TensorBoard and the terminal are told of a training."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from core.training.trainings import Recorder, records, trainer
from fivefold.errors import Interrupted
from fivefold.training.callback import Callback
from fivefold.training.watching.progress import ProgressDisplay


def test_callbacks(tmp_path: Path) -> None:
    heard = Recorder()
    trainer(tmp_path, epochs=1, callbacks=[Callback(), heard]).fit()
    (name, info), *between, last = heard.calls
    assert name == "start"
    assert (info["step"], info["steps"], info["steps_per_epoch"], info["samples"]) == (0, 4, 4, 60)
    assert (info["monitor"], info["parameters"], info["precision"]) == ("accuracy", 131, "float32")
    assert between == [("train", 3), ("train", 4), ("val", 4)]
    assert last == ("end", {"status": "finished", "step": 4})


def test_callbacks_hear_of_an_interruption(tmp_path: Path) -> None:
    class Stops(Recorder):
        def on_log(self, record: dict[str, Any]) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    heard = Stops()
    with pytest.raises(Interrupted):
        trainer(tmp_path, callbacks=[heard]).fit()
    assert heard.calls[-1] == ("end", {"status": "interrupted", "step": 3})


def test_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer(tmp_path, epochs=2, tensorboard=True).fit()
    trainer(tmp_path, epochs=3, tensorboard=True).fit(resume=True)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("val/accuracy")] == [4, 8, 12]
    losses = [line["loss"] for line in records(tmp_path) if line["split"] == "train"]
    assert [event.value for event in events.Scalars("train/loss")] == pytest.approx(losses)


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("val", [False, True])
def test_progress(terminal: bool, val: bool, tmp_path: Path) -> None:
    stream = io.StringIO()
    display = ProgressDisplay(Console(file=stream, force_terminal=terminal, width=160))
    trainer(tmp_path, val=val, callbacks=[display]).fit()
    text = stream.getvalue()
    assert "Training 131 parameters on 60 samples for 3 epochs of 4 steps (CPU" in text.replace("\x1b[0m", "")
    assert "loss" in text
    assert "samples/s" in text
    assert ("val accuracy" in text) is val
    assert ("12/12" in text) is terminal
    assert ("epoch 3/3" in text) or terminal


def test_progress_is_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainer(tmp_path, epochs=1, progress=True).fit()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "epoch 1/1" in captured.err
