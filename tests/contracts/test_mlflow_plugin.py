"""The worked example of ``fivefold_callbacks``: MLflow hears of a training, a stop and a resume."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from contracts.conftest import ROOT
from core.training.toys import Classifier, blobs, settings
from fivefold.errors import Interrupted
from fivefold.plugins.registry import load_registry
from fivefold.training.callback import Callback
from fivefold.training.trainer import Trainer
from stub_plugins import write_plugin

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies' own
    tracking = pytest.importorskip("mlflow.tracking", reason="needs mlflow-skinny, sqlalchemy and alembic")
    pytest.importorskip("alembic", reason="MLflow needs it for SQLite")

pytestmark = [
    pytest.mark.slow,  # MLflow sets up a database a test
    pytest.mark.filterwarnings("ignore"),  # MLflow's own
]

Train = Callable[..., None]


class Stops(Callback):
    """Ctrl-C after the first line."""

    def on_log(self, record: dict[str, Any]) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """A training that hears what the installed plugin brings, with MLflow's SQLite store."""
    site = tmp_path / "site"
    site.mkdir()
    shutil.copy(ROOT / "tests" / "contracts" / "mlflow_plugin" / "fivefold_mlflow.py", site)
    write_plugin(site, "mlflow", "", target="fivefold_mlflow")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "fivefold_mlflow", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "toys")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "blobs").mkdir(parents=True)

    def run(*more: Callback, resume: bool = False, **values: Any) -> None:
        registry = load_registry()
        callbacks = registry.callbacks()
        assert [type(callback).__name__ for callback in callbacks] == ["MLflow"]
        Trainer(
            Classifier(),
            blobs(60),
            blobs(30, seed=1),
            config=settings(epochs=2, **values),
            device=torch.device("cpu"),
            directory=Path("runs/blobs"),
            callbacks=[*callbacks, *more],
            progress=False,
            tensorboard=False,
        ).fit(resume=resume)

    return run


def only_run() -> tuple[Any, Any]:
    """The client, and the one run that there is."""
    client = tracking.MlflowClient()
    experiment = client.get_experiment_by_name("toys")
    (run,) = client.search_runs([experiment.experiment_id])
    return client, run


def steps(client: Any, run: Any, name: str) -> list[int]:
    return [point.step for point in client.get_metric_history(run.info.run_id, name)]


def test_a_training_is_a_run(train: Train) -> None:
    train(optimizer={"lr": 0.02})
    client, run = only_run()
    assert (run.info.status, run.info.run_name) == ("FINISHED", "blobs")
    assert run.data.params["config.optimizer.lr"] == "0.02"
    assert run.data.params["config.epochs"] == "2"
    assert run.data.params["parameters"] == "131"
    assert steps(client, run, "train/loss") == [3, 4, 6, 8]
    assert steps(client, run, "val/accuracy") == [4, 8]
    assert {"train/lr", "train/samples_per_second", "train/data_wait", "val/seconds"} <= set(run.data.metrics)
    assert not any(tag.startswith("fivefold.") for tag in run.data.tags)


def test_a_training_that_is_stopped_and_resumed_is_one_run(train: Train) -> None:
    with pytest.raises(Interrupted):
        train(Stops())
    _, run = only_run()
    assert run.info.status == "KILLED"
    assert run.data.tags["fivefold.interrupted_at_step"] == "3"
    train(resume=True)
    client, run = only_run()
    assert run.info.status == "FINISHED"
    assert run.data.tags["fivefold.resumed_at_step"] == "3"
    assert steps(client, run, "train/loss") == [3, 4, 6, 8]


def test_a_training_outlives_a_server_that_is_away(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()  # where the store's folder should be
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")
    train()
    assert "MLflow failed in on_start and is left out of this training" in caplog.text
    assert Path("runs/blobs/metrics.jsonl").is_file()
