"""``fivefold runs clean``: give disk space back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fivefold.cleaning import removable, remove
from fivefold.cli.output import emit, grid, say, size
from fivefold.cli.session import warn
from fivefold.cli.verbs.parameters import Json
from fivefold.errors import RunError
from fivefold.runs import list_runs

Root = Annotated[Path, Parameter(name="ROOT", help="A run, or a folder of runs with its subfolders.")]
Unfinished = Annotated[
    bool,
    Parameter(
        negative="", show_default=False, help="Runs that were interrupted or failed go, too, altogether."
    ),
]
Yes = Annotated[
    bool, Parameter(negative="", show_default=False, help="Remove; without, only say what would go.")
]


def clean(
    root: Root = Path("runs"), /, *, unfinished: Unfinished = False, yes: Yes = False, json: Json = False
) -> None:
    """Remove what finished runs no longer need: their checkpoints. Weights, settings and reports stay.

    A run without checkpoints cannot be trained further. Runs that cannot be read are named and left alone, and
    so are those whose training goes on.

    Example:
        fivefold runs clean
    """
    found = []
    for run in list_runs(root):
        if isinstance(run, RunError):
            warn(str(run))
        elif (one := removable(run, unfinished=unfinished)) is not None:
            found.append(one)
    if yes:
        for one in found:
            remove(one)
    total = sum(one.bytes for one in found)
    if json:
        listed = [{"path": one.path, "bytes": one.bytes, "reason": one.reason} for one in found]
        emit({"removed": yes, "bytes": total, "folders": listed})
        return
    if not found:
        say(f"Nothing to remove below {root}")
        return
    grid(("folder", "what", "disk"), ((str(one.path), one.reason, size(one.bytes)) for one in found))
    say(f"{size(total)} given back" if yes else f"{size(total)} would be given back; add --yes to remove")
