"""``fivefold runs compare``: settings that differ, metrics side by side, and the paired test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from fivefold.cli.judgement import metric_rows
from fivefold.cli.output import emit, grid, say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import Device, Json
from fivefold.errors import ConfigError, FivefoldError
from fivefold.runs import Run

if TYPE_CHECKING:
    from fivefold.workflow.comparing import RunComparison

Directory = Annotated[Path, Parameter(name="RUN", help="Directory of a run.")]
Test = Annotated[
    bool,
    Parameter(
        help="Let the runs predict their test split again, for the paired test of the first with each."
    ),
]


def compare(
    first: Directory,
    second: Directory,
    /,
    *others: Directory,
    test: Test = True,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Compare runs: settings that differ, metrics side by side, and whether one is better than the first.

    Intervals that overlap settle nothing. Where runs were judged on the same samples, the interval of their
    paired difference does; --no-test leaves it away.

    Example:
        fivefold runs compare RUN RUN
    """
    runs = [Run.open(path) for path in (first, second, *others)]
    kinds = sorted({run.pipeline for run in runs})
    if len(kinds) > 1:
        raise ConfigError(f"{first} and the others: expected runs of one pipeline, found {', '.join(kinds)}")
    settings = differing([flatten(run.config) for run in runs])
    tested = [paired(runs[0], other, device) if test else None for other in runs[1:]]
    if json:
        emit(
            {
                "runs": [_described(run) for run in runs],
                "settings": settings,
                "paired": [_plain(one) for one in tested],
            }
        )
        return
    head = ("", *(str(run.path) for run in runs))
    if settings:
        grid(head, [(name, *values) for name, values in settings.items()], title="Settings that differ")
    else:
        say("The settings are the same in all.")
    metrics = [{name: row for name, *row in metric_rows(run.report)} if run.report else {} for run in runs]
    names = list(dict.fromkeys(name for each in metrics for name in each))
    grid(head, [(name, *(cell(each, name) for each in metrics)) for name in names], title="Metrics")
    for run in runs:
        if len(run.info.get("commands", ())) > 1:
            say(
                f"Note: {run.path} was trained by more than one command; 'fivefold runs show {run.path}' lists them"
            )
    for run, one in zip(runs[1:], tested, strict=True):
        _show(runs[0], run, one)


def paired(first: Run, second: Run, device: str) -> RunComparison | str:
    """The paired test of two runs, or why there is none."""
    from fivefold.workflow.comparing import compare as compare_runs  # noqa: PLC0415 - imports torch

    try:
        return compare_runs(first, second, device=device, registry=Session.current.registry())
    except FivefoldError as error:
        return str(error)


def _show(first: Run, second: Run, found: RunComparison | str | None) -> None:
    if found is None:
        return
    if isinstance(found, str):
        say(f"{second.path} against {first.path}: no paired test, because {found}", style="yellow")
        return
    called = [run.info.get("data", {}).get("source") for run in (first, second)]
    if called[0] != called[1]:
        say(
            f"Note: the data are called {called[0]} and {called[1]}; their samples were paired by name and target"
        )
    tests = dict.fromkeys(test.name for one in found.comparisons for test in one.tests)
    rows = []
    for metric, one in zip(found.metrics, found.comparisons, strict=True):
        results = {test.name: test.result() for test in one.tests}
        rows.append(
            (
                metric.name,
                *metric.told_difference(one.difference),
                *(results.get(name) for name in tests),
                one.verdict,
            )
        )
    grid(
        (
            f"{second.path} against {first.path}",
            "difference",
            f"{100 * found.level:g} % interval",
            *tests,
            "verdict",
        ),
        rows,
        title=f"Paired test on the same test samples: {found.samples:,}",
    )
    for reason in dict.fromkeys(one.withheld for one in found.comparisons if one.withheld):
        metrics = zip(found.metrics, found.comparisons, strict=True)
        silent = ", ".join(metric.name for metric, one in metrics if one.withheld == reason)
        say(f"Note: no verdict is spoken on {silent}: {reason}", style="yellow")


def _described(run: Run) -> dict[str, Any]:
    report = run.report or {}
    return {
        "run": str(run.path),
        "pipeline": run.pipeline,
        "status": run.status,
        "metrics": report.get("metrics", {}),
        "verdict": report.get("verdict", {}),
    }


def _plain(found: RunComparison | str | None) -> dict[str, Any] | None:
    """A comparison as JSON values; with the reason where there is none."""
    if found is None:
        return None
    if isinstance(found, str):
        return {"reason": found}
    return {
        "samples": found.samples,
        "level": found.level,
        "metrics": {
            one.metric: {
                "first": vars(one.reference),
                "second": vars(one.model),
                "difference": vars(one.difference),
                "tests": [vars(test) for test in one.tests],
                "verdict": one.verdict,
            }
            for one in found.comparisons
        },
    }


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
