"""The search for copies of training images among generated ones, by features and by pixels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fivefold.data.dataset import Dataset
from fivefold.evaluation.baselines.generation import features_of
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.generative_pictures import Neighbours, Pixels, neighbour_gallery, small_pixels
from fivefold.evaluation.memorisation import memorisation, most_suspicious
from fivefold.evaluation.memorisation_sections import memorisation_section
from fivefold.evaluation.section import Section
from fivefold.tasks.adversarial import in_range
from fivefold.tasks.reading import in_batches
from fivefold_vision.generate.judging import Judging
from fivefold_vision.generate.sheets import COLUMNS

NEAREST = 4
"""Training images shown beside a generated one, of each kind."""
SHOWN = COLUMNS
"""Generated images that are shown with their nearest."""
_AT_ONCE = 256


def copies_section(
    evaluation: Evaluation, images: Pixels, train: Dataset, judging: Judging, *, most: int
) -> Section:
    """The memorisation test in both spaces, and the most suspicious images beside what they are like.

    Args:
        evaluation: of the generator.
        images: the generated images of its outputs, ``(N, C, S, S)``.
        train: the training images.
        judging: the extractor.
        most: generated and held-out images that are looked at.
    """
    rows = slice(min(most, len(images)))
    outputs, count = evaluation.outputs, min(NEAREST, len(train))
    features, pixels = _of_training(judging, train)
    held_out = evaluation.samples.batch(torch.arange(len(images[rows])))["input"].numpy()
    by_features = memorisation(
        outputs["generated"][rows],
        outputs["target"][rows],
        features,
        space=f"features of {judging.extractor.name}",
        neighbours=count,
    )
    by_pixels = memorisation(
        small_pixels(images[rows]), small_pixels(held_out), pixels, space="pixels", neighbours=count
    )
    gallery = [
        Neighbours(
            name=f"Seed {row}",
            image=images[row],
            by_features=_images(train, by_features.generated.indices[row]),
            by_pixels=_images(train, by_pixels.generated.indices[row]),
            distance=float(by_features.generated.distances[row, 0]),
            threshold=by_features.threshold,
        )
        for row in most_suspicious(by_features, SHOWN)
    ]
    return memorisation_section((by_features, by_pixels), neighbour_gallery(gallery))


def _of_training(judging: Judging, train: Dataset) -> tuple[NDArray[np.float32], Pixels]:
    """Features and small pixels of all training images, ``(M, D)`` and ``(M, P)``."""
    features, pixels = [], []
    for _, batch in in_batches(train, size=_AT_ONCE):
        features.append(features_of(judging, iter([in_range(batch["input"])])))
        pixels.append(small_pixels(batch["input"].numpy()))
    return np.concatenate(features), np.concatenate(pixels)


def _images(train: Dataset, rows: NDArray[np.int64]) -> Pixels:
    return np.asarray(train.batch(torch.from_numpy(rows))["input"].numpy(), dtype=np.uint8)
