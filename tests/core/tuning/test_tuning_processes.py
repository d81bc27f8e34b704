"""Studies that are stopped, killed, and worked on by several processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fivefold.tuning.study
from core.tuning.plants import study
from fivefold.errors import Interrupted
from fivefold.tuning.tuner import Tuned
from iris_pipeline import write_irises

HERE = Path(__file__).parent
PATIENCE = 120
"""Seconds after which a test of processes that wait for one another fails instead of hanging."""


@pytest.fixture(scope="module")
def irises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_irises(tmp_path_factory.mktemp("data") / "irises.csv")


@pytest.fixture(scope="module")
def whole(irises: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """A study that nothing disturbed."""
    return study(irises, tmp_path_factory.mktemp("whole") / "study")


def results(trials: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (trial["state"], trial["value"], trial["settings"], trial["values"])
        for trial in trials
        if trial["state"] != "interrupted"
    ]


def trials_of(directory: Path) -> list[dict[str, Any]]:
    trials: list[dict[str, Any]] = json.loads((directory / "study.json").read_text())["trials"]
    return trials


def stop_at(trial: int, epoch: int, number: signal.Signals) -> Callable[[int, dict[str, Any]], None]:
    def act(running: int, record: dict[str, Any]) -> None:
        if (running, record["epoch"]) == (trial, epoch):
            os.kill(os.getpid(), number)

    return act


@pytest.mark.parametrize(("epoch", "number"), [(1, signal.SIGINT), (2, signal.SIGTERM)])
def test_a_stopped_study_goes_on_as_if_it_had_not_been(
    epoch: int, number: signal.Signals, whole: Tuned, irises: Path, tmp_path: Path
) -> None:
    out = tmp_path / "study"
    with pytest.raises(Interrupted) as raised:
        study(irises, out, act=stop_at(1, epoch, number))
    assert raised.value.exit_code == 130
    assert f"1 trials finished; the study is kept in {out}" in str(raised.value)
    assert f"go on with the same command and --out {out}" in str(raised.value)
    assert [trial["state"] for trial in trials_of(out)] == ["complete", "interrupted", "waiting"]
    starts: list[float] = []

    def note(running: int, record: dict[str, Any]) -> None:
        if running == 0:
            starts.append(record["epoch"])

    done = study(irises, out, act=note)
    assert results(done.document["trials"]) == results(whole.document["trials"])
    # The trial went on from its checkpoint, in its own directory.
    assert starts[0] == epoch + 1
    assert [trial["directory"] for trial in trials_of(out)[1:3]] == ["trial-0001", "trial-0001"]
    assert (out / "best.yaml").read_text().split("\n", 1)[1] == whole.best_config.read_text().split("\n", 1)[
        1
    ]


def test_a_stop_between_trials_is_clean(whole: Tuned, irises: Path, tmp_path: Path) -> None:
    def stop(record: Any, document: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="stopped by SIGINT with 1 trials finished"):
        study(irises, tmp_path / "study", on_trial=stop)
    assert results(study(irises, tmp_path / "study").document["trials"]) == results(whole.document["trials"])


def test_a_stop_in_the_last_epoch_of_a_trial_stops_the_study(
    whole: Tuned, irises: Path, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted, match="stopped by SIGINT with 1 trials finished"):
        study(irises, tmp_path / "study", act=stop_at(0, 3, signal.SIGINT))
    assert results(trials_of(tmp_path / "study")) == results(whole.document["trials"])[:1]


def beside(irises: Path, out: Path, trials: int, role: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", HERE / "plants.py", str(irises), str(out), str(trials), role],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_trial_whose_process_was_killed_is_begun_again(
    whole: Tuned, irises: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "study"
    with beside(irises, out, 3, "killed") as process:
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    monkeypatch.setattr(fivefold.tuning.study, "GRACE", 1)
    done = study(irises, out)
    assert results(sorted(done.document["trials"], key=lambda trial: trial["directory"])) == results(
        whole.document["trials"]
    )
    assert done.document["counts"] == {"complete": 3, "interrupted": 1}


def test_a_trial_that_kills_its_process_every_time_is_left_alone_in_the_end(
    irises: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fivefold.tuning.study, "ATTEMPTS", 1)
    monkeypatch.setattr(fivefold.tuning.study, "GRACE", 1)
    with beside(irises, tmp_path / "study", 2, "killed") as process:
        process.communicate(timeout=PATIENCE)
    done = study(irises, tmp_path / "study", trials=2)
    assert done.document["counts"] == {"complete": 1, "failed": 1}
    assert done.document["trials"][1]["error"] == "the process that ran it was killed"


def test_two_processes_share_a_study(irises: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    other: list[subprocess.Popen[str]] = []

    def wait_for_the_other(running: int, record: dict[str, Any]) -> None:
        """Hold the first trial until the other process has finished one of its own."""
        if (running, record["epoch"]) != (0, 1):
            return
        other.append(beside(irises, out, 4, "beside"))
        deadline = time.monotonic() + PATIENCE
        while not any(trial["state"] == "complete" for trial in trials_of(out)):
            if time.monotonic() > deadline or other[0].poll() is not None:
                return
            time.sleep(0.1)

    here: list[int] = []
    done = study(
        irises,
        out,
        trials=4,
        act=wait_for_the_other,
        on_trial=lambda record, _: here.append(record["number"]),
    )
    _, said = other[0].communicate(timeout=PATIENCE)
    assert other[0].returncode == 0, said
    trials = trials_of(out)
    finished = [trial["number"] for trial in trials if trial["state"] == "complete"]
    assert here[0] == 0
    assert set(finished) > set(here)
    assert len(finished) >= 4
    assert len({json.dumps(trial["settings"]) for trial in trials}) == len(trials)
    assert len(list(out.glob("*/checkpoints"))) == 1
    assert done.document["best"] is not None
