"""``fivefold <domain> <task> find-lr DATA``."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from fivefold.cli.again import options_again
from fivefold.cli.examples import command
from fivefold.cli.output import emit, grid, say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import ConfigFile, Data, Device, Json
from fivefold.cli.verbs.settings import Settings
from fivefold.plugins.dependencies import check_dependencies
from fivefold.plugins.spec import PipelineSpec

if TYPE_CHECKING:
    from fivefold.workflow.finding import FoundRate

Out = Annotated[
    Path | None,
    Parameter(help="Where learning-rate.png and .json go; a new directory below runs/ where not given."),
]
Steps = Annotated[int, Parameter(help="Training steps of the test.")]
From = Annotated[float, Parameter(name="--from", help="First learning rate.")]
To = Annotated[float, Parameter(name="--to", help="Last learning rate.")]

OWN = {
    "--out": True,
    "--steps": True,
    "--from": True,
    "--to": True,
    "--json": False,
    "--batch-size": True,
    "--optimizer.lr": True,
}
"""Options that are not repeated for the training, with whether they take a value: it lacks or gets them anew."""


def find_lr_example(spec: PipelineSpec) -> str:
    """Find a rate for the pipeline's example data."""
    return f"{command(spec)} find-lr {spec.example} --steps 40 --out runs/find-lr"


def find_lr_verb(spec: PipelineSpec, settings: Settings) -> Callable[..., None]:
    """The command, with the pipeline's settings as options."""

    def find_lr(
        data: Data,
        /,
        *,
        out: Out = None,
        steps: Steps = 100,
        low: From = 1e-7,
        high: To = 10.0,
        device: Device = "auto",
        preset: Any = None,
        config: ConfigFile = None,
        json: Json = False,
        settings_typed: Any = None,
    ) -> None:
        """Find a learning rate: train a throw-away copy while the rate rises, and look at the loss.

        Proposes the rate where the loss falls steepest and a safer one, or says why the curve shows none. Only
        training samples are looked at, and nothing of the copy is kept.
        """
        chosen = settings.resolve(preset, config, settings_typed)
        check_dependencies()
        from fivefold.workflow.finding import find_learning_rate  # noqa: PLC0415 - imports torch

        found = find_learning_rate(
            spec,
            data,
            chosen,
            out=out,
            steps=steps,
            low=low,
            high=high,
            device=device,
            registry=Session.current.registry(),
        )
        again = options_again(Session.current.words[3:], data, OWN)
        words = [command(spec), "train", shlex.quote(data), again]
        show_rate(found, " ".join(words).rstrip(), json=json)

    find_lr.__annotations__ |= {"preset": settings.preset, "settings_typed": settings.options}
    return find_lr


def show_rate(found: FoundRate, train: str, *, json: bool) -> None:
    """The rates proposed, why, and the command to go on with, which begins with ``train``."""
    proposal = found.test.proposal
    go_on = None
    if proposal.rate is not None:
        go_on = f"{train} --batch-size {found.batch_size} --optimizer.lr {proposal.rate:.2g}"
    if json:
        emit(
            {
                "proposal": asdict(proposal),
                "ended": found.test.ended,
                "batch_size": found.batch_size,
                "next": go_on,
                "points": found.points,
                "picture": found.picture,
            }
        )
        return
    if go_on is None:
        say(f"No learning rate stands out: {proposal.reason}.", style="yellow")
    else:
        rows = [("steepest fall", f"{proposal.rate:.2g}"), ("safer", f"{proposal.safer:.2g}")]
        grid(("learning rate", ""), [*rows, ("lowest loss", f"{proposal.lowest:.2g}")])
        say(f"How:    {proposal.reason}")
    say(f"Curve:  {found.picture}")
    if go_on is not None:
        say(f"Next:   {go_on}")
