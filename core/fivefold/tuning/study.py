"""Optuna's study: where it is kept, how settings are proposed, which trials are given up, what is begun again.

Trials live in a relational database, an SQLite file or a server's, as plain columns and JSON text; nothing
in it is a pickle. Each running trial leaves a sign of life there, so that one whose process was killed is
noticed by the others and begun again.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from fivefold.errors import ConfigError, DependencyError, StorageError
from fivefold.tuning.expressions import Choice, Domain, Value

HEARTBEAT = 15
"""Seconds between signs of life of a running trial."""
GRACE = 60
"""Seconds without one after which its process is taken to be gone."""
ATTEMPTS = 3
"""How often a trial is begun whose process is killed; perhaps it is the trial that kills it."""
LOCKED = 60
"""Seconds to wait for an SQLite file that another process writes."""

CONTINUES = "continues"
"""Attribute of a trial that was begun again: the number of the one that was stopped."""
DIRECTORY = "directory"
"""Attribute of a trial: its directory below the study's; set as soon as it trains."""
_KILLED = "killed"


def open_storage(url: str, *, attempts: int = 3) -> RDBStorage:
    """The database at ``url``, with its tables made where it is new.

    Args:
        url: the database, in SQLAlchemy's words.
        attempts: two processes that meet an empty database both make its tables, and one of them fails; it
            tries again.

    Raises:
        ConfigError: ``url`` is no database URL.
        DependencyError: the driver of that database is not installed.
        StorageError: it cannot be opened.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            f"--storage: expected a database URL such as postgresql://user@host/name, found '{url}'"
        ) from None
    options = {"connect_args": {"timeout": LOCKED}} if parsed.get_backend_name() == "sqlite" else {}
    try:
        with _experimental():
            return RDBStorage(
                url,
                engine_kwargs=options,
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
                heartbeat_stale_trial_callback=_begin_killed_again,
            )
    except (ImportError, ArgumentError) as error:
        raise DependencyError(
            f"--storage: {parsed.drivername} databases need a driver that is not installed ({error}); "
            "install it, or leave --storage away to keep the study in a file"
        ) from error
    except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        if attempts == 1:
            raise _unusable(parsed, error) from error
        time.sleep(1)
        return open_storage(url, attempts=attempts - 1)


def _unusable(url: URL, error: Exception) -> StorageError:
    said = str(error.__cause__ or error).strip().partition("\n")[0]
    return StorageError(
        f"{url.render_as_string(hide_password=True)}: the study's database cannot be used ({said}); "
        "see that it can be reached and written, then give the same command again"
    )


@contextmanager
def database_errors(storage: RDBStorage) -> Iterator[None]:
    """Turn what a database may raise at any time into a sentence.

    Raises:
        StorageError: the database failed.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise _unusable(storage.engine.url, error) from error


def open_study(
    storage: RDBStorage, name: str, *, maximise: bool, seed: int, warmup: int | None, first: Mapping[str, Any]
) -> optuna.Study:
    """The study ``name``, made where there is none.

    Args:
        storage: where it is kept.
        name: its name there.
        maximise: whether higher values of the metric are better.
        seed: of the proposals.
        warmup: epochs before a trial may be pruned; None prunes none.
        first: values of the first trial of a new study.
    """
    pruner: BasePruner = NopPruner() if warmup is None else MedianPruner(n_warmup_steps=warmup)
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize" if maximise else "minimize",
            sampler=SeededSampler(seed),
            pruner=pruner,
        )
    except optuna.exceptions.DuplicatedStudyError:
        return optuna.load_study(storage=storage, study_name=name, sampler=SeededSampler(seed), pruner=pruner)
    study.enqueue_trial(dict(first))
    return study


class SeededSampler(BaseSampler):
    """Tree-structured Parzen estimators (Bergstra et al. 2011), seeded anew for each trial.

    What a trial proposes follows from the seed, its place in the study and the trials before it. So a study
    that was stopped goes on as if it had not been, and processes that share a study never propose the same.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._parzen = TPESampler()

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Seed by the trial's place; one that was begun again has the place of the one that was stopped."""
        stopped = sum(number < trial.number for number in begun_again(study.get_trials(deepcopy=False)))
        sequence = np.random.SeedSequence((self._seed, trial.number - stopped))
        self._parzen = TPESampler(seed=int(sequence.generate_state(1)[0]))

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """What is proposed together."""
        return self._parzen.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values for those."""
        return self._parzen.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A value for any other."""
        return self._parzen.sample_independent(study, trial, param_name, param_distribution)


def propose(trial: optuna.Trial, name: str, domain: Domain) -> Value:
    """A value of the setting ``name`` for ``trial``."""
    if isinstance(domain, Choice):
        value: Value = trial.suggest_categorical(name, domain.values)
        return value
    if domain.whole:
        return trial.suggest_int(name, int(domain.low), int(domain.high), log=domain.log)
    return trial.suggest_float(name, domain.low, domain.high, log=domain.log)


def begun_again(trials: list[FrozenTrial]) -> set[int]:
    """Numbers of the trials that were stopped and begun again as others."""
    return {trial.user_attrs[CONTINUES] for trial in trials if CONTINUES in trial.user_attrs}


def begin_again(study: optuna.Study, trial: FrozenTrial, *, killed: int = 0) -> None:
    """Queue a trial that was stopped: with its settings, the epochs it reported and its directory."""
    attributes = {**trial.user_attrs, CONTINUES: trial.number, _KILLED: killed}
    study.add_trial(
        optuna.create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            intermediate_values=trial.intermediate_values,
            user_attrs=attributes,
            system_attrs=trial.system_attrs,
        )
    )


def _begin_killed_again(study: optuna.Study, trial: FrozenTrial) -> None:
    killed = trial.user_attrs.get(_KILLED, 0) + 1
    if killed < ATTEMPTS:
        begin_again(study, trial, killed=killed)


def give_up_silent_trials(study: optuna.Study) -> None:
    """Mark the running trials that gave no sign of life as failed, and queue them again."""
    with _experimental():
        optuna.storages.fail_stale_trials(study)


@contextmanager
def _experimental() -> Iterator[None]:
    """Optuna calls its signs of life experimental, which is for us to know and not for our users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna's own log lines are left out: each trial is told in our words."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
