"""``report.json``: the judgement as plain JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from fivefold.evaluation.bootstrap import computable
from fivefold.evaluation.evaluation import Comparison, Evaluation
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.section import Section
from fivefold.evaluation.verdict import overall, sentence

FORMAT = 1
"""Version of the layout of ``report.json``."""


def document(
    evaluation: Evaluation, sections: Sequence[Section], run_info: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that the report says, as JSON values (no NaN, no infinity: null in their place)."""
    metrics = {metric.name: metric for metric in evaluation.metrics}
    judgement, words = overall(evaluation)
    run = _run(evaluation, run_info)
    content = {
        "format": FORMAT,
        "split": evaluation.split,
        "samples": len(evaluation.ids),
        "verdict": {"verdict": judgement, "sentence": words, "metric": evaluation.headline.name},
        "interval": {
            "level": evaluation.level,
            "resamples": evaluation.resamples,
            "unit": evaluation.unit_name,
            "units": len(evaluation.ids) if evaluation.units is None else len(np.unique(evaluation.units)),
        },
        "metrics": {
            name: {
                **vars(evaluation.estimates[name]),
                "higher_is_better": metric.higher_is_better,
                "style": metric.style,
            }
            for name, metric in metrics.items()
        },
        "baselines": baseline_values(evaluation),
        "comparisons": [
            _comparison(one, metrics[one.metric], evaluation.level) for one in evaluation.comparisons
        ],
        "findings": [vars(finding) for finding in evaluation.findings],
        "notes": [note for note in evaluation.notes if note not in run.get("cautions", ())],
        "sections": {section.key: section.facts for section in sections if section.key},
        "run": run,
    }
    return {key: plain(value) for key, value in content.items()}


def _run(evaluation: Evaluation, run_info: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the run, with the judgement's own cautions before the pipeline's."""
    run = {key: value for key, value in run_info.items() if key != "curves"}
    if evaluation.cautions:
        run["cautions"] = [*evaluation.cautions, *run.get("cautions", ())]
    return run


def _comparison(comparison: Comparison, metric: Metric, level: float) -> dict[str, Any]:
    """A comparison with its sentence; ``tests`` and ``withheld`` only where there is something to them."""
    values = {
        key: value for key, value in vars(comparison).items() if key not in {"tests", "withheld"} or value
    }
    return {**values, "sentence": sentence(comparison, metric, level)}


def baseline_values(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    """Every metric of every baseline, without intervals: baseline's name to metric's name to value."""
    return {
        name: {
            metric.name: metric.compute(outputs, None)
            for metric in evaluation.metrics
            if computable(metric, outputs)
        }
        for name, outputs in evaluation.baseline_outputs.items()
    }


def plain(value: Any) -> Any:
    """``value`` as JSON has it: numpy and dataclasses unwrapped, NaN and infinity null, the rest as text."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    elif isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
