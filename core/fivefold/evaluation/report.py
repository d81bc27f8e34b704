"""Writes the report: ``report.json`` for machines, and ``report.html``, one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fivefold.evaluation.document import document
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.page import render
from fivefold.evaluation.section import Section
from fivefold.files import write_json, write_text


def write_report(
    evaluation: Evaluation, sections: Sequence[Section], run_info: Mapping[str, Any], directory: Path
) -> None:
    """Write ``report.json`` and ``report.html`` into ``directory``, each whole or not at all.

    Args:
        evaluation: the judgement.
        sections: the task's and the pipeline's own sections, in order.
        run_info: what else is known of the run; keys that are absent are left out of the report.
            ``pipeline``, ``data``, ``split_how``, ``sizes`` (split to number), ``licence``, ``citation``,
            ``problems`` (each ``sample`` and ``reason``), ``curves`` (records of metrics.jsonl),
            ``training``, ``versions``, ``seed``, ``device``, ``hardware``, ``started``, ``seconds``,
            ``command``, ``config``, ``statement`` (stands on every page), ``cautions`` (sentences for the top), and
            ``leakage_searched`` (False where it was not).
        directory: where; made where it does not exist.
    """
    content = document(evaluation, sections, run_info)
    page = render(evaluation, sections, content, run_info.get("curves") or ())
    write_json(directory / "report.json", content)
    write_text(directory / "report.html", page)
