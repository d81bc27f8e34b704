"""``fivefold runs``: list, show, compare and clean trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from fivefold.cleaning import disk_use
from fivefold.cli.judgement import show_report, told_metric
from fivefold.cli.output import emit, grid, say, size
from fivefold.cli.root_help import COMMANDS
from fivefold.cli.runs_clean import clean
from fivefold.cli.runs_compare import compare
from fivefold.cli.session import warn
from fivefold.cli.taught import add
from fivefold.cli.verbs.parameters import Json
from fivefold.errors import RunError
from fivefold.runs import Run
from fivefold.runs import list_runs as find_runs

Root = Annotated[Path, Parameter(name="ROOT", help="Folder to look in, with its subfolders.")]
Directory = Annotated[Path, Parameter(name="RUN", help="Directory of a run.")]


def list_runs(root: Root = Path("runs"), /, *, json: Json = False) -> None:
    """List the runs below a folder: pipeline, data, status, headline result, disk use; broken ones by name.

    Example:
        fivefold runs list
    """
    found = []
    for run in find_runs(root):
        if isinstance(run, RunError):
            warn(str(run))
        else:
            found.append(describe(run))
    if json:
        emit({"runs": found})
    elif found:
        head = ("run", "pipeline", "data", "status", "metric", "value", "disk")
        grid(head, ([*(run[name] for name in head[:5]), run["told"], size(run["bytes"])] for run in found))
    else:
        say(f"No runs below {root}; 'fivefold --help' shows how to train")


def describe(run: Run) -> dict[str, Any]:
    """A run in a line, as plain values."""
    report = run.report or {}
    metric = report.get("verdict", {}).get("metric", "")
    value = report.get("metrics", {}).get(metric, {})
    return {
        "run": str(run.path),
        "pipeline": run.pipeline,
        "data": run.info.get("data", {}).get("source", ""),
        "status": run.status,
        "created": run.info.get("created", ""),
        "metric": metric,
        "value": value.get("value"),
        "style": value.get("style", "number"),
        "told": told_metric(value)[0] if value else "",
        "verdict": report.get("verdict", {}).get("verdict", ""),
        "bytes": disk_use(run.path),
    }


def show(run: Directory, /, *, json: Json = False) -> None:
    """Show a run: how it was made, what it came to, where its report is.

    Example:
        fivefold runs show RUN
    """
    opened = Run.open(run)
    report = opened.report
    if json:
        emit({"run": opened.path, "info": opened.info, "config": opened.config, "evaluation": report})
        return
    info = opened.info
    rows: list[tuple[str, Any]] = [
        (name, info[name])
        for name in ("pipeline", "status", "created", "finished", "device", "command")
        if name in info
    ]
    earlier = info.get("commands", [])[:-1]
    rows += [(f"command at step {one['step']:,}", one["command"]) for one in earlier]
    rows += [(name, value) for name, value in info.get("data", {}).items() if name in {"source", "split"}]
    grid(("run", str(opened.path)), rows)
    if report is not None:
        show_report(report, opened.path)


def runs_app() -> App:
    """The command with its commands."""
    app = App(name="runs", help=COMMANDS["runs"], help_epilogue="Examples:\n  fivefold runs list")
    add(app, list_runs, "list")
    add(app, show, "show")
    add(app, compare, "compare")
    add(app, clean, "clean")
    return app
