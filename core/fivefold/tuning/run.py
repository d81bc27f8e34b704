"""A study from its first trial, or from where it stopped, to its end."""

from __future__ import annotations

import time
from typing import Any

import optuna

from fivefold.errors import ConfigError, Interrupted, TrainingError
from fivefold.training.signals import StopSignal
from fivefold.tuning.objective import Objective
from fivefold.tuning.outcome import FINISHED, remove_checkpoints, trial_records, write_outcome
from fivefold.tuning.plan import Plan, check_same_study
from fivefold.tuning.study import (
    begin_again,
    database_errors,
    give_up_silent_trials,
    open_storage,
    open_study,
    quiet,
)

_ATTRIBUTE = "fivefold"
"""Attribute of the study that says what it is of."""
_WAIT = 0.5
"""Seconds between looks at the trials of other processes."""


def run_study(plan: Plan) -> dict[str, Any]:
    """Run the trials of ``plan`` that are missing.

    Returns:
        the contents of ``study.json``.

    Raises:
        RunError: the database holds a study of something else under that name.
        StorageError: the database cannot be used.
        Interrupted: a signal came; the study is kept, and the trial that was under way is queued again.
    """
    storage = open_storage(plan.storage)
    try:
        with quiet(), database_errors(storage), StopSignal() as stop:
            study = open_study(
                storage,
                plan.name,
                maximise=plan.monitor.higher_is_better,
                seed=plan.config.seed,
                warmup=plan.config.epochs // 5 if plan.prune else None,
                first=plan.first,
            )
            before = study.user_attrs.get(_ATTRIBUTE)
            if before is None:
                study.set_user_attr(_ATTRIBUTE, plan.description)
            else:
                check_same_study(before, plan.description, str(plan.directory))
            return StudyRun(plan, study, stop).run()
    finally:
        storage.remove_session()
        storage.engine.dispose()


class StudyRun:
    """This process's part in a study.

    Args:
        plan: what it is of.
        study: Optuna's.
        stop: whether a signal came.
    """

    def __init__(self, plan: Plan, study: optuna.Study, stop: StopSignal) -> None:
        self._plan = plan
        self._study = study
        self._stop = stop
        self._started = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Run trials until the study has enough of them, or time is up."""
        self._write()
        limit = self._plan.limits.trials
        while not self._out_of_time:
            give_up_silent_trials(self._study)
            states = [record["state"] for record in trial_records(self._study)]
            finished = sum(state in FINISHED for state in states)
            if limit is not None and finished >= limit:
                break
            if self._stop.received is not None:
                raise self._interrupted()
            if limit is None or finished + states.count("running") < limit:
                self._run_trial()
            else:
                time.sleep(_WAIT)  # what another process runs may still have to be begun again here
        return self._write()

    @property
    def _out_of_time(self) -> bool:
        minutes = self._plan.limits.minutes
        return minutes is not None and time.monotonic() - self._started >= 60 * minutes

    def _run_trial(self) -> None:
        """One more trial, by Optuna, which keeps its signs of life."""
        objective = Objective(self._plan, self._stop)
        try:
            # A trial that ran out of memory leaves it only once its frames are collected.
            self._study.optimize(
                objective, n_trials=1, catch=(TrainingError, ConfigError), gc_after_trial=True
            )
        except (Interrupted, KeyboardInterrupt):
            if objective.number is not None:
                begin_again(self._study, self._study.get_trials()[objective.number])
            raise self._interrupted() from None
        document = self._write()
        remove_checkpoints(self._plan.directory, document)
        if objective.number is not None:
            self._plan.on_trial(document["trials"][objective.number], document)

    def _write(self) -> dict[str, Any]:
        return write_outcome(
            self._plan.directory, self._plan.description, trial_records(self._study), self._plan.config
        )

    def _interrupted(self) -> Interrupted:
        document = self._write()
        finished = sum(record["state"] in FINISHED for record in document["trials"])
        name = "a signal" if self._stop.received is None else self._stop.received.name
        return Interrupted(
            f"stopped by {name} with {finished} trials finished; the study is kept in {self._plan.directory}, "
            f"go on with the same command and --out {self._plan.directory}"
        )
