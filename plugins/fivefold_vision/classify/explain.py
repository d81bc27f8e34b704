"""Pictures in the report: confident mistakes, probable label errors, and where the network looked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from fivefold.evaluation.classification_sections import beats_nothing, confident_mistakes
from fivefold.evaluation.classified_samples import surest_right, told_guess, told_suspect
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.gradcam import heat_maps
from fivefold.evaluation.label_errors import suspects
from fivefold.evaluation.section import Section
from fivefold.images.pictures import picture_figure, with_heat
from fivefold.tasks.classification import Classification

SHOWN = 12
"""Pictures in each gallery."""


def picture_sections(evaluation: Evaluation, task: Classification) -> list[Section]:
    """The galleries that have something to show."""
    sections = [
        mistakes_section(evaluation, task.classes),
        label_errors_section(evaluation, task.classes),
        attention_section(evaluation, task),
    ]
    return [section for section in sections if section is not None]


def mistakes_section(evaluation: Evaluation, classes: Sequence[str]) -> Section | None:
    """The most confident mistakes as pictures; None where there are none."""
    rows = np.array(confident_mistakes(evaluation, SHOWN), dtype=np.int64)
    if not len(rows):
        return None
    return Section(
        title="Pictures of the most confident mistakes",
        text="Where the model was sure and wrong: often a label error, an unusual view, or a real weakness.",
        gallery=tuple(
            picture_figure(image, told_guess(evaluation, classes, row))
            for image, row in zip(_images(evaluation, rows), rows, strict=True)
        ),
        key="mistake_pictures",
    )


def label_errors_section(evaluation: Evaluation, classes: Sequence[str]) -> Section | None:
    """The clearest probable label errors as pictures; None without any, or where the model beats no baseline."""
    found = suspects(evaluation.outputs["probabilities"], evaluation.outputs["target"])[:SHOWN]
    if not found or beats_nothing(evaluation):
        return None
    images = _images(evaluation, np.array([suspect.index for suspect in found]))
    return Section(
        title="Pictures of probable label errors",
        text="Worth a second look by someone who knows the subject.",
        gallery=tuple(
            picture_figure(image, told_suspect(evaluation, classes, suspect))
            for image, suspect in zip(images, found, strict=True)
        ),
        key="label_error_pictures",
    )


def attention_section(evaluation: Evaluation, task: Classification) -> Section | None:
    """Grad-CAM of the surest right sample of each class and of the surest mistakes; None without feature maps."""
    chosen = [*surest_right(evaluation, of_a_class=1), *confident_mistakes(evaluation, 4)]
    rows = np.array(chosen, dtype=np.int64)
    images = _images(evaluation, rows)
    predicted = evaluation.outputs["probabilities"][rows].argmax(axis=1)
    heat = heat_maps(task.network, images, predicted)
    if heat is None:
        return None
    return Section(
        title="Where the model looked",
        text=(
            "Grad-CAM (Selvaraju et al. 2017): red places spoke for the predicted class, blue ones did not. "
            "Places outside the subject are a sign that the model learned something else than meant."
        ),
        gallery=tuple(
            picture_figure(with_heat(image, heat_map), told_guess(evaluation, task.classes, row))
            for image, heat_map, row in zip(images, heat, rows, strict=True)
        ),
        key="attention",
    )


def _images(evaluation: Evaluation, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Inputs of ``rows``, uint8 ``(N, C, H, W)``."""
    return np.asarray(evaluation.samples.batch(torch.from_numpy(rows))["input"].numpy(), dtype=np.uint8)
