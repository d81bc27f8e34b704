"""What a run came to, for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fivefold.cli.output import emit, grid, say
from fivefold.evaluation.numbers import told_values
from fivefold.runs import Run


def show_run(run: Run, *, json: bool, then: str = "") -> None:
    """A finished run: its report in short, where it lies, and what to type next."""
    report = run.report
    if json:
        emit({"run": run.path, "info": run.info, "report": run.path / "report.html", "evaluation": report})
        return
    if report is not None:
        show_report(report, run.path)
    say(f"Run:    {run.path}")
    if then:
        say(f"Next:   {then}")


def show_report(report: Mapping[str, Any], directory: Path) -> None:
    """Metrics with intervals, verdicts, findings, and where the report is."""
    grid((f"on {report['samples']} samples of {report['split']}", "value", "interval"), metric_rows(report))
    say(report["verdict"]["sentence"], style="bold")
    for comparison in report["comparisons"]:
        told = comparison["sentence"] == report["verdict"]["sentence"]
        if comparison["metric"] == report["verdict"]["metric"] and not told:
            say(comparison["sentence"])
    for caution in report["run"].get("cautions", ()):
        say(f"Note: {caution}", style="yellow")
    for finding in report["findings"]:
        say(f"{'Leakage' if finding['severe'] else 'Note'}: {finding['text']}", style="yellow")
    for note in report["notes"]:
        say(f"Note: {note}")
    say(f"Report: {directory / 'report.html'}")
    if report["run"].get("statement"):
        say(report["run"]["statement"])


def metric_rows(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and interval of each metric, as people read it."""
    return [
        (name, *told_values(of["value"], of["low"], of["high"], percent=of["style"] == "percent"))
        for name, of in report["metrics"].items()
    ]
