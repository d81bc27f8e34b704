"""Every training as a run of MLflow: settings, losses and metrics by step, and how it ended.

MLFLOW_TRACKING_URI says where to, for example http://tracking.example:5000 or sqlite:///mlflow.db;
MLFLOW_EXPERIMENT_NAME under which experiment.
"""

import os
import time
from pathlib import Path
from typing import Any

from fivefold.plugins import hookimpl
from fivefold.training.callback import Callback

MOST = 100  # parameters that MLflow takes in one call
STATUS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}


@hookimpl
def fivefold_callbacks() -> list[Callback]:
    return [MLflow()]


class MLflow(Callback):
    """One training; a training that is resumed goes on in the same run of MLflow."""

    def on_start(self, info: dict[str, Any]) -> None:
        from mlflow.tracking import MlflowClient  # here, because it is slow to import

        self.client = MlflowClient()
        remembered = Path(info["directory"]) / "mlflow-run-id"
        if remembered.exists():
            self.run = remembered.read_text(encoding="utf-8")
            self.client.update_run(self.run, status="RUNNING")
            self.client.set_tag(self.run, "fivefold.resumed_at_step", info["step"])
        else:
            self.run = self.client.create_run(self._experiment(), run_name=info["name"]).info.run_id
            remembered.write_text(self.run, encoding="utf-8")
            self._describe(info)

    def on_log(self, record: dict[str, Any]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [
            Metric(f"{record['split']}/{name}", value, now, record["step"])
            for name, value in record.items()
            if isinstance(value, (int, float)) and name != "step"
        ]
        self.client.log_batch(self.run, metrics=metrics)

    def on_rewind(self, step: int) -> None:
        self.client.set_tag(self.run, "fivefold.went_back_to_step", step)

    def on_end(self, info: dict[str, Any]) -> None:
        if info["status"] != "finished":
            self.client.set_tag(self.run, f"fivefold.{info['status']}_at_step", info["step"])
        self.client.set_terminated(self.run, status=STATUS[info["status"]])

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "fivefold")
        found = self.client.get_experiment_by_name(name)
        return self.client.create_experiment(name) if found is None else found.experiment_id

    def _describe(self, info: dict[str, Any]) -> None:
        from mlflow.entities import Param

        about = {name: value for name, value in info.items() if name not in ("config", "name", "step")}
        params = [Param(name, str(value)) for name, value in {**about, **flat(info["config"])}.items()]
        for first in range(0, len(params), MOST):
            self.client.log_batch(self.run, params=params[first : first + MOST])


def flat(config: dict[str, Any], prefix: str = "config.") -> dict[str, Any]:
    """Nested settings as ``config.optimizer.lr``."""
    values: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict):
            values |= flat(value, f"{prefix}{name}.")
        else:
            values[f"{prefix}{name}"] = value
    return values
