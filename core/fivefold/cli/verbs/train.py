"""``fivefold <domain> <task> train DATA``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from fivefold.cli.judgement import show_run
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import ConfigFile, Data, Device, Json
from fivefold.cli.verbs.settings import Settings
from fivefold.errors import ConfigError
from fivefold.plugins.dependencies import check_dependencies
from fivefold.plugins.spec import PipelineSpec
from fivefold.runs import run_to_resume

Out = Annotated[Path | None, Parameter(help="Directory of the run; a new one below runs/ where not given.")]
Resume = Annotated[
    bool,
    Parameter(
        negative="", show_default=False, help="Go on with the run at --out, or the newest unfinished one."
    ),
]
Strict = Annotated[
    bool, Parameter(negative="", show_default=False, help="Refuse data with leakage between the splits.")
]


def train_help(spec: PipelineSpec, settings: Settings) -> str:
    """The help text, with the presets and what they cost."""
    text = (
        f"Train {spec.name} on DATA, judge it against its baselines and write the report.\n\n{spec.summary}."
    )
    if not settings.presets:
        return text
    lines = [f"  {name}: {_first_line(preset)}" for name, preset in settings.presets.items()]
    return "\n".join([text, "", "Presets:", *lines])


def _first_line(preset: Callable[..., Any]) -> str:
    return (inspect.getdoc(preset) or "").partition("\n")[0]


def train_verb(spec: PipelineSpec, settings: Settings) -> Callable[..., None]:
    """The command, with the pipeline's settings as options."""

    def train(
        data: Data,
        /,
        *,
        out: Out = None,
        resume: Resume = False,
        device: Device = "auto",
        preset: Any = None,
        config: ConfigFile = None,
        strict: Strict = False,
        json: Json = False,
        settings_typed: Any = None,
    ) -> None:
        session = Session.current
        resumed = run_to_resume(spec.name, data, out) if resume else None
        if resumed is not None and config is not None:
            raise ConfigError(
                f"--resume goes on with the settings of {resumed.path}; leave --config {config} away"
            )
        file = config if resumed is None else resumed.path / "config.yaml"
        chosen = settings.resolve(preset, file, settings_typed)
        check_dependencies()
        from fivefold.workflow import train as train_run  # noqa: PLC0415 - imports torch

        registry = session.registry()
        run = train_run(
            spec,
            data,
            chosen,
            out=resumed.path if resumed else out,
            device=device,
            resume=resume,
            strict=strict,
            registry=registry,
        )
        show_run(run, json=json, then=f"fivefold {spec.domain} {spec.task} predict {run.path} ...")

    train.__annotations__ |= {"preset": settings.preset, "settings_typed": settings.options}
    return train
