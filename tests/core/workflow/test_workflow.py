"""The stages from data to run to report and predictions, on irises."""

from __future__ import annotations

import errno
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fivefold.files
from fivefold.config import StrictModel, build_config
from fivefold.data.dataset import Dataset
from fivefold.data.splits import Splits, split_table
from fivefold.data.table import Table
from fivefold.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    Interrupted,
    LeakageError,
    RunError,
    StorageError,
)
from fivefold.evaluation.verdict import overall
from fivefold.pipeline import Pipeline
from fivefold.prediction import Request
from fivefold.runs import Run
from fivefold.tasks.base import Task
from fivefold.training.trainer import Trainer
from fivefold.workflow import evaluate, predict, prepare, train
from iris_pipeline import CLASSES, SPEC, Iris, IrisRegistry, registry, write_irises


@pytest.fixture
def irises(tmp_path: Path) -> Path:
    return write_irises(tmp_path / "irises.csv")


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the irises and a run on them; copied for each test that wants one."""
    folder = tmp_path_factory.mktemp("once")
    source = write_irises(folder / "irises.csv")
    train(SPEC, str(source), out=folder / "run", registry=registry())
    return folder / "run"


@pytest.fixture
def trained(trained_once: Path, irises: Path, tmp_path: Path) -> Run:
    shutil.copytree(trained_once, tmp_path / "run")
    run = Run.open(tmp_path / "run")
    run.info["data"]["source"] = str(irises)
    run.update()
    return run


def test_a_run_holds_everything(trained: Run) -> None:
    names = {path.name for path in trained.path.iterdir()}
    assert names >= {
        "config.yaml", "run.json", "metrics.jsonl", "tensorboard", "checkpoints", "model.safetensors",
        "report.json", "report.html",
    }  # fmt: skip
    reopened = Run.open(trained.path)
    assert reopened.status == "complete"
    assert reopened.config["hidden"] == 16
    assert reopened.facts == {"features": 4, "classes": list(CLASSES)}
    assert reopened.info["data"]["sizes"] == {"train": 120, "val": 15, "test": 15}
    assert reopened.info["headline"]["value"] > 0.8


def test_predictions_speak_the_users_words(trained: Run, irises: Path) -> None:
    records = predict(trained, [str(irises)], registry=registry())
    assert len(records) == 150
    assert list(records[0])[:3] == ["id", "label", "probability"]
    assert sum(record["probabilities"]["setosa"] > 0.5 for record in records) == 50
    right = sum(record["label"] == CLASSES[row // 50] for row, record in enumerate(records))
    assert right > 135


def test_predict_names_what_is_missing(trained: Run) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        predict(trained, ["nowhere.csv"], registry=registry())


def test_evaluation_is_the_same_again(trained: Run) -> None:
    before = json.loads((trained.path / "report.json").read_text())["metrics"]
    evaluate(trained, registry=registry())
    assert json.loads((trained.path / "report.json").read_text())["metrics"] == before


def test_evaluation_on_other_data_finds_the_training_samples_in_them(trained: Run, tmp_path: Path) -> None:
    other = write_irises(tmp_path / "other.csv", slice(0, 150, 3))
    evaluation, directory = evaluate(trained, str(other), registry=registry())
    assert directory == trained.path / "evaluations" / "other"
    assert (directory / "report.html").is_file()
    assert {finding.kind for finding in evaluation.findings} >= {"exact duplicate"}
    assert all(
        "judged" in finding.splits for finding in evaluation.findings
    )  # what is told concerns these data
    assert evaluation.findings[0].text.startswith(
        "39 samples stand in both the training split and the data judged ("
    )
    assert overall(evaluation)[0] == "no evidence that it beats"
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert page.index("<dt>Judged on</dt>") < page.index("<dt>Trained on</dt>")
    assert re.search(r"<h1>.*on other.csv</span></h1>", page)
    assert "withheld: 39 of its 50 rows stand in the training data as well" in page
    assert [comparison.baseline for comparison in evaluation.comparisons][:1] == ["majority class"]
    with pytest.raises(LeakageError, match="--strict"):
        evaluate(trained, str(other), strict=True, registry=registry())


def test_copies_within_the_data_judged_are_one_unit_together(trained: Run, tmp_path: Path) -> None:
    once = write_irises(tmp_path / "once.csv", slice(0, 150, 5))
    rows = once.read_text().splitlines(keepends=True)
    copies = tmp_path / "copies.csv"
    copies.write_text("".join(row for row in rows for _ in range(4)))
    single, _ = evaluate(trained, str(once), registry=registry())
    fourfold, directory = evaluate(trained, str(copies), registry=registry())
    assert len(np.unique(fourfold.units)) == len(set(rows))
    assert fourfold.unit_name == "distinct sample"
    assert f"(120 samples of {len(set(rows))} distinct samples)" in (directory / "report.html").read_text()
    one, four = (found.estimates["accuracy"] for found in (single, fourfold))
    assert four.value == one.value
    assert four.high - four.low == pytest.approx(one.high - one.low, rel=0.15)


def test_evaluation_without_the_training_data_says_what_it_lacks(
    trained: Run, irises: Path, tmp_path: Path
) -> None:
    other = write_irises(tmp_path / "other.csv", slice(0, 150, 2))
    irises.unlink()
    evaluation, _ = evaluate(trained, str(other), registry=registry())
    assert evaluation.comparisons == ()
    assert "Without baselines and leakage search" in evaluation.notes[0]
    with pytest.raises(DataError, match="irises"):
        evaluate(trained, registry=registry())


def test_changed_data_are_noticed(trained: Run, irises: Path) -> None:
    irises.write_text(irises.read_text().replace("5.1", "9.9"))
    with pytest.raises(RunError, match="changed since"):
        evaluate(trained, registry=registry())
    trained.update(status="interrupted")
    with pytest.raises(RunError, match="changed since"):
        train(SPEC, str(irises), out=trained.path, resume=True, registry=registry())


def test_strict_refuses_duplicates_and_writes_nothing(irises: Path, tmp_path: Path) -> None:
    irises.write_text(irises.read_text() * 2)
    with pytest.raises(LeakageError, match="--strict expects splits without leakage"):
        train(SPEC, str(irises), out=tmp_path / "run", strict=True, registry=registry())
    assert not (tmp_path / "run").exists()


def test_bad_rows_leave_nothing_behind(irises: Path, tmp_path: Path) -> None:
    irises.write_text(irises.read_text().replace("virginica", "tulip", 1))
    with pytest.raises(DataError, match="row 100: unknown iris 'tulip'"):
        train(SPEC, str(irises), out=tmp_path / "run", registry=registry())
    assert not (tmp_path / "run").exists()


def test_an_existing_run_is_not_overwritten(trained: Run, irises: Path) -> None:
    with pytest.raises(RunError, match="choose another --out, or add --resume"):
        train(SPEC, str(irises), out=trained.path, registry=registry())


def test_the_default_directory_names_the_pipeline_and_the_data(
    irises: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = build_config(Iris, overrides={"epochs": 1})
    first = train(SPEC, str(irises), config, registry=registry())
    assert first.path.parent == Path("runs/plants-iris")
    assert first.path.name.endswith("-irises")
    assert train(SPEC, str(irises), config, registry=registry()).path != first.path


def test_an_interrupted_run_goes_on_to_the_same_weights(
    irises: Path, tmp_path: Path, trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained.weights.read_bytes()
    real = Trainer.fit

    def stopped(self: Trainer, *, resume: bool = False) -> object:
        self.config = self.config.model_copy(update={"epochs": 5})
        real(self, resume=resume)
        raise Interrupted("stopped")

    out = tmp_path / "stopped"
    short = build_config(Iris, overrides={"epochs": 12, "schedule": {"name": "constant"}})
    reference = train(SPEC, str(irises), short, out=tmp_path / "reference", registry=registry())
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "fit", stopped)
        with pytest.raises(Interrupted):
            train(SPEC, str(irises), short, out=out, registry=registry())
    assert Run.open(out).status == "interrupted"
    resumed = train(SPEC, str(irises), short, out=out, resume=True, registry=registry())
    assert resumed.status == "complete"
    assert resumed.weights.read_bytes() == reference.weights.read_bytes()
    assert whole != reference.weights.read_bytes()


def test_a_refused_resume_leaves_the_settings_of_the_run_alone(trained: Run, irises: Path) -> None:
    before = (trained.path / "config.yaml").read_text()
    other = build_config(Iris, overrides={"batch_size": 5})
    with pytest.raises(CheckpointError, match="batch_size"):
        train(SPEC, str(irises), other, out=trained.path, resume=True, registry=registry())
    assert (trained.path / "config.yaml").read_text() == before
    assert train(SPEC, str(irises), out=trained.path, resume=True, registry=registry()).status == "complete"


def test_a_full_disk_is_a_sentence_and_leaves_no_half_file(
    irises: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fivefold.workflow.training.save_tensors", full)
    with pytest.raises(StorageError, match="no space left"):
        train(SPEC, str(irises), out=tmp_path / "run", registry=registry())
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert not {name for name in left if name.startswith((".", "model"))}
    assert Run.open(tmp_path / "run").status == "failed"


def test_weights_of_another_network_are_refused(trained: Run, irises: Path) -> None:
    config = (trained.path / "config.yaml").read_text()
    (trained.path / "config.yaml").write_text(config.replace("hidden: 16", "hidden: 17"))
    with pytest.raises(RunError, match=r"model\.safetensors: expected the weights of plants/iris"):
        predict(Run.open(trained.path), [str(irises)], registry=registry())


def test_a_setting_the_pipeline_does_not_know_is_named(trained: Run, irises: Path) -> None:
    with (trained.path / "config.yaml").open("a") as file:
        file.write("hiden: 3\n")
    with pytest.raises((RunError, ConfigError), match="hiden"):
        predict(Run.open(trained.path), [str(irises)], registry=registry())


def test_a_run_without_weights_cannot_predict(trained: Run, irises: Path) -> None:
    trained.weights.unlink()
    with pytest.raises(RunError, match="finish it with --resume"):
        predict(trained, [str(irises)], registry=registry())


def test_preparing_alone_tells_the_splits(irises: Path) -> None:
    prepared = prepare(Iris(), str(irises), registry())
    assert prepared.sizes == {"train": 120, "val": 15, "test": 15}
    assert prepared.fingerprint == prepare(Iris(), str(irises), registry()).fingerprint
    moved = replace(prepared.splits, test=prepared.splits.val, val=prepared.splits.test)
    assert moved.test is prepared.splits.val


def test_files_are_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "value.json"
    fivefold.files.write_json(target, {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        fivefold.files.write_json(target, {"a": float("nan")})
    assert json.loads(target.read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["value.json"]


class Documented(Iris):
    """Irises whose predictions can be told to shout, and whose model needs a document."""

    class Prediction(StrictModel):
        """Options."""

        shout: bool = False
        """Whether labels are in capitals."""

    inputs_optional = True

    def samples(self, table: Table) -> Dataset:
        samples = super().samples(table)
        samples.facts.documents["names.txt"] = "\n".join(CLASSES)
        return samples

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        if not request.sources:
            return [{"id": "nothing", "label": self.facts.documents["names.txt"].splitlines()[0]}]
        records = super().predict(task, request)
        for record in records if request.options.shout else ():
            record["label"] = record["label"].upper()
        if request.show is not None:
            request.show(f"{len(records)} flowers")
        return records


class DocumentedRegistry(IrisRegistry):
    """A registry with that pipeline alone."""

    def pipeline_class(self, name: str) -> type[Pipeline]:
        return Documented


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, DocumentedRegistry]:
    folder = tmp_path_factory.mktemp("documented")
    source = write_irises(folder / "irises.csv")
    known = DocumentedRegistry(pipelines=registry().pipelines)
    return train(SPEC, str(source), out=folder / "run", registry=known), known


def test_documents_lie_in_the_run_and_are_there_again(documented: tuple[Run, DocumentedRegistry]) -> None:
    run, known = documented
    assert (run.path / "names.txt").read_text().splitlines() == list(CLASSES)
    assert "names.txt" not in json.dumps(run.facts)
    assert predict(run, [], registry=known) == [{"id": "nothing", "label": "setosa"}]


def test_a_lost_document_is_told_of(documented: tuple[Run, DocumentedRegistry], tmp_path: Path) -> None:
    run, known = documented
    shutil.copytree(run.path, tmp_path / "copy")
    (tmp_path / "copy" / "names.txt").unlink()
    with pytest.raises(RunError, match=r"names\.txt: expected a document that the model of this run needs"):
        predict(Run.open(tmp_path / "copy"), [], registry=known)


def test_options_of_prediction_reach_the_pipeline(
    documented: tuple[Run, DocumentedRegistry], tmp_path: Path
) -> None:
    run, known = documented
    source = str(write_irises(tmp_path / "some.csv", slice(0, 2)))
    shown: list[str] = []
    records = predict(run, [source], options={"shout": True}, show=shown.append, registry=known)
    assert [record["label"] for record in records] == ["SETOSA", "SETOSA"]
    assert shown == ["2 flowers"]
    with pytest.raises(ConfigError, match=r"shuot.*did you mean 'shout'"):
        predict(run, [source], options={"shuot": True}, registry=known)


def test_inputs_are_asked_for_where_a_pipeline_needs_them(trained: Run) -> None:
    with pytest.raises(ConfigError, match="INPUTS is missing"):
        predict(trained, [], registry=registry())


def test_folds_take_the_place_of_the_usual_split(irises: Path) -> None:
    config = build_config(Iris, overrides={"folds": 5, "fold": 4})
    prepared = prepare(Iris(config), str(irises), registry())
    assert prepared.sizes == {"train": 90, "val": 30, "test": 30}
    assert prepared.splits.how.startswith("Fold 4 of 5")


def test_folds_are_refused_where_a_pipeline_splits_in_its_own_way(irises: Path) -> None:
    class InOrder(Iris):
        def split(self, table: Table) -> Splits:
            return split_table(table, seed=0)

    with pytest.raises(ConfigError, match="InOrder splits its data in a way of its own"):
        prepare(InOrder(build_config(Iris, overrides={"folds": 5})), str(irises), registry())
