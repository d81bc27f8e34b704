"""Exclusive classes as predictions name them: how many are right, and which are taken for which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.classification_sections import class_section, confusion_section
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_intervals import (
    interval_head,
    percent,
    percent_span,
    resampled,
    share_interval,
    unit_count,
)
from fivefold.evaluation.section import Grid, Section
from fivefold.tasks.questions import Questions

_EXPLAINED = (
    "A prediction names the most probable class. Accuracy is the share of samples whose class it names; always naming "
    "the commonest class of this split would reach {commonest}. The thresholds of the operating point ask of each "
    "class alone, and take no part in this."
)


def class_sections(evaluation: Evaluation, task: Questions) -> list[Section]:
    """Accuracy, each class, and the confusion matrix; nothing where the questions are not exclusive classes."""
    if task.form != "exclusive":
        return []
    target = np.asarray(evaluation.outputs["target"]).argmax(axis=1)
    outputs = {"probabilities": np.asarray(evaluation.outputs["probabilities"]), "target": target}
    as_classes = replace(evaluation, outputs=outputs)
    return [
        accuracy_section(evaluation, outputs["probabilities"].argmax(axis=1) == target, target),
        class_section(as_classes, task.classes),
        confusion_section(as_classes, task.classes),
    ]


def accuracy_section(evaluation: Evaluation, right: Array, target: Array) -> Section:
    """The share of right classes with its interval.

    Args:
        evaluation: the judgement.
        right: whether the class named is the true one, ``(N,)``.
        target: the true class, ``(N,)``.
    """

    def compute(weights: Values) -> dict[str, Values]:
        return {"accuracy": (weights @ right / weights.sum(axis=1))[:, None]}

    trials = unit_count(evaluation, np.ones(len(right), dtype=bool))
    found = share_interval(resampled(evaluation, compute)["accuracy"][0], evaluation.level, trials)
    commonest = np.bincount(target).max() / len(target)
    row = ("Accuracy", percent(found.value), percent_span(found), f"{int(right.sum()):,} of {len(right):,}")
    return Section(
        title="Accuracy",
        text=_EXPLAINED.format(commonest=percent(float(commonest))),
        grids=(
            Grid("Classes that are named right", ("", "Value", interval_head(evaluation), "Samples"), (row,)),
        ),
        facts={"accuracy": vars(found), "commonest_class": float(commonest)},
        key="accuracy",
    )
