"""Image classification: `fivefold vision classify train photos/`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from fivefold.config import PipelineConfig
from fivefold.data.augmentation import Augmentation
from fivefold.data.classes import require_two_classes
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.problems import refuse_any_problem, refuse_problems
from fivefold.data.table import Table
from fivefold.evaluation.baselines import Baseline, LogisticRegression, MajorityClass
from fivefold.evaluation.baselines.pixels import GreyPixels
from fivefold.evaluation.doubts import all_doubts, keep_doubts
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.images.fingerprints import fingerprint_images
from fivefold.images.loading import SMALL, Shape, load_arrays, survey
from fivefold.images.samples import load_images
from fivefold.nn.image_network import (
    ImageNetwork,
    build_network,
    describe_backbone,
    has_published_weights,
    load_published,
)
from fivefold.pipeline import Augment, Pipeline
from fivefold.tasks.classification import Classification
from fivefold.tasks.reading import target_codes
from fivefold_vision.classify.config import ClassifyConfig
from fivefold_vision.classify.data import image_dataset
from fivefold_vision.classify.explain import picture_sections
from fivefold_vision.classify.presets import PRESETS
from fivefold_vision.readers.choose import read_input_table, read_table, recognise, require_other_table
from fivefold_vision.readers.options import Options

PHOTO, PRETRAINED = 128, 224
"""Sides that photos are brought to, without and with published weights."""
MIRRORED = (
    "training images are mirrored, left for right, at a chance of %s; where the sides matter (digits, letters, left "
    "and right), train with --augment.flip 0 --no-test-time-flip"
)
LOGGER = logging.getLogger("fivefold.vision.classify")  # below that of fivefold, which is shown on stderr
BASELINE_SIDE = 14
"""Side of the pictures that the logistic regression sees."""


class ImageClassification(Classification):
    """Classification by a network that may start from published weights."""

    network: ImageNetwork

    def __init__(self, config: ClassifyConfig, data: Facts) -> None:
        super().__init__(
            build_network(config.model, data, len(data.classes)),
            data.classes,
            label_smoothing=config.label_smoothing,
            class_weights=config.class_weights,
            view=mirrored if config.test_time_flip else None,
        )
        self._model = config.model

    def prepare(self, train: Dataset) -> None:
        """Set class weights, and put in the published weights of the network."""
        super().prepare(train)
        load_published(self.network, self._model, train.facts, len(train.facts.classes))


class Classify(Pipeline):
    """Which of several classes a picture shows."""

    Config: ClassVar[type[PipelineConfig]] = ClassifyConfig
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = PRESETS
    config: ClassifyConfig
    _shape: Shape | None = None
    _doubts: tuple[str, ...] = ()
    _told: bool = False

    def recognise(self, source: Path) -> str | None:
        """What kind of image source this is, in words."""
        return recognise(source, Options.of(self.config))

    def read(self, source: Path) -> Table:
        """Read labelled images; those held in memory stand in the column ``image``, others in ``path``."""
        table = self._load(read_table(source, Options.of(self.config, self.named_columns())))
        refuse_problems(table, self.config.max_bad_share)
        self._doubts = table.notes
        if self.facts is None:
            require_other_table(source, table)
            require_two_classes(table, "images")
        return table

    def read_inputs(self, source: Path) -> Table:
        """Read images to predict; none may be left out."""
        table = self._load(read_input_table(source, Options.of(self.config, self.named_columns())))
        refuse_any_problem(table)
        return table

    def samples(self, table: Table) -> Dataset:
        """Images as uint8 tensors."""
        # Files left on disk were surveyed as a whole when they were read; one split might look different.
        surveyed = self._shape if self.facts is None and "path" in table else None
        shape = surveyed or self._decide(table)
        if "image" in table:
            table = load_arrays(table, shape)
        samples = image_dataset(table, shape, facts=self.facts)
        if self.facts is None:
            keep_doubts(samples.facts, self._doubts)
            if self._backbone is not None:
                samples.facts["backbone"] = self._backbone
        return samples

    def task(self, data: Facts) -> ImageClassification:
        """Cross-entropy on the network that the settings name."""
        return ImageClassification(self.config, data)

    def augment(self, data: Facts) -> Augment | None:
        """The variations that the settings ask for."""
        settings = self.config.augment
        if settings.flip and not self._told:
            self._told = True
            LOGGER.info(MIRRORED, f"{settings.flip:.0%}")
        return Augmentation(
            classes=len(data.classes),
            **settings.amounts(data.size),
            mixup=settings.mixup,
            cutmix=settings.cutmix,
        )

    def sample_weights(self, train: Dataset) -> Tensor | None:
        """Every class as often as any other, where the settings ask for it."""
        if not self.config.balanced_sampling:
            return None
        codes = torch.from_numpy(target_codes(train))
        counts = torch.bincount(codes, minlength=len(train.facts.classes))
        return 1 / counts[codes].double()

    def baselines(self, data: Facts) -> Sequence[Baseline]:
        """The majority class, and logistic regression on small grey pixels."""
        pixels = GreyPixels(tuple(min(BASELINE_SIDE, side) for side in data.size))
        name = f"logistic regression on {pixels}"
        return [MajorityClass(), LogisticRegression(pixels, name, seed=self.config.seed)]

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys of the pixels: equal images, and nearly equal ones."""
        return fingerprint_images(table)

    def cautions(self, data: Facts) -> Sequence[str]:
        """What is to be known of how the data were read."""
        return all_doubts(data, self._doubts)

    def sections(self, evaluation: Evaluation) -> list[Section]:
        """Galleries of mistakes and probable label errors, and Grad-CAM."""
        task = evaluation.task
        return picture_sections(evaluation, task) if isinstance(task, Classification) else []

    @cached_property
    def _backbone(self) -> dict[str, Any] | None:
        return describe_backbone(self.config.model)

    def _load(self, table: Table) -> Table:
        """Decode what the table names, once, and bring it to a common shape."""
        shape = self._shape = self._decide(table)
        return load_images(table, shape, self.config.memory)

    def _decide(self, table: Table) -> Shape:
        """The shape of every image: as trained, as configured, else as the images are."""
        if self.facts is not None:
            height, width = self.facts.size
            return Shape((height, width), self.facts.channels, self.config.fit)
        found = survey(table)
        size = (self.config.size, self.config.size) if self.config.size else self._usual_size(found.size)
        return Shape(size, self.config.channels or found.channels, self.config.fit)

    def _usual_size(self, found: tuple[int, int] | None) -> tuple[int, int]:
        if has_published_weights(self.config.model):
            side = PRETRAINED if self._backbone is None else int(self._backbone["size"])
            return side, side
        if found is not None and max(found) <= SMALL:
            return found
        return PHOTO, PHOTO


def mirrored(images: Tensor) -> Tensor:
    """Left and right exchanged, ``(B, C, H, W)``."""
    return images.flip(3)
