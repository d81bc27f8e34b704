"""What a reader of a generator's report must know first."""

from __future__ import annotations

from pathlib import Path

from fivefold.data.dataset import Facts
from fivefold_vision.generate.config import GenerateConfig
from fivefold_vision.generate.extractors import PIXELS
from fivefold_vision.generate.judging import trained_on

FEW = 5_000
"""Training images below which a discriminator soon knows them by heart (Karras et al. 2020)."""
BY_PIXELS = (
    "Images are judged by their pixels, which know nothing of what an image shows; name an --extractor for a "
    "judgement that people would share."
)


def cautions_of(data: Facts, config: GenerateConfig) -> list[str]:
    """Sentences on the extractor, the classifier, and the number and kind of the images.

    Args:
        data: facts of the training images.
        config: the settings.
    """
    return [*_of_the_judges(data, config), *_of_the_images(data, config)]


def _of_the_judges(data: Facts, config: GenerateConfig) -> list[str]:
    if data.extractor == PIXELS:
        return [BY_PIXELS]
    source = trained_on(config.extractor) if config.extractor else None
    if source is None:
        return []
    told = (
        f"Images are judged by features of {data.extractor}, a classifier trained on {source}: distances in them "
        "compare with no others, and differences within a class may count for little."
    )
    found = [told]
    if _same(source, data.source):
        found.append(
            "That classifier has learned from the data that the generator learned from, so that training images may "
            "look to it unlike held-out ones, and the floor is somewhat too high."
        )
    if config.judge is not None and Path(config.judge).resolve() == Path(str(config.extractor)).resolve():
        found.append(
            "The same classifier tells the classes: it is independent of the generator, not of the metric."
        )
    return found


def _of_the_images(data: Facts, config: GenerateConfig) -> list[str]:
    found = []
    if data.images < FEW and not config.adversarial.augment:
        found.append(
            f"There are {data.images:,} training images, and few are soon known by heart; set --adversarial.augment."
        )
    if data.mixed:
        edge = data.size[0]
        found.append(
            f"Images came in several sizes and were brought to {edge}x{edge} pixels by '{config.fit}'."
        )
    return found


def _same(named: str, path: str) -> bool:
    """Whether a run's source, the name of a dataset or a path, is the data at ``path``."""
    return Path(named).resolve() == Path(path).resolve() or named in Path(path).parts
