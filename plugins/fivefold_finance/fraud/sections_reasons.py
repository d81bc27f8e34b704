"""The section on the top alerts: the highest scores, whether they were fraud, and what raised them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Grid, Section
from fivefold_finance.fraud.judged import Judged
from fivefold_finance.fraud.reasons import Reason
from fivefold_finance.fraud.sections_predictors import money

SHOWN = 20
"""Alerts listed."""

ANSWERS = {1.0: "fraud", 0.0: "genuine"}


def top_alerts_section(
    evaluation: Evaluation, judged: Judged, explain: Callable[[Sequence[int]], list[list[Reason]]] | None
) -> Section:
    """The highest scores of the split; of equal ones, the first in time.

    Args:
        evaluation: names the transactions.
        judged: the same transactions.
        explain: places in the split to the reasons of each; None lists the alerts without reasons.
    """
    order = np.lexsort((judged.times, -judged.scores))[:SHOWN]
    why = explain(order.tolist()) if explain else [[] for _ in order]
    truths = [ANSWERS.get(float(judged.fraud[row]), "not known") for row in order]
    head = ["Transaction", "Time (UTC)", "Amount", "Score", "Label"]
    accounts = judged.accounts
    if accounts is not None:
        head.insert(1, "Account")
    if explain:
        head.append("Reasons")
    rows = []
    for row, truth, reasons in zip(order, truths, why, strict=True):
        cells = [
            str(evaluation.ids[row]),
            *([str(accounts[row])] if accounts is not None else []),
            str(judged.times[row].astype("datetime64[s]")).replace("T", " "),
            money(float(judged.amounts[row])) if np.isfinite(judged.amounts[row]) else "",
            f"{judged.scores[row]:.4g}",
            truth,
        ]
        rows.append(tuple(cells + ([told(reasons)] if explain else [])))
    return Section(
        title="Top alerts",
        text=_text(truths, explained=explain is not None),
        grids=(Grid(f"The {len(rows)} highest scores", tuple(head), tuple(rows)),),
        facts={
            "alerts": [
                {
                    "id": str(evaluation.ids[row]),
                    "score": float(judged.scores[row]),
                    "label": truth,
                    "reasons": [reason._asdict() for reason in reasons],
                }
                for row, truth, reasons in zip(order, truths, why, strict=True)
            ]
        },
        key="top_alerts",
    )


def told(reasons: Sequence[Reason]) -> str:
    """Reasons on one line: ``amount 1200 (+2.10); hour 3 (+0.40)``."""
    parts = [f"{reason.name} {reason.value} ({reason.contribution:+.2f})" for reason in reasons]
    return "; ".join(parts) or "no column alone raises the score"


def _text(truths: Sequence[str], *, explained: bool) -> str:
    frauds, unknown = truths.count("fraud"), truths.count("not known")
    parts = [
        f"Of the {len(truths)} highest scores, {frauds} are fraud"
        + (f" and of {unknown} it is not known." if unknown else ".")
    ]
    if explained:
        parts.append(
            "A reason is a column whose value raises the score: it is set to what is usual in the training split, and "
            "the fall of the log odds is printed in brackets. Of columns that tell the same, each shows only what "
            "the others do not tell already, and a reason of the model's need not be a cause."
        )
    return "\n\n".join(parts)
