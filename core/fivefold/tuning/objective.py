"""One trial: settings proposed, a training in a directory of its own, the best validation metric."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from types import FrameType
from typing import Any

import optuna

from fivefold.config.files import to_yaml
from fivefold.errors import Interrupted, TrainingError
from fivefold.files import write_text
from fivefold.training.callback import Callback
from fivefold.training.saving.checkpoint import newest_checkpoint
from fivefold.training.seeds import seed_everything
from fivefold.training.signals import StopSignal
from fivefold.training.trainer import Trainer
from fivefold.tuning.plan import Plan
from fivefold.tuning.space import with_values
from fivefold.tuning.study import DIRECTORY, propose

ERROR = "error"
"""Attribute of a trial that failed: the sentence that says why."""


class GivenUp(BaseException):
    """A trial is given up. No `Exception`: a training goes on without a callback that raises one of those."""


class Pruning(Callback):
    """Reports the metric after each epoch, and gives a trial up that the pruner finds hopeless.

    Args:
        trial: the trial.
        metric: the metric that the study is about.
        epochs: how many there are; after the last there is nothing left to save.
    """

    def __init__(self, trial: optuna.Trial, metric: str, epochs: int) -> None:
        self._trial = trial
        self._metric = metric
        self._epochs = epochs
        # A trial that was begun again may repeat epochs that it reported before.
        self._reported = set(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values)

    def on_log(self, record: dict[str, Any]) -> None:
        """Take in a record of the validation split.

        Raises:
            GivenUp: the pruner says so.
        """
        if record["split"] != "val":
            return
        epoch = math.ceil(record["epoch"])
        if epoch not in self._reported:
            self._reported.add(epoch)
            self._trial.report(record[self._metric], epoch)
        if epoch < self._epochs and self._trial.should_prune():
            raise GivenUp


class Relay(Callback):
    """Has the study note a signal, too, which a training notes for itself alone.

    Otherwise Ctrl-C in the last epoch of a trial would end that trial, which is over anyway, and not the study.
    """

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop

    def on_start(self, info: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        """Stand before the training's handlers, which it takes away at its end."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, partial(self._note, signal.getsignal(number)))

    def _note(self, next_handler: Any, number: int, frame: FrameType | None) -> None:
        self._stop.received = signal.Signals(number)
        next_handler(number, frame)


class Objective:
    """Trains one trial; Optuna calls it.

    Attributes:
        number: of the trial; None before there is one.

    Args:
        plan: what the study is of.
        stop: whether a signal came.
    """

    def __init__(self, plan: Plan, stop: StopSignal) -> None:
        self.number: int | None = None
        self._plan = plan
        self._stop = stop

    def __call__(self, trial: optuna.Trial) -> float:
        """Train ``trial``.

        Returns:
            its best validation metric.

        Raises:
            TrainingError: the training failed; noted in the trial.
            ConfigError: the settings do not fit one another; noted in the trial.
            Interrupted: a signal came; the training is saved.
            optuna.TrialPruned: it was given up.
        """
        self.number = trial.number
        values = {name: propose(trial, name, domain) for name, domain in self._plan.space.domains.items()}
        try:
            return self._train(trial, values)
        except GivenUp:
            raise optuna.TrialPruned from None
        except Interrupted:
            raise
        except Exception as error:
            trial.set_user_attr(ERROR, str(error))
            raise

    def _train(self, trial: optuna.Trial, values: Mapping[str, Any]) -> float:
        plan = self._plan
        config = with_values(plan.config, values)
        name = trial.user_attrs.get(DIRECTORY, f"trial-{trial.number:04d}")
        trial.set_user_attr(DIRECTORY, name)
        directory = plan.directory / name
        write_text(directory / "config.yaml", to_yaml(config))
        prepared = plan.data.prepared(config)
        pipeline = plan.pipeline(config)
        pipeline.facts = prepared.facts
        seed_everything(config.seed)
        trainer = Trainer(
            pipeline.task(prepared.facts),
            prepared.train,
            prepared.val,
            config=config,
            device=plan.device,
            directory=directory,
            augment=pipeline.augment(prepared.facts),
            sample_weights=pipeline.sample_weights(prepared.train),
            callbacks=[
                *plan.registry.callbacks(),
                Pruning(trial, plan.monitor.name, config.epochs),
                Relay(self._stop),
            ],
            progress=sys.stderr.isatty(),
        )
        if self._stop.received is not None:
            raise Interrupted(f"stopped by {self._stop.received.name} before the trial began")
        result = trainer.fit(resume=newest_checkpoint(directory / "checkpoints") is not None)
        if result.best is None or not math.isfinite(result.best):
            raise TrainingError(
                f"the validation metric {plan.monitor.name} was a number after none of the epochs"
            )
        return result.best
