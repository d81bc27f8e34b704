"""Commands of a run that was resumed, labels that a model does not know, runs that differ in what they see."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fivefold.config import build_config
from fivefold.data.table import Table
from fivefold.errors import CheckpointError, ConfigError, DataError
from fivefold.runs import Run
from fivefold.workflow import evaluate, train
from fivefold.workflow.comparing import _apart
from fivefold.workflow.evaluating import _refuse_unknown_labels
from iris_pipeline import SPEC, Iris, registry, write_irises


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """Let the process have been started by a command."""
    monkeypatch.setattr(sys, "argv", ["fivefold", *words])
    return " ".join(["fivefold", *words])


def test_each_command_is_kept_with_its_step_and_a_shorter_training_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source, out = str(write_irises(tmp_path / "irises.csv")), tmp_path / "run"
    first = typed(monkeypatch, "train", "--epochs", "4")
    run = train(SPEC, source, build_config(Iris, overrides={"epochs": 4}), out=out, registry=registry())
    assert run.info["commands"] == [{"command": first, "step": 0}]
    steps = run.info["training"]["steps"]

    second = typed(monkeypatch, "train", "--epochs", "2", "--resume")
    short = build_config(Iris, overrides={"epochs": 2})
    with caplog.at_level(logging.WARNING, logger="fivefold"):
        run = train(SPEC, source, short, out=out, resume=True, registry=registry())
    assert f"shortened from 4 to 2 epochs; its first {steps} steps followed" in caplog.text
    kept = [{"command": first, "step": 0}, {"command": second, "step": steps}]
    assert (run.info["command"], run.info["commands"]) == (second, kept)

    typed(monkeypatch, "train", "--hidden", "3", "--resume")
    other = build_config(Iris, overrides={"hidden": 3})
    with pytest.raises(CheckpointError, match="hidden was 16, is 3"):
        train(SPEC, source, other, out=out, resume=True, registry=registry())
    reopened = Run.open(out)
    assert (reopened.status, reopened.info["command"], reopened.info["commands"]) == (
        "complete",
        second,
        kept,
    )


def test_a_run_of_an_older_version_gets_its_first_command_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = str(write_irises(tmp_path / "irises.csv")), tmp_path / "run"
    first = typed(monkeypatch, "train")
    run = train(SPEC, source, build_config(Iris, overrides={"epochs": 1}), out=out, registry=registry())
    del run.info["commands"]
    run.update()
    second = typed(monkeypatch, "train", "--resume")
    run = train(
        SPEC, source, build_config(Iris, overrides={"epochs": 2}), out=out, resume=True, registry=registry()
    )
    assert [one["command"] for one in run.info["commands"]] == [first, second]
    assert run.info["commands"][0]["step"] == 0


def table(labels: list[str], classes: tuple[str, ...], path: Path) -> Table:
    codes = np.array([classes.index(label) for label in labels])
    return Table({"label": codes}, source=str(path), label="label", classes=classes)


def test_unknown_labels_are_counted_and_a_few_named(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    faces = tuple(f"s{number}" for number in range(1, 9))
    with pytest.raises(DataError) as caught:
        _refuse_unknown_labels(table(["s2", *faces], ("known", *faces), path), ["known"], path)
    assert str(caught.value) == (
        f"{path}: 8 unknown labels on 9 of 9 samples, 's1', 's2', 's3', 's4', 's5' and 3 more (first: {path}, row 0); "
        "the model knows known; leave such samples out, or call their classes as in training"
    )
    one = table(["a", "b", "a"], ("a", "b"), path)
    with pytest.raises(
        DataError, match=r"new\.csv, row 1: unknown label 'b'; the model knows a; 1 of 3 samples"
    ):
        _refuse_unknown_labels(one, ["a"], path)
    _refuse_unknown_labels(replace(one, classes=("a", "b")), ["b", "a"], path)
    _refuse_unknown_labels(table(["a"], ("a", "b"), path), ["a"], path)  # a class without samples


def test_what_keeps_runs_from_being_paired_is_said_precisely() -> None:
    ids = np.array(["a", "b", "c"], dtype=object)
    targets = np.array([[0.0, np.nan], [1.0, 2.0], [3.0, 4.0]])
    assert _apart(ids, ids.copy(), targets, targets.copy()) == ""
    assert _apart(ids, ids[:2], targets, targets[:2]) == "3 in the one and 2 in the other, 2 of them in both"
    assert _apart(ids, ids[::-1], targets, targets[::-1]) == "the same 3 in another order"
    other = targets.copy()
    other[1, 0] = 9
    assert _apart(ids, ids, targets, other) == "other targets for 1 of 3, such as b"
    assert _apart(ids, ids, targets, targets[:, :1]) == "targets of another shape, (2,) and (1,) a sample"


def test_inputs_that_are_no_paths_are_refused_in_a_sentence(tmp_path: Path) -> None:
    run = Run(tmp_path, {"pipeline": "a/b"})
    with pytest.raises(ConfigError, match=r"found a list; .* give texts as predict\(texts=\[...\]\)"):
        run.predict(["A delightful film."])  # type: ignore[arg-type]  # what a user wrote


def test_notes_of_a_reader_stand_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = str(write_irises(tmp_path / "irises.csv")), tmp_path / "run"
    read = Iris.read
    monkeypatch.setattr(
        Iris, "read", lambda self, path: replace(read(self, path), notes=("Read with care.",))
    )
    run = train(SPEC, source, build_config(Iris, overrides={"epochs": 1}), out=out, registry=registry())
    assert run.report is not None
    assert "Read with care." in run.report["notes"]
    assert "Read with care." in evaluate(run, source, registry=registry())[0].notes
