"""``fivefold <domain> <task> train DATA``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from fivefold.cli.examples import predict_next
from fivefold.cli.judgement import show_run
from fivefold.cli.launched import is_launched, restarted, speaks
from fivefold.cli.log import show_log
from fivefold.cli.output import say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import ConfigFile, Data, Device, Json, Strict
from fivefold.cli.verbs.settings import Settings
from fivefold.errors import ConfigError, RunError
from fivefold.plugins.dependencies import check_dependencies
from fivefold.plugins.spec import PipelineSpec
from fivefold.runs import Run, run_to_resume

Out = Annotated[Path | None, Parameter(help="Directory of the run; a new one below runs/ where not given.")]
Resume = Annotated[
    bool,
    Parameter(
        negative="", show_default=False, help="Go on with the run at --out, or the newest unfinished one."
    ),
]
Devices = Annotated[
    int,
    Parameter(
        validator=Number(gte=1),
        help="Processes on this machine, each on a device of its own; see torchrun for more.",
    ),
]
DryRun = Annotated[
    bool,
    Parameter(
        negative="",
        show_default=False,
        help="Try a few steps, tell size, memory and time, and write nothing.",
    ),
]
Profile = Annotated[
    bool,
    Parameter(
        negative="", show_default=False, help="Write where the time of a step goes into the run's profile/."
    ),
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


def train_verb(spec: PipelineSpec, settings: Settings) -> Callable[..., int]:
    """The command, with the pipeline's settings as options."""

    def train(
        data: Data,
        /,
        *,
        out: Out = None,
        resume: Resume = False,
        device: Device = "auto",
        devices: Devices = 1,
        preset: Any = None,
        config: ConfigFile = None,
        strict: Strict = False,
        profile: Profile = False,
        dry_run: DryRun = False,
        json: Json = False,
        settings_typed: Any = None,
    ) -> int:
        session = Session.current
        resumed = _run_to_go_on_with(spec, data, out, asked=resume)
        resume = resume or resumed is not None
        if resumed is not None and config is not None:
            raise ConfigError(
                f"--resume goes on with the settings of {resumed.path}; leave --config {config} away"
            )
        file = config if resumed is None else resumed.path / "config.yaml"
        chosen = settings.resolve(preset, file, settings_typed)
        check_dependencies()
        show_log()
        registry = session.registry()
        if dry_run:
            from fivefold.cli.dry_run import show_dry_run  # noqa: PLC0415 - imports torch
            from fivefold.workflow.finding import dry_run as try_training  # noqa: PLC0415 - imports torch

            show_dry_run(try_training(spec, data, chosen, device=device, registry=registry), json=json)
            return 0
        if devices > 1 and not is_launched():
            from fivefold.training.processes.launch import launch  # noqa: PLC0415 - imports torch

            return launch(devices, session.words)
        from fivefold.workflow import train as train_run  # noqa: PLC0415 - imports torch

        run = train_run(
            spec,
            data,
            chosen,
            out=resumed.path if resumed else out,
            device=device,
            resume=resume,
            strict=strict,
            profile=profile,
            registry=registry,
        )
        if speaks():
            if profile:
                tell_of_profile(run)
            show_run(run, json=json, then=predict_next(spec, run.path))
        return 0

    train.__annotations__ |= {"preset": settings.preset, "settings_typed": settings.options}
    return train


def _run_to_go_on_with(spec: PipelineSpec, data: str, out: Path | None, *, asked: bool) -> Run | None:
    """The run to resume: where the user asked, and where torchrun starts this command anew after a failure."""
    if asked or not restarted():
        return run_to_resume(spec.name, data, out) if asked else None
    try:
        return run_to_resume(spec.name, data, out)
    except RunError:
        return None  # it failed before there was a run


def tell_of_profile(run: Run) -> None:
    """Say where the time went, if that was found out."""
    from fivefold.training.watching.profile_page import describe_profile  # noqa: PLC0415 - imports torch

    found = describe_profile(run.path / "profile")
    if found is not None:
        say(found)
