"""``fivefold runs``: list, show and compare trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from fivefold.cli.judgement import metric_rows, number, show_report
from fivefold.cli.output import emit, grid, say
from fivefold.cli.root_help import COMMANDS
from fivefold.cli.session import warn
from fivefold.cli.taught import add
from fivefold.cli.verbs.parameters import Json
from fivefold.errors import ConfigError, RunError
from fivefold.runs import Run
from fivefold.runs import list_runs as find_runs

app = App(name="runs", help=COMMANDS["runs"], help_epilogue="Examples:\n  fivefold runs list")

Root = Annotated[Path, Parameter(name="ROOT", help="Folder to look in, with its subfolders.")]
Directory = Annotated[Path, Parameter(name="RUN", help="Directory of a run.")]


def list_runs(root: Root = Path("runs"), /, *, json: Json = False) -> None:
    """List the runs below a folder: pipeline, data, status, headline result.

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
        head = ("run", "pipeline", "data", "status", "metric", "value")
        grid(head, ([run[name] if name != "value" else shown(run) for name in head] for run in found))
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
    }


def shown(run: Mapping[str, Any]) -> str:
    """The headline value as people read it; nothing where there is no report yet."""
    return number(run["value"], run["style"]) if run["metric"] else ""


def show(run: Directory, /, *, json: Json = False) -> None:
    """Show a run: how it was made, what it came to, where its report is.

    Example:
        fivefold runs show runs/digits
    """
    opened = Run.open(run)
    report = opened.report
    if json:
        emit({"run": opened.path, "info": opened.info, "config": opened.config, "evaluation": report})
        return
    info = opened.info
    rows = [
        (name, info[name])
        for name in ("pipeline", "status", "created", "finished", "device", "command")
        if name in info
    ]
    rows += [(name, value) for name, value in info.get("data", {}).items() if name in {"source", "split"}]
    grid(("run", str(opened.path)), rows)
    if report is not None:
        show_report(report, opened.path)


def compare(first: Directory, second: Directory, /, *others: Directory, json: Json = False) -> None:
    """Compare runs: the settings in which they differ, and their metrics side by side.

    Intervals that overlap do not settle which run is better; both must have been judged on the same data.

    Example:
        fivefold runs compare runs/digits runs/digits
    """
    runs = [Run.open(path) for path in (first, second, *others)]
    kinds = sorted({run.pipeline for run in runs})
    if len(kinds) > 1:
        raise ConfigError(f"{first} and the others: expected runs of one pipeline, found {', '.join(kinds)}")
    settings = differing([flatten(run.config) for run in runs])
    metrics = [{name: row for name, *row in metric_rows(run.report)} if run.report else {} for run in runs]
    if json:
        emit(
            {
                "runs": [{**describe(run), "metrics": (run.report or {}).get("metrics", {})} for run in runs],
                "settings": settings,
            }
        )
        return
    head = ("", *(str(run.path) for run in runs))
    if settings:
        grid(head, [(name, *values) for name, values in settings.items()], title="Settings that differ")
    else:
        say("The settings are the same in all.")
    names = list(dict.fromkeys(name for each in metrics for name in each))
    grid(head, [(name, *(cell(each, name) for each in metrics)) for name in names], title="Metrics")
    if len({run.info.get("data", {}).get("fingerprint") for run in runs}) > 1:
        say(
            "The runs were trained and judged on different data; their metrics cannot be compared.",
            style="yellow",
        )


def cell(metrics: Mapping[str, Sequence[str]], name: str) -> str:
    """``93.1 % (92.0 % to 94.0 %)``."""
    return f"{metrics[name][0]} ({metrics[name][1]})" if name in metrics else ""


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as ``optimizer.lr``."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= (
            flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
        )
    return flat


def differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Settings that are not the same in all, with each one's value."""
    names = dict.fromkeys(name for config in configs for name in config)
    values = {name: [config.get(name) for config in configs] for name in names}
    return {name: each for name, each in values.items() if any(value != each[0] for value in each)}


add(app, list_runs, "list")
add(app, show, "show")
add(app, compare, "compare")
