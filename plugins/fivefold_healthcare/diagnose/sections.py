"""What the report of a diagnosis shows beside what every report of questions does."""

from __future__ import annotations

import numpy as np

from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Grid, Section
from fivefold.evaluation.subgroups import subgroup_section
from fivefold.images.pictures import picture_figure
from fivefold.tasks.questions import Questions
from fivefold_healthcare.diagnose.card import card_section
from fivefold_healthcare.diagnose.classes import class_sections
from fivefold_healthcare.diagnose.config import DiagnoseConfig
from fivefold_healthcare.diagnose.data import Images
from fivefold_healthcare.diagnose.quality import LIMIT, MEASURES, measure_quality, outliers
from fivefold_healthcare.diagnose.saliency import flat_picture, saliency_section

SHOWN = 12
"""Pictures in a gallery."""
EXAMINED = 2048
"""Images whose quality is measured, at most."""


def report_sections(evaluation: Evaluation, config: DiagnoseConfig) -> list[Section]:
    """Exclusive classes, subgroups, saliency, image quality, model card."""
    task, samples = evaluation.task, evaluation.samples
    if not isinstance(task, Questions) or not isinstance(samples, Images):
        return []
    said = task.said(evaluation.outputs["probabilities"])
    sections = [
        *class_sections(evaluation, task),
        subgroup_section(evaluation, task.names, said, samples.subgroups),
        saliency_section(evaluation, task, samples),
        quality_section(evaluation, samples),
        card_section(evaluation, task, config),
    ]
    return [section for section in sections if section is not None]


def quality_section(evaluation: Evaluation, samples: Images) -> Section:
    """Images whose brightness, contrast or sharpness stands out from the training images'."""
    rows = np.unique(np.linspace(0, len(samples) - 1, min(EXAMINED, len(samples))).astype(np.int64))
    values = np.concatenate(
        [measure_quality(samples.pixels(part)) for part in np.array_split(rows, max(1, len(rows) // 256))]
    )
    found = outliers(values, evaluation.facts)
    shown = found[:SHOWN]
    told = [(str(evaluation.ids[rows[one.index]]), one) for one in found]
    text = (
        f"{len(found)} of {len(rows):,} images examined stand out from the training images by more than "
        f"{LIMIT:g} robust standard deviations in {', '.join(MEASURES)}. Look at them: a model may be wrong "
        "on them without a sign of it."
        if found
        else f"None of {len(rows):,} images examined stands out from the training images in {', '.join(MEASURES)}."
    )
    grid = Grid(
        "Images that stand out, the farthest first",
        ("Image", "Measure", "Value", "Usual", "Robust standard deviations"),
        tuple(
            (name, one.measure, f"{one.value:.4g}", f"{one.usual:.4g}", f"{one.distance:+.1f}")
            for name, one in told[:SHOWN]
        ),
    )
    pictures = [flat_picture(samples.pixels(rows[[one.index]])[0]) for one in shown]
    return Section(
        title="Image quality",
        text=text,
        grids=(grid,) if found else (),
        gallery=tuple(
            picture_figure(picture, f"{name}: {one.measure} {one.value:.3g}, usual {one.usual:.3g}")
            for picture, (name, one) in zip(pictures, told, strict=False)
        ),
        facts={
            "examined": len(rows),
            "outliers": [
                {"sample": name, "measure": one.measure, "value": one.value, "usual": one.usual}
                for name, one in told
            ],
        },
        key="image_quality",
    )
