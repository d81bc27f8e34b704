"""``fivefold <domain> <task> evaluate RUN [DATA]``."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from fivefold.cli.judgement import show_report
from fivefold.cli.output import emit
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import Device, Json, RunDirectory
from fivefold.cli.verbs.reading import reading_options
from fivefold.errors import RunError
from fivefold.plugins.dependencies import check_dependencies
from fivefold.plugins.spec import PipelineSpec
from fivefold.runs import Run

RESERVED = ("data", "debug", "device", "json", "no_plugins", "run", "strict")

OtherData = Annotated[
    str | None,
    Parameter(name="DATA", help="Labelled data to judge the model on; its own test split where not given."),
]
Strict = Annotated[
    bool,
    Parameter(negative="", show_default=False, help="Refuse data that share samples with the training data."),
]


def evaluate_verb(spec: PipelineSpec) -> Callable[..., None]:
    """The command, with the settings that say how data are written as options."""

    def evaluate(
        run: RunDirectory,
        data: OtherData = None,
        /,
        *,
        device: Device = "auto",
        strict: Strict = False,
        json: Json = False,
        reading: Any = None,
    ) -> None:
        """Judge a trained model: metrics with intervals, comparison with the baselines, a report.

        Without DATA, on the test split of the data that it was trained on.
        """
        opened = open_run(run, spec)
        check_dependencies()
        from fivefold.workflow import evaluate as evaluate_run  # noqa: PLC0415 - imports torch

        _, directory = evaluate_run(
            opened, data, device=device, strict=strict, reading=reading, registry=Session.current.registry()
        )
        report = json_module.loads((directory / "report.json").read_text(encoding="utf-8"))
        if json:
            emit({"run": opened.path, "report": directory / "report.html", "evaluation": report})
        else:
            show_report(report, directory)

    evaluate.__annotations__ |= {"reading": reading_options(spec, RESERVED)}
    return evaluate


def open_run(path: Path, spec: PipelineSpec) -> Run:
    """The run at ``path``, which must be one of this pipeline.

    Raises:
        RunError: there is no run, or it is one of another pipeline.
    """
    run = Run.open(path)
    if run.pipeline != spec.name:
        command = run.pipeline.replace("/", " ")
        raise RunError(
            f"{path}: expected a run of {spec.name}, found one of {run.pipeline}; use 'fivefold {command}'"
        )
    return run
