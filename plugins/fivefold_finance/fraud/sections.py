"""What the report of fraud detection shows beside the sections of every yes/no question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold_finance.fraud.config import CostConfig
from fivefold_finance.fraud.drift import Columns
from fivefold_finance.fraud.judged import Judged
from fivefold_finance.fraud.reasons import Reason
from fivefold_finance.fraud.sections_alerts import alerts_section
from fivefold_finance.fraud.sections_amounts import amounts_section
from fivefold_finance.fraud.sections_costs import costs_section
from fivefold_finance.fraud.sections_drift import drift_section
from fivefold_finance.fraud.sections_reasons import top_alerts_section
from fivefold_finance.fraud.sections_time import time_section

Explain = Callable[[Sequence[int]], list[list[Reason]]]
"""Places in the split to the reasons of each."""


def fraud_sections(
    evaluation: Evaluation,
    judged: Judged,
    settings: CostConfig,
    *,
    validation: Judged | None = None,
    validation_rivals: Mapping[str, Array] | None = None,
    columns: Columns | None = None,
    explain: Explain | None = None,
) -> list[Section]:
    """Alerts, frauds over time, costs, bands of amounts, top alerts with reasons, drift.

    Args:
        evaluation: the judgement; its baselines' outputs hold ``probabilities``, ``(N, 1)``.
        judged: the same transactions, in the same order.
        settings: the user's costs and review budget.
        validation: the validation split, on which the threshold of least cost is chosen; without it, the
            threshold is that of ``judged``, and the score's drift is not told.
        validation_rivals: baseline's name to its scores there, ``(V,)``, to choose its threshold alike; a baseline
            that is not named raises as many alerts as the model.
        columns: features of the training split and of this one, for drift.
        explain: gives reasons for alerts.
    """
    sections = []
    if not np.isnan(judged.fraud).all():
        sections = [
            alerts_section(evaluation, judged, settings.alerts_a_day),
            time_section(judged, settings.alerts_a_day),
            costs_section(evaluation, judged, settings, validation, validation_rivals or {}),
            amounts_section(judged),
        ]
    sections.append(top_alerts_section(evaluation, judged, explain))
    drift = drift_section(judged, validation, columns)
    return [*sections, *([drift] if drift else [])]
