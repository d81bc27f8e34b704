"""Which classified samples a report shows one by one, and what it says of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fivefold.evaluation.classification_metrics import labels, predicted
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.label_errors import Suspect


def surest_right(evaluation: Evaluation, *, of_a_class: int, most: int = 8) -> list[int]:
    """The right predictions with the highest probability, class by class, ``most`` in all."""
    target, best = labels(evaluation.outputs), evaluation.outputs["probabilities"].max(axis=1)
    right = predicted(evaluation.outputs) == target
    rows: list[int] = []
    for code in np.unique(target[right]):
        own = np.flatnonzero(right & (target == code))
        rows += own[np.argsort(-best[own], kind="stable")][:of_a_class].tolist()
    return rows[:most]


def told_guess(evaluation: Evaluation, classes: Sequence[str], row: int) -> str:
    """The sample's name, what it was taken for and how surely, and its label where that is another."""
    shares, code = evaluation.outputs["probabilities"][row], int(evaluation.outputs["target"][row])
    guess = int(shares.argmax())
    share = f"{100 * float(shares[guess]):.0f} %"
    name = evaluation.ids[row]
    if guess == code:
        return f"{name}: {classes[guess]} ({share}), right"
    return f"{name}: taken for {classes[guess]} ({share}), labelled {classes[code]}"


def told_suspect(evaluation: Evaluation, classes: Sequence[str], one: Suspect) -> str:
    """The sample's name, its label, and the class that it seems to be of."""
    return f"{evaluation.ids[one.index]}: labelled {classes[one.given]}, seems to be {classes[one.suggested]}"
