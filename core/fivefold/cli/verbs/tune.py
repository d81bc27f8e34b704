"""``fivefold <domain> <task> tune DATA``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from fivefold.cli.examples import command
from fivefold.cli.output import emit, grid, say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import ConfigFile, Data, Device, Json, Strict
from fivefold.cli.verbs.settings import Settings
from fivefold.plugins.dependencies import check_dependencies
from fivefold.plugins.spec import PipelineSpec

if TYPE_CHECKING:
    from fivefold.tuning.tuner import Tuned

SHOWN = 10
"""Trials of the printed table, the best; ``study.json`` has all."""

Search = Annotated[
    list[str] | None,
    Parameter(
        negative="",
        help="What a setting may be: NAME=LOW:HIGH, NAME=LOW:HIGH:log, or NAME=VALUE,VALUE,...; a single "
        "value holds it there. Can be given several times.",
    ),
]
Trials = Annotated[
    int | None,
    Parameter(help="Finished trials that the study should have in all; 20 where --minutes is not given."),
]
Minutes = Annotated[float | None, Parameter(help="After so many minutes no further trial begins.")]
Prune = Annotated[
    bool,
    Parameter(
        negative="--no-prune",
        help="Give up trials that are worse than the median of the others after as many epochs.",
    ),
]
Out = Annotated[
    Path | None,
    Parameter(help="Directory of the study, new or to go on with; a new one below runs/ where not given."),
]
Storage = Annotated[
    str | None,
    Parameter(help="URL of a database that several machines share; a file in the directory where not given."),
]
Study = Annotated[
    str | None, Parameter(help="Name of the study in --storage, or of its directory below runs/.")
]


def tune_example(spec: PipelineSpec) -> str:
    """A small study."""
    return f"{command(spec)} tune {spec.example} --trials 2 --epochs 1 --out tuned/{Path(spec.example).stem}"


def tune_verb(spec: PipelineSpec, settings: Settings) -> Callable[..., None]:
    """The command, with the pipeline's settings as options."""

    def tune(
        data: Data,
        /,
        *,
        search: Search = None,
        trials: Trials = None,
        minutes: Minutes = None,
        prune: Prune = True,
        out: Out = None,
        storage: Storage = None,
        study: Study = None,
        device: Device = "auto",
        preset: Any = None,
        config: ConfigFile = None,
        strict: Strict = False,
        json: Json = False,
        settings_typed: Any = None,
    ) -> None:
        """Search the settings that give the best validation metric, with Optuna.

        Trials are judged on the validation split. No trial sees the test split, so that it can judge the
        settings that win: train with best.yaml, which this writes. Learning rate, weight decay, batch size and
        what the pipeline names are searched around the settings given; --search changes that.

        The same command goes on with a study that was stopped, and several processes may work on one.
        """
        chosen = settings.resolve(preset, config, settings_typed)
        check_dependencies()
        from fivefold.tuning.tuner import tune as run_tuning  # noqa: PLC0415 - imports torch

        tuned = run_tuning(
            spec,
            data,
            chosen,
            search=search or (),
            trials=trials,
            minutes=minutes,
            prune=prune,
            out=out,
            storage=storage,
            study=study,
            device=device,
            strict=strict,
            registry=Session.current.registry(),
            on_trial=say_trial,
        )
        if json:
            emit({"study": tuned.path, "best_config": tuned.best_config, **tuned.document})
        else:
            show_study(tuned, f"{command(spec)} train {shlex.quote(data)}")

    tune.__annotations__ |= {"preset": settings.preset, "settings_typed": settings.options}
    return tune


def say_trial(record: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """One line for a trial that ended."""
    epochs = len(record["values"])
    ended = {
        "complete": f"{document['metric']} {shown(record['value'])}",
        "pruned": f"given up after {epochs} epoch{'s' if epochs > 1 else ''}",
        "failed": f"failed: {record['error']}",
    }[record["state"]]
    best = document["best"]
    news = f" (best {shown(best['value'])}, trial {best['number']})" if best else ""
    say(f"trial {record['number']}: {ended}{news}  {brief(record['settings'])}")


def brief(settings: Mapping[str, Any]) -> str:
    """``optimizer.lr 0.001, batch_size 32``."""
    return ", ".join(f"{name} {shown(value)}" for name, value in settings.items())


def shown(value: Any) -> str:
    """A setting or metric for people."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def show_study(tuned: Tuned, train: str) -> None:
    """The best trials as a table, what to make of them, and what to type next."""
    document = tuned.document
    best, names = document["best"], list(document["search"])
    sign = -1 if document["direction"] == "maximize" else 1
    complete = [record for record in document["trials"] if record["state"] == "complete"]
    ranked = sorted(complete, key=lambda record: (sign * record["value"], record["number"]))
    head = ("trial", document["metric"], *names)
    grid(
        head,
        (
            (record["number"], record["value"], *(record["settings"].get(name) for name in names))
            for record in ranked[:SHOWN]
        ),
        title="Best trials, on the validation split",
    )
    counts = ", ".join(f"{count} {state}" for state, count in document["counts"].items())
    say(f"Trials: {counts}")
    say(f"Best:   trial {best['number']}, {document['metric']} {shown(best['value'])}", style="bold")
    for text in document["leakage"]:
        say(f"Leakage: {text}", style="yellow")
    say(
        f"Note:   the best of {len(complete)} is partly luck, so its validation score flatters; "
        "judge it on the test split, which no trial has seen:"
    )
    say(f"Next:   {train} --config {shlex.quote(str(tuned.best_config))}")
    say(f"Study:  {tuned.path}")
