"""Exclusive classes as predictions name them: how many are right, and which are taken for which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fivefold.evaluation.bootstrap import estimated
from fivefold.evaluation.classification_metrics import correct
from fivefold.evaluation.classification_sections import class_section, confusion_section
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.question_intervals import interval_head, percent
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
        accuracy_section(as_classes),
        class_section(as_classes, task.classes),
        confusion_section(as_classes, task.classes),
    ]


def accuracy_section(evaluation: Evaluation) -> Section:
    """The share of right classes with its interval; the outputs' ``target`` holds codes of classes, ``(N,)``."""
    right, target = correct(evaluation.outputs), evaluation.outputs["target"]
    accuracy = Metric.from_mean("accuracy", correct, style="percent", share=True)
    found = estimated(accuracy, evaluation.outputs, evaluation.units, evaluation)
    commonest = np.bincount(target).max() / len(target)
    row = ("Accuracy", *accuracy.told(found), f"{int(right.sum()):,} of {len(right):,}")
    return Section(
        title="Accuracy",
        text=_EXPLAINED.format(commonest=percent(float(commonest))),
        grids=(
            Grid("Classes that are named right", ("", "Value", interval_head(evaluation), "Samples"), (row,)),
        ),
        facts={"accuracy": vars(found), "commonest_class": float(commonest)},
        key="accuracy",
    )
