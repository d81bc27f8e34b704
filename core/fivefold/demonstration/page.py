"""The page that shows the domains side by side."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fivefold.demonstration.job import Shown
from fivefold.evaluation.numbers import told_values
from fivefold.evaluation.page import MARKS
from fivefold.files import write_text


def write_page(shown: Sequence[Shown], path: Path) -> None:
    """Write the page, whole or not at all; it loads nothing from outside and runs no script."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only here

    environment = Environment(
        loader=ChoiceLoader([PackageLoader("fivefold.demonstration"), PackageLoader("fivefold.evaluation")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["quoted"] = shlex.quote
    cards = [_card(one, path.parent) for one in shown]
    write_text(path, environment.get_template("demo.html.j2").render(cards=cards))


def _card(shown: Shown, folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = {
        "domain": shown.spec.domain,
        "pipeline": shown.spec.name,
        "summary": shown.spec.summary,
        "command": shlex.split(shown.command),
        "next": shlex.split(shown.next),
        "lacking": shown.lacking,
        "picture": shown.picture,
    }
    report = shown.run.report if shown.run is not None else None
    if shown.run is None or report is None:
        return card
    return card | {
        "mark": MARKS[report["verdict"]["verdict"]],
        "verdict": report["verdict"]["sentence"],
        "metric": report["verdict"]["metric"],
        "facts": _facts(shown, report),
        "cautions": [*_doubtful(report), *(report["run"].get("cautions") or [])],
        "statement": report["run"].get("statement") or "",
        "report": os.path.relpath(shown.run.path / "report.html", folder),
        **_headline(report),
    }


def _severe(report: dict[str, Any]) -> list[str]:
    return [finding["text"] for finding in report["findings"] if finding["severe"]]


def _doubtful(report: dict[str, Any]) -> list[str]:
    """What stands beside a verdict whose data share samples between the splits."""
    found = _severe(report)
    if not found:
        return []
    told = f"Samples stand on both sides of a split, so the verdict may be too good: {found[0]}"
    return [told if len(found) == 1 else f"{told} The report has {len(found) - 1} more such findings."]


def _headline(report: dict[str, Any]) -> dict[str, str]:
    metric = report["metrics"][report["verdict"]["metric"]]
    value, interval = told_values(
        metric["value"], metric["low"], metric["high"], percent=metric["style"] == "percent"
    )
    level = f"{100 * report['interval']['level']:g} %"
    return {"value": value, "interval": interval, "level": level}


def _facts(shown: Shown, report: dict[str, Any]) -> list[tuple[str, str]]:
    run = report["run"]
    sizes = ", ".join(f"{name} {count:,}" for name, count in (run.get("sizes") or {}).items())
    severe = _severe(report)
    rows = [
        ("Data", run.get("data") or ""),
        ("Samples", sizes),
        ("Licence", run.get("licence") or ""),
        ("Network", shown.network),
        ("Leakage", f"severe findings: {len(severe)}" if severe else "no severe finding"),
        ("Time", f"{shown.seconds:.0f} s in all"),
    ]
    return [(name, text) for name, text in rows if text]
