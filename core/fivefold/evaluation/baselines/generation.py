"""Baselines of image generation; outputs ``generated``, features ``(N, D)`` of as many images as are judged.

Shapes: ``B`` batch, ``C`` channels, ``S`` edge of the square image, ``P`` pixels ``C S S``, ``D`` features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.baselines.base import Baseline
from fivefold.evaluation.metric import Metric
from fivefold.tasks.adversarial import in_range
from fivefold.tasks.reading import in_batches

Features = Callable[[Tensor], Tensor]
"""Images ``(B, C, S, S)`` in ``[-1, 1]`` to features ``(B, D)``."""

AT_ONCE = 256
"""Images whose features are computed at once."""
MOST_IMAGES = 20_000
"""Training images that a Gaussian is fitted to."""
MOST_NUMBERS = 2**27
"""Pixels in all of those, which take 512 MB."""
FEWEST_IMAGES = 2


class PCAGaussian(Baseline):
    """Images drawn from a Gaussian with the mean and the principal components of the training images.

    It knows brightness, contrast and how pixels vary together, and nothing else: its images are blurred averages.

    Args:
        features: what the model's images are judged by.
        components: principal components, at most; there are never more than images less one, or pixels.
        seed: of the draw of training images and of the images.
    """

    name = "Gaussian in PCA space"

    def __init__(self, features: Features, *, components: int = 256, seed: int = 0) -> None:
        self._features = features
        self._components = components
        self._seed = seed
        self._shape: tuple[int, ...] = ()
        self._model: Any = None

    def fit(self, train: Dataset) -> None:
        """Principal component analysis of a bounded draw of the training images, by scikit-learn.

        Raises:
            DataError: there are fewer than two images.
        """
        from sklearn.decomposition import PCA  # noqa: PLC0415 - costs half a second, needed only here

        if len(train) < FEWEST_IMAGES:
            raise DataError(f"{self.name}: expected two training images or more, found {len(train)}")
        self._shape = tuple(train.batch(torch.tensor([0]))["input"].shape[1:])
        pixels = int(np.prod(self._shape))
        wanted = drawn(len(train), max(FEWEST_IMAGES, min(MOST_IMAGES, MOST_NUMBERS // pixels)), self._seed)
        images = np.empty((len(wanted), pixels), dtype=np.float32)
        for part, batch in in_batches(train, wanted):
            places = torch.searchsorted(wanted, part).numpy()
            images[places] = in_range(batch["input"]).flatten(1).numpy()
        components = min(self._components, len(wanted) - 1, pixels)
        self._model = PCA(components, random_state=self._seed).fit(images)

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``generated``, features of as many images as there are samples."""
        generator = np.random.default_rng(self._seed)
        return {"generated": features_of(self._features, self._images(len(samples), generator))}

    def images(self, count: int) -> Tensor:
        """The first ``count`` of its images, to look at: ``(count, C, S, S)`` in ``[-1, 1]``."""
        return torch.cat(list(self._images(count, np.random.default_rng(self._seed))))

    def _images(self, count: int, generator: np.random.Generator) -> Iterator[Tensor]:
        spread = np.sqrt(self._model.explained_variance_)
        for start in range(0, count, AT_ONCE):
            places = generator.normal(size=(min(AT_ONCE, count - start), len(spread))) * spread
            pixels = (self._model.mean_ + places @ self._model.components_).astype(np.float32)
            yield torch.from_numpy(pixels).reshape(-1, *self._shape).clamp(-1, 1)


class RealImages(Baseline):
    """Other training images: what a generator would reach that draws from the true distribution, the floor.

    No model is expected to beat it; `floor` gives the value that a report states multiples of.

    Args:
        features: what the model's images are judged by.
        seed: of the draw of training images.
    """

    name = "other training images"

    def __init__(self, features: Features, *, seed: int = 0) -> None:
        self._features = features
        self._seed = seed
        self._train: Dataset | None = None

    def fit(self, train: Dataset) -> None:
        """Keep the training images at hand."""
        self._train = train

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``generated``, features of as many training images as there are samples, each at most once.

        Raises:
            DataError: there are fewer training images.
        """
        train = self._train
        if train is None or len(train) < len(samples):
            raise DataError(
                f"{self.name}: expected as many training images as are judged ({len(samples):,}), found "
                f"{0 if train is None else len(train):,}; judge fewer, as distances of different numbers do not compare"
            )
        wanted = drawn(len(train), len(samples), self._seed)
        images = (in_range(batch["input"]) for _, batch in in_batches(train, wanted, size=AT_ONCE))
        return {"generated": features_of(self._features, images)}


def floor(metric: Metric, held_out: Array, training: Array) -> float:
    """What ``metric`` gives where training images stand in the place of generated ones.

    Args:
        metric: one of `fivefold.evaluation.generative_metrics`.
        held_out: features of the images judged against, ``(N, D)``.
        training: features of as many training images, ``(N, D)``; see `RealImages`.
    """
    return metric.compute({"target": held_out, "generated": training}, None)


def features_of(features: Features, batches: Iterator[Tensor]) -> NDArray[np.float32]:
    """Features of batches of images in ``[-1, 1]``, float32 ``(N, D)``; computed where the extractor's weights are."""
    state = [*features.parameters(), *features.buffers()] if isinstance(features, nn.Module) else []
    device = state[0].device if state else torch.device("cpu")
    with torch.no_grad():
        found = [features(images.to(device)).float().cpu().numpy() for images in batches]
    return np.concatenate(found)


def drawn(count: int, most: int, seed: int) -> Tensor:
    """Indices of a random ``most`` of ``count`` samples (all where there are no more), ascending, int64."""
    order = np.random.default_rng(seed).permutation(count)[:most]
    return torch.from_numpy(np.sort(order))
