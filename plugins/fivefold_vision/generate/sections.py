"""The report of a generator: how near it comes to real images, what it shows, and what it copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fivefold.data.dataset import Dataset
from fivefold.evaluation.baselines.generation import RealImages
from fivefold.evaluation.class_coverage import class_coverage_section
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.generative_pictures import (
    Pixels,
    as_pixels,
    class_sheet_section,
    progress_section,
    samples_section,
)
from fivefold.evaluation.generative_sections import diversity_section, quality_section
from fivefold.evaluation.section import Section
from fivefold.tasks.adversarial import in_range
from fivefold_vision.generate.copies import copies_section
from fivefold_vision.generate.data import labels_of
from fivefold_vision.generate.judging import Judging
from fivefold_vision.generate.making import images_of
from fivefold_vision.generate.sheets import kept_sheets
from fivefold_vision.generate.task import ImageGeneration
from fivefold_vision.generate.trained_classifier import TrainedClassifier

SHOWN = 100
EACH = 10
"""Images of a class on the sheet of classes."""
MOST_ROWS = 20
"""Classes on that sheet."""
_AT_ONCE = 256


@dataclass(frozen=True)
class Material:
    """What the sections are made of beside the evaluation.

    Attributes:
        judging: the extractor.
        train: training images; None where they are not at hand.
        judge: the directory of the classifier that tells classes, if any.
        compared: generated images whose nearest training images are looked for.
        seed: of draws.
    """

    judging: Judging
    train: Dataset | None
    judge: Path | None
    compared: int
    seed: int


def generation_sections(evaluation: Evaluation, task: ImageGeneration, material: Material) -> list[Section]:
    """Quality against the floor, diversity, pictures, classes, and the search for copies."""
    train, samples = material.train, evaluation.samples
    floor = None
    if train is not None and len(train) >= len(samples):
        floor = RealImages(material.judging, seed=material.seed)
        floor.fit(train)
    features = None if floor is None else floor.predict(samples)["generated"]
    images = judged_images(task, samples)
    sheets = kept_sheets(evaluation.run)
    return [
        quality_section(evaluation, features),
        diversity_section(evaluation, features),
        samples_section(images[:SHOWN]),
        *([progress_section(sheets)] if sheets else []),
        *_classes(task, samples, images, material.judge),
        *(
            []
            if train is None
            else [copies_section(evaluation, images, train, material.judging, most=material.compared)]
        ),
    ]


def judged_images(task: ImageGeneration, samples: Dataset) -> Pixels:
    """The generated images whose features stand in the outputs: those of the samples' numbers and classes."""
    device = next(task.parameters()).device
    codes = labels_of(samples) if task.classes else None
    parts = []
    with torch.no_grad():
        for part in torch.split(torch.arange(len(samples)), _AT_ONCE):
            labels = None if codes is None else torch.from_numpy(codes[part.numpy()]).to(device)
            parts.append(as_pixels(task.sample(task.noise(part.to(device)), labels)))
    return np.concatenate(parts)


def _classes(task: ImageGeneration, samples: Dataset, images: Pixels, judge: Path | None) -> list[Section]:
    sections = []
    if task.classes:
        shown = task.classes[:MOST_ROWS]
        wanted = [(seed, code) for code in range(len(shown)) for seed in range(EACH)]
        device = next(task.parameters()).device
        sections.append(class_sheet_section(images_of(task, wanted, device=device), shown))
    if judge is None:
        return sections
    classifier = TrainedClassifier(judge, images.shape[1])
    classifier.to(next(task.parameters()).device)
    predicted = predicted_classes(classifier, images)
    requested = _in_the_words_of(classifier.classes, task.classes, labels_of(samples))
    if not task.classes:
        sections += _sheet_of_predicted(classifier, images, predicted)
    sections.append(
        class_coverage_section(
            classifier.classes,
            predicted,
            requested,
            classifier=classifier.name,
            accuracy=classifier.accuracy,
        )
    )
    return sections


def predicted_classes(classifier: TrainedClassifier, images: Pixels) -> NDArray[np.int64]:
    """The likeliest class of each image ``(N, C, S, S)``: ``(N,)``."""
    device = next(classifier.parameters()).device
    parts = [
        classifier.probabilities(in_range(part.to(device))).argmax(dim=1).cpu()
        for part in torch.split(torch.from_numpy(images), _AT_ONCE)
    ]
    return np.asarray(torch.cat(parts).numpy(), dtype=np.int64)


def _in_the_words_of(
    known: Sequence[str], asked: Sequence[str], labels: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    """Labels as the classifier's codes; None where no classes were asked for, or it does not know them all."""
    if labels is None or not asked or not set(asked) <= set(known):
        return None
    return np.array([list(known).index(name) for name in asked], dtype=np.int64)[labels]


def _sheet_of_predicted(
    classifier: TrainedClassifier, images: Pixels, predicted: NDArray[np.int64]
) -> list[Section]:
    """A row for each class of which there are images enough, as the classifier sees them."""
    rows = {code: np.flatnonzero(predicted == code)[:EACH] for code in range(len(classifier.classes))}
    full = {code: found for code, found in rows.items() if len(found) == EACH}
    if not full:
        return []
    some = list(full)[:MOST_ROWS]
    names = [classifier.classes[code] for code in some]
    return [class_sheet_section(images[np.concatenate([full[code] for code in some])], names)]
