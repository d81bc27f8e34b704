"""Alarms of a GAN's collapse: what raises them, what does not, and the trainings that they end."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from core.tasks.adversarial_toys import lines, toy, trainer
from fivefold.config import OptimizerConfig
from fivefold.tasks.collapse import CollapseAlarms
from fivefold.training.callback import EndOfTraining


def started(directory: Path, *, step: int = 0, loss: Any = "hinge", ends: bool = True) -> CollapseAlarms:
    alarms = CollapseAlarms(loss, ends=ends)
    alarms.on_start({"directory": str(directory), "step": step})
    return alarms


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"generator__diversity": 0.1},
            "nearly alike (mean distance 0.10 of that of real ones) since step 200; lower",
        ),
        ({"discriminator__accuracy": 0.3}, "tells no generated image from a real one (accuracy 0.30)"),
        (
            {"discriminator__accuracy": 0.53, "discriminator__loss": 1.99},
            "tells no generated image from a real one (accuracy 0.53)",
        ),
        ({"discriminator__accuracy": 1.0}, "always right (accuracy 1.00) and teaches nothing"),
        ({"generator__loss": -99.0}, "losses diverge (discriminator 1, generator -99) since step 200; lower"),
    ],
)
def test_each_sign_is_told_once_and_ends_the_training_if_it_lasts(
    values: dict[str, float], said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alarms = started(tmp_path)
    for line in lines(range(20, 1200, 20), **values):
        alarms.on_log(line)
    with pytest.raises(EndOfTraining, match=re.escape(said)):
        alarms.on_log(lines(range(1200, 1201), **values)[0])
    (record,) = caplog.records
    assert record.message.startswith("step 400: ")
    assert said in record.message


def test_what_passes_by_raises_no_alarm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alarms = started(tmp_path)
    for line in [
        *lines(range(20, 220, 20), generator__diversity=0.0),
        *lines(range(220, 360, 20), discriminator__accuracy=1.0),
        *lines(range(360, 420, 20)),
        *lines(range(420, 560, 20), discriminator__accuracy=1.0),
        *lines(range(560, 1000, 20)),
        *lines(range(1000, 2000, 20), discriminator__accuracy=0.52),
        {"split": "val", "step": 2000},
    ]:
        alarms.on_log(line)
    assert not caplog.records


def test_a_critic_may_be_always_right(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alarms = started(tmp_path, loss="wasserstein")
    for line in lines(range(20, 2000, 20), discriminator__accuracy=1.0, generator__loss=70.0):
        alarms.on_log(line)
    assert not caplog.records


def test_alarms_go_on_after_a_resume_where_they_were(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written = lines(range(20, 1200, 20), generator__diversity=0.0)
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in written))
    alarms = started(tmp_path, step=800)
    for line in lines(range(820, 1200, 20), generator__diversity=0.0):
        alarms.on_log(line)
    assert not caplog.records  # it was told before
    with pytest.raises(EndOfTraining, match="since step 200"):
        alarms.on_log(lines(range(1200, 1201), generator__diversity=0.0)[0])


@pytest.mark.parametrize(("alarms", "count"), [("stop", 1), ("warn", 1), ("off", 0)])
def test_settings_of_alarms(alarms: Any, count: int) -> None:
    assert len(toy(alarms=alarms).watchers()) == count


PROVOKED: dict[str, dict[str, Any]] = {
    "a rate 100 times too high": {
        "widths": 32,
        "generator": OptimizerConfig(lr=2e-2, momentum=0.5, weight_decay=0.0),
        "discriminator": OptimizerConfig(lr=2e-2, momentum=0.5, weight_decay=0.0),
    },
    "a discriminator that stands still": {
        "widths": 4,
        "discriminator": OptimizerConfig(lr=1e-30, momentum=0.5, weight_decay=0.0),
        "generator": OptimizerConfig(lr=2e-3, momentum=0.5, weight_decay=0.0),
    },
}


@pytest.mark.parametrize("case", PROVOKED)
def test_an_alarm_within_500_steps_of_a_provoked_collapse(
    case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = toy(alarms="warn", **PROVOKED[case])
    with caplog.at_level(logging.WARNING):
        trainer(task, tmp_path, size=488, val=False, batch_size=8, epochs=7, log_every=20).fit()
    told = [record for record in caplog.records if record.name == "fivefold.tasks.collapse"]
    assert told
    assert int(told[0].message.split()[1].rstrip(":")) <= 500


def test_a_stop_keeps_the_best_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("GRACE", 2), ("WINDOW", 4), ("LASTING", 20)):
        monkeypatch.setattr(f"fivefold.tasks.collapse.{name}", value)
    frozen = OptimizerConfig(lr=1e-30, momentum=0.5, weight_decay=0.0)
    task = toy(norms=("batch", "batch"), generator=frozen)
    with caplog.at_level(logging.WARNING):
        result = trainer(task, tmp_path, epochs=9).fit()
    assert result.stopped_early
    assert result.steps == 22
    assert result.best_step in {9, 18}
    assert "the training ends at step 22" in caplog.text
    assert (tmp_path / "checkpoints").exists()
    # Its first epoch is not over: it is judged where it ends.
    monkeypatch.setattr("fivefold.tasks.collapse.LASTING", 4)
    early = trainer(toy(norms=("batch", "batch"), generator=frozen), tmp_path / "early").fit()
    assert (early.steps, early.best_step) == (6, 6)
    assert early.best is not None
