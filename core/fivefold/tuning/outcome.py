"""What a study came to: ``study.json`` with every trial, ``best.yaml`` with the best settings, less on disk."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from fivefold.config import PipelineConfig
from fivefold.config.files import to_yaml
from fivefold.files import write_json, write_text
from fivefold.tuning.objective import ERROR
from fivefold.tuning.space import with_values
from fivefold.tuning.study import DIRECTORY, GRACE, begun_again

FORMAT = 1
"""Version of the format of ``study.json``."""
_STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
FINISHED = ("complete", "pruned", "failed")


def trial_records(study: optuna.Study) -> list[dict[str, Any]]:
    """Every trial as JSON values, in order; one that was stopped and begun again is ``interrupted``."""
    trials = study.get_trials(deepcopy=False)
    stopped = begun_again(trials)
    return [_record(trial, stopped=trial.number in stopped) for trial in trials]


def _record(trial: FrozenTrial, *, stopped: bool) -> dict[str, Any]:
    state = "interrupted" if stopped or _is_lost(trial) else _STATES[trial.state]
    error = trial.user_attrs.get(ERROR)
    if state == "failed" and error is None:
        error = "the process that ran it was killed"
    started, ended = trial.datetime_start, trial.datetime_complete
    return {
        "number": trial.number,
        "state": state,
        "value": trial.value if state == "complete" else None,
        "settings": dict(trial.params),
        "directory": trial.user_attrs.get(DIRECTORY),
        "values": {str(epoch): _finite(value) for epoch, value in sorted(trial.intermediate_values.items())},
        "seconds": (ended - started).total_seconds() if started and ended else None,
        "error": error,
    }


def _is_lost(trial: FrozenTrial) -> bool:
    """Whether its process was killed before the trial gave its first sign of life, so that none is missed."""
    return (
        trial.state == TrialState.RUNNING
        and DIRECTORY not in trial.user_attrs
        and trial.datetime_start is not None
        and datetime.now() - trial.datetime_start > timedelta(seconds=GRACE)
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def best_record(records: Sequence[Mapping[str, Any]], *, maximise: bool) -> Mapping[str, Any] | None:
    """The completed trial with the best value, the earliest of equals; None where there is none."""
    sign = -1 if maximise else 1
    done = [record for record in records if record["state"] == "complete"]
    return min(done, key=lambda record: (sign * record["value"], record["number"]), default=None)


def write_outcome(
    directory: Path, settings: Mapping[str, Any], records: list[dict[str, Any]], config: PipelineConfig
) -> dict[str, Any]:
    """Write ``study.json``, and ``best.yaml`` once a trial is complete.

    Args:
        directory: the study's.
        settings: what the study is of.
        records: its trials.
        config: the settings around those that are searched.

    Returns:
        the contents of ``study.json``.
    """
    best = best_record(records, maximise=settings["direction"] == "maximize")
    states = [record["state"] for record in records]
    document = {
        "format": FORMAT,
        **settings,
        "counts": {state: states.count(state) for state in dict.fromkeys(states)},
        "best": None if best is None else dict(best),
        "trials": records,
    }
    if best is not None:
        head = (
            f"# {settings['pipeline']}: trial {best['number']}, the best of {states.count('complete')} completed "
            f"({settings['metric']} {best['value']:.6g} on the validation split).\n"
        )
        write_text(directory / "best.yaml", head + to_yaml(with_values(config, best["settings"])))
    write_json(directory / "study.json", document)
    return document


def remove_checkpoints(directory: Path, document: Mapping[str, Any]) -> None:
    """Remove the checkpoints of every finished trial but the best; those of others may still be needed."""
    unfinished = {
        record["directory"] for record in document["trials"] if record["state"] in {"running", "waiting"}
    }
    best = document["best"] or {"directory": None}
    kept = {*unfinished, best["directory"], None}
    for record in document["trials"]:
        if record["state"] in FINISHED and record["directory"] not in kept:
            # Processes that share the study do this at the same time.
            shutil.rmtree(directory / record["directory"] / "checkpoints", ignore_errors=True)
