"""``fivefold runs``: list, show, compare and clean trainings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from fivefold.cleaning import disk_use
from fivefold.cli.judgement import show_report
from fivefold.cli.output import emit, grid, say, size
from fivefold.cli.runs_clean import clean
from fivefold.cli.runs_compare import compare
from fivefold.cli.session import warn
from fivefold.cli.taught import group
from fivefold.cli.verbs.parameters import Json
from fivefold.errors import RunError
from fivefold.evaluation.numbers import told_values
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
        grid(head, ([*(run[name] for name in head[:5]), shown(run), size(run["bytes"])] for run in found))
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
        "verdict": report.get("verdict", {}).get("verdict", ""),
        "bytes": disk_use(run.path),
    }


def shown(run: Mapping[str, Any]) -> str:
    """The headline value as people read it; nothing where there is no report yet."""
    value, _ = told_values(run["value"], None, None, percent=run["style"] == "percent")
    return value if run["metric"] else ""


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
    return group("runs", {"list": list_runs, "show": show, "compare": compare, "clean": clean})
