"""``fivefold <domain> <task> predict RUN INPUTS...``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from fivefold.cli.following import follow_inputs
from fivefold.cli.options import options_type
from fivefold.cli.output import emit, grid, say
from fivefold.cli.records import check_kind, flat, shortest, write_records
from fivefold.cli.session import Session
from fivefold.cli.verbs.evaluate import open_run
from fivefold.cli.verbs.parameters import Device, Json, RunDirectory
from fivefold.cli.verbs.reading import reading_options
from fivefold.config.follow import FollowOptions
from fivefold.plugins.dependencies import check_dependencies
from fivefold.plugins.spec import PipelineSpec
from fivefold.plugins.targets import load_prediction

SHOWN = 20
"""Rows of a printed table; a file or --json has all."""
LARGEST = 3
"""Values of a mapping that a printed table shows."""

GROUP = Group("Prediction", help="What this pipeline's predictions can be told.", sort_key=2)
RESERVED = ("debug", "device", "inputs", "json", "no_plugins", "out", "run")

Inputs = Annotated[
    str, Parameter(help="Files, folders, a dataset's name, or an address; they need no labels.")
]
Out = Annotated[Path | None, Parameter(help="Write all predictions to this file, .csv or .jsonl.")]


def predict_verb(spec: PipelineSpec) -> Callable[..., None]:
    """The command, with the pipeline's own options of prediction, and those that say how inputs are written."""

    def predict(
        run: RunDirectory,
        /,
        *inputs: Inputs,
        out: Out = None,
        device: Device = "auto",
        json: Json = False,
        options_typed: Any = None,
        reading: Any = None,
    ) -> None:
        """Predict with a trained model; prints a table, or writes a file."""
        opened = open_run(run, spec)
        if out is not None:
            check_kind(out)
        check_dependencies()
        if follows and options_typed and options_typed.get("follow"):
            follow_inputs(
                opened, inputs, out=out, device=device, json=json, options=options_typed, reading=reading
            )
            return
        from fivefold.workflow import predict as predict_run  # noqa: PLC0415 - imports torch

        stream = Stream()
        records = predict_run(
            opened,
            list(inputs),
            device=device,
            options=options_typed,
            reading=reading,
            show=None if json else stream.write,
            registry=Session.current.registry(),
        )
        if out is not None:
            write_records(records, out)
            say(f"{len(records)} predictions written to {out}")
        elif not json and not stream.used:
            show_records(records)
        if json:
            emit({"run": opened.path, "predictions": shortest(records), **({"out": out} if out else {})})

    own = load_prediction(spec)
    follows = issubclass(own, FollowOptions)
    options: Any = options_type(own, RESERVED)
    # A group without options would stand in the help with nothing in it.
    typed = Parameter(name="*", group=GROUP) if own.model_fields else Parameter(parse=False)
    predict.__annotations__ |= {
        "options_typed": Annotated[options | None, typed],
        "reading": reading_options(spec, (*RESERVED, *own.model_fields)),
    }
    return predict


class Stream:
    """Text shown on stdout as it comes to be.

    Attributes:
        used: whether anything was shown.
    """

    def __init__(self) -> None:
        self.used = False

    def write(self, text: str) -> None:
        """Show ``text`` at once."""
        self.used = True
        sys.stdout.write(text)
        sys.stdout.flush()


def brief(value: Any) -> Any:
    """``coat 0.930, shirt 0.040, ...`` for a mapping of numbers; anything else as it is."""
    if not isinstance(value, Mapping) or not all(isinstance(number, float) for number in value.values()):
        return value
    largest = sorted(value.items(), key=lambda item: -item[1])[:LARGEST]
    text = ", ".join(f"{name} {number:.3f}" for name, number in largest)
    return text if len(largest) == len(value) else f"{text}, ..."


def show_records(records: list[dict[str, Any]]) -> None:
    """The first records as a table; of a mapping, such as the probabilities of classes, the largest values."""
    rows = [flat({name: brief(value) for name, value in record.items()}) for record in records[:SHOWN]]
    head = list(dict.fromkeys(name for row in rows for name in row))
    grid(head, ([row.get(name) for name in head] for row in rows))
    if len(records) > SHOWN:
        say(f"... and {len(records) - SHOWN} more; write all with --out predictions.csv, or take --json")
