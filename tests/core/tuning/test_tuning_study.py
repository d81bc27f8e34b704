"""Studies from the first trial to the best settings, on irises."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest
import yaml
from pydantic import model_validator

from core.tuning.plants import SealedIris, plants, quick, study
from fivefold.config import build_config
from fivefold.data.dataset import Dataset
from fivefold.data.table import Table
from fivefold.errors import (
    DataError,
    RunError,
    TrainingError,
)
from fivefold.tasks.base import Task
from fivefold.tuning.tuner import Tuned, tune
from fivefold.workflow import train
from iris_pipeline import SPEC, Iris, registry, write_irises

SEARCH = ["hidden=4:32:log", "optimizer.weight_decay=0"]


@pytest.fixture(scope="module")
def irises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_irises(tmp_path_factory.mktemp("data") / "irises.csv")


@pytest.fixture(scope="module")
def tuned(irises: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """A study of three trials that tests look at."""
    SealedIris.reads = 0
    heard: list[int] = []
    done = study(
        irises,
        tmp_path_factory.mktemp("study") / "study",
        search=SEARCH,
        on_trial=lambda record, _: heard.append(record["number"]),
    )
    assert heard == [0, 1, 2]
    return done


def results(tuned: Tuned) -> list[tuple[Any, ...]]:
    """What every trial that was not interrupted came to."""
    return [
        (trial["state"], trial["value"], trial["settings"], trial["values"])
        for trial in tuned.document["trials"]
        if trial["state"] != "interrupted"
    ]


def test_a_study_holds_everything(tuned: Tuned) -> None:
    document = json.loads((tuned.path / "study.json").read_text())
    assert document == tuned.document
    assert document["search"] == {
        "optimizer.lr": "0.002:0.2:log",
        "batch_size": "8,16,32",
        "hidden": "4:32:log",
    }
    assert (document["metric"], document["direction"]) == ("accuracy", "maximize")
    assert document["settings"]["optimizer.weight_decay"] == 0
    assert document["sizes"] == {"train": 120, "val": 15, "test": 15}
    assert document["counts"] == {"complete": 3}
    trials = document["trials"]
    assert trials[0]["settings"] == {"optimizer.lr": 0.02, "batch_size": 16, "hidden": 16}
    assert len({json.dumps(trial["settings"]) for trial in trials}) == 3
    for trial in trials:
        records = [
            json.loads(line)
            for line in (tuned.path / trial["directory"] / "metrics.jsonl").read_text().splitlines()
        ]
        values = {str(round(each["epoch"])): each["accuracy"] for each in records if each["split"] == "val"}
        assert values == trial["values"]
        assert max(values.values()) == trial["value"]
    assert document["best"] == max(trials, key=lambda trial: (trial["value"], -trial["number"]))


def test_only_the_best_trial_keeps_its_checkpoints(tuned: Tuned) -> None:
    kept = [path.parent.name for path in tuned.path.glob("*/checkpoints")]
    assert kept == [tuned.document["best"]["directory"]]


def test_the_data_are_read_once(tuned: Tuned) -> None:
    assert SealedIris.reads == 1


def test_nothing_in_the_database_is_binary(tuned: Tuned) -> None:
    kinds = set()
    with closing(sqlite3.connect(tuned.path / "study.db")) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f"SELECT * FROM {table}"):  # noqa: S608 - its own names
                kinds |= {type(value) for value in row}
    assert "trial_params" in tables
    assert kinds <= {str, int, float, type(None)}


def test_training_with_the_best_settings_repeats_the_best_trial(
    tuned: Tuned, irises: Path, tmp_path: Path
) -> None:
    class Whole(SealedIris):
        def samples(self, table: Table) -> Dataset:
            return Iris.samples(self, table)

    config = build_config(Whole, file=tuned.best_config)
    run = train(SPEC, str(irises), config, out=tmp_path / "run", registry=plants(Whole))
    assert run.info["training"]["best"] == tuned.document["best"]["value"]
    assert run.config == yaml.safe_load((tuned.path / "best.yaml").read_text())


def test_the_same_seed_gives_the_same_study_also_in_two_parts(
    tuned: Tuned, irises: Path, tmp_path: Path
) -> None:
    first = study(irises, tmp_path / "study", search=SEARCH, trials=2)
    assert results(first) == results(tuned)[:2]
    longer = study(irises, tmp_path / "study", search=SEARCH)
    assert results(longer) == results(tuned)
    before = (tmp_path / "study" / "study.json").read_bytes()
    assert results(study(irises, tmp_path / "study", search=SEARCH)) == results(longer)
    assert (tmp_path / "study" / "study.json").read_bytes() == before


def test_another_seed_proposes_others(tuned: Tuned, irises: Path, tmp_path: Path) -> None:
    other = study(irises, tmp_path / "study", search=SEARCH, trials=2, config=quick(seed=1, epochs=1))
    assert results(other)[1][2] != results(tuned)[1][2]


def test_a_hopeless_trial_is_given_up_early(irises: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "search": ["optimizer.lr=1e-9,0.04,0.05,0.06", "batch_size=16", "optimizer.weight_decay=0"],
        "trials": 6,
        "config": quick(seed=5),
    }
    done = study(irises, tmp_path / "pruned", **options)
    trial = done.document["trials"][5]
    assert done.document["counts"] == {"complete": 5, "pruned": 1}
    assert (trial["state"], trial["settings"]["optimizer.lr"], trial["value"]) == ("pruned", 1e-9, None)
    lines = (done.path / trial["directory"] / "metrics.jsonl").read_text().splitlines()
    assert sum('"split": "val"' in line for line in lines) == len(trial["values"]) == 1
    assert not (done.path / trial["directory"] / "checkpoints").exists()
    assert done.document["best"]["settings"]["optimizer.lr"] != 1e-9
    whole = study(irises, tmp_path / "pruned", prune=False, **{**options, "trials": 7})
    assert whole.document["counts"] == {"complete": 6, "pruned": 1}


def test_a_trial_that_fails_is_noted_and_the_study_goes_on(irises: Path, tmp_path: Path) -> None:
    search = ["optimizer.lr=0.02,1e30", "batch_size=16", "optimizer.weight_decay=0"]
    done = study(irises, tmp_path / "study", search=search, config=quick(seed=5, epochs=1))
    failed = [trial for trial in done.document["trials"] if trial["state"] == "failed"]
    assert failed
    for trial in failed:
        assert trial["settings"]["optimizer.lr"] == 1e30
        assert "not finite" in trial["error"]
        assert trial["value"] is None
        assert not (done.path / trial["directory"] / "checkpoints").exists()
    assert done.document["best"]["settings"]["optimizer.lr"] == 0.02
    assert done.document["counts"] == {"complete": 2, "failed": 1}


def test_settings_that_do_not_fit_one_another_are_a_failed_trial(irises: Path, tmp_path: Path) -> None:
    class Picky(SealedIris):
        class Config(SealedIris.Config):
            @model_validator(mode="after")
            def _hidden(self) -> Self:
                if self.hidden != 16:
                    raise ValueError(f"a hidden layer of {self.hidden} does not fit the rest")
                return self

    config = Picky.Config(epochs=1)
    done = study(irises, tmp_path / "study", kind=Picky, config=config, search=["hidden=4:32"], trials=2)
    assert done.document["counts"] == {"complete": 1, "failed": 1}
    assert "does not fit the rest" in done.document["trials"][1]["error"]


def test_a_study_in_which_every_trial_fails_says_why(irises: Path, tmp_path: Path) -> None:
    search = ["optimizer.lr=1e30,2e30"]
    with pytest.raises(
        TrainingError, match=r"no trial could be completed; the first that failed says: the loss is not"
    ):
        study(irises, tmp_path / "study", search=search, trials=1, config=quick(epochs=1))
    assert json.loads((tmp_path / "study" / "study.json").read_text())["counts"] == {"failed": 1}
    assert not (tmp_path / "study" / "best.yaml").exists()


def test_data_that_cannot_be_read_end_the_study(irises: Path, tmp_path: Path) -> None:
    class Broken(SealedIris):
        def task(self, data: Any) -> Task:
            if self.config.hidden == 5:
                raise DataError("row 3 is broken")
            return super().task(data)

    with pytest.raises(DataError, match="row 3"):
        study(irises, tmp_path / "study", kind=Broken, search=["hidden=5,6"], config=Broken.Config(hidden=6),
              trials=20)  # fmt: skip
    trials = json.loads((tmp_path / "study" / "study.json").read_text())["trials"]
    assert trials[0]["state"] == "complete"


def test_time_can_be_the_limit(irises: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="within the limits"):
        study(irises, tmp_path / "study", trials=None, minutes=1e-9)
    document = study(irises, tmp_path / "study", trials=1, minutes=60).document
    assert document["counts"] == {"complete": 1}


def test_a_study_of_other_settings_or_data_is_refused(tuned: Tuned, irises: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"\(epochs was 3, is 5; search of hidden was 4:32:log, is 4:64:log\)"):
        study(irises, tuned.path, config=quick(epochs=5), search=["hidden=4:64:log", SEARCH[1]])
    changed = tmp_path / "irises.csv"
    changed.write_text(irises.read_text().replace("5.1", "9.9"))
    with pytest.raises(RunError, match="the data that the study began with"):
        study(changed, tuned.path)
    config = SealedIris.Config(trainer={"probe": False, "workers": 0, "log_every": 1})
    assert results(study(irises, tuned.path, config=config, search=SEARCH)) == results(tuned)


def test_without_a_directory_there_is_one_below_runs(
    irises: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options: dict[str, Any] = {"trials": 1, "config": Iris.Config(epochs=1), "registry": registry()}
    assert tune(SPEC, str(irises), study="mine", **options).path == Path("runs/plants-iris/tune-mine")
    shared = tune(SPEC, str(irises), study="ours", storage="sqlite:///shared.db", **options)
    assert not (shared.path / "study.db").exists()
    assert Path("shared.db").is_file()
    stamped = tune(SPEC, str(irises), **options).path
    assert stamped.name.startswith("tune-2")
    assert stamped.name.endswith("-irises")
