"""Image generation: `fivefold vision generate train photos/`, then `fivefold vision generate predict RUN`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from fivefold.config import PipelineConfig, StrictModel
from fivefold.data.augmentation import Augmentation
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.folds import cross_validation_split
from fivefold.data.problems import refuse_problems
from fivefold.data.splits import Splits
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.evaluation.baselines import Baseline
from fivefold.evaluation.baselines.generation import PCAGaussian
from fivefold.evaluation.doubts import all_doubts, keep_doubts
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.images.fingerprints import fingerprint_images
from fivefold.images.loading import Shape, survey
from fivefold.images.samples import load_images
from fivefold.nn.generation.build import build_discriminator, build_generator
from fivefold.nn.generation.sizes import SIZES
from fivefold.pipeline import Augment, Pipeline
from fivefold.prediction import Request
from fivefold.tasks.base import Task
from fivefold_vision.generate.cautions import cautions_of
from fivefold_vision.generate.config import GenerateConfig, GenerateOptions
from fivefold_vision.generate.data import (
    fewer_judged,
    image_samples,
    read_images,
    recognise_images,
    require_every_class,
)
from fivefold_vision.generate.judging import Judging
from fivefold_vision.generate.prediction import generate
from fivefold_vision.generate.presets import PRESETS
from fivefold_vision.generate.sections import Material, generation_sections
from fivefold_vision.generate.task import ImageGeneration
from fivefold_vision.generate.trained_classifier import TrainedClassifier
from fivefold_vision.readers.options import Options

USUAL = 64
"""Edge that larger images are brought to where none is asked for."""


class Generate(Pipeline):
    """Images of noise, like those that were learned from."""

    Config: ClassVar[type[PipelineConfig]] = GenerateConfig
    Prediction: ClassVar[type[StrictModel]] = GenerateOptions
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = PRESETS
    search_space: ClassVar[Mapping[str, str]] = {
        "optimizer.lr": "0.001",
        "optimizer.weight_decay": "0.01",
        "adversarial.generator.lr": "5e-5:2e-3:log",
        "adversarial.discriminator.lr": "5e-5:2e-3:log",
    }
    inputs_optional: ClassVar[bool] = True
    statement: ClassVar[str] = (
        "Generated images are synthetic and show nothing that exists; the files that this model's predictions write "
        "say so in their metadata."
    )
    config: GenerateConfig
    _train: Dataset | None = None
    _judging: Judging | None = None
    _mixed: bool = False
    _doubts: tuple[str, ...] = ()
    _judged: int | None = None

    def recognise(self, source: Path) -> str | None:
        """What kind of image source this is, in words."""
        return recognise_images(source, Options.of(self.config))

    def read(self, source: Path) -> Table:
        """Read images, with their classes where there are some; those held in memory stand in ``image``.

        Raises:
            DataError: they cannot be read, are too few, or a class to learn has none.
        """
        options = Options.of(self.config, self.named_columns())
        table = read_images(source, options, labelled=self.config.conditional)
        self._mixed = survey(table).size is None
        shape = self._decide(table)
        table = load_images(table, shape, self.config.memory)
        self._doubts = table.notes
        refuse_problems(table, self.config.max_bad_share)
        if self.config.conditional and self.facts is None:
            require_every_class(table)
        return table

    def split(self, table: Table) -> Splits:
        """As the source says, else at random; of validation and test images as many as are judged."""
        return self._bounded(super().split(table))

    def fold(self, table: Table, folds: int) -> Splits:
        """Folds at random, of which as many images are judged."""
        return self._bounded(cross_validation_split(table, folds, self.config.fold, seed=self.config.seed))

    def samples(self, table: Table) -> Dataset:
        """Images as uint8 tensors, with their numbers and classes.

        Raises:
            DataError: there are fewer training images than a batch takes.
            ConfigError: the extractor does not fit the images.
        """
        if self.facts is not None:
            return image_samples(table, self._decide(table), self.facts)
        self._require_a_batch(table)
        facts = self._measure(table, self._decide(table))
        keep_doubts(facts, self._doubts)
        self._extractor(facts).extractor  # noqa: B018 - built now, so that one that does not fit is refused at once
        if self.config.judge is not None:
            TrainedClassifier(Path(self.config.judge).expanduser(), facts.channels)
        self._train = image_samples(table, self._decide(table), facts)
        return self._train

    def task(self, data: Facts) -> ImageGeneration:
        """Generator and discriminator that the settings name."""
        config, classes = self.config, tuple(data.get("classes", ()))
        (size, _), channels = data.size, data.channels
        return ImageGeneration(
            build_generator(config.generator, channels, size, len(classes)),
            build_discriminator(config.discriminator, channels, size, len(classes)),
            config.adversarial,
            classes=classes,
            features=self._extractor(data),
            extractor=data.extractor,
            judged=data.judged,
            seed=config.seed,
        )

    def augment(self, data: Facts) -> Augment | None:
        """Mirrored images, where the settings ask for them."""
        return Augmentation(classes=len(data.get("classes", ())), flip=self.config.augment.flip)

    def baselines(self, data: Facts) -> Sequence[Baseline]:
        """A Gaussian in the space of principal components; what real images get is a section of the report."""
        return [PCAGaussian(self._extractor(data), seed=self.config.seed)]

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys of the pixels: equal images, and nearly equal ones."""
        return fingerprint_images(table)

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        """Images by seed and class, as files; see `fivefold_vision.generate.prediction`."""
        return generate(_generating(task), request)

    def cautions(self, data: Facts) -> Sequence[str]:
        """What a reader must know of the judge and of the data."""
        return [*cautions_of(data, self.config), *all_doubts(data, self._doubts)]

    def sections(self, evaluation: Evaluation) -> list[Section]:
        """Quality against the floor, pictures, classes, and the search for copies."""
        judge = None if self.config.judge is None else Path(self.config.judge).expanduser()
        material = Material(
            judging=self._extractor(evaluation.facts),
            train=self._train,
            judge=judge,
            compared=self.config.compared,
            seed=self.config.seed,
        )
        return generation_sections(evaluation, _generating(evaluation.task), material)

    def _bounded(self, splits: Splits) -> Splits:
        config = self.config
        bounded = fewer_judged(splits, config.judged_while_training, config.judged, config.seed)
        self._judged = len(bounded.val)
        return bounded

    def _extractor(self, data: Facts) -> Judging:
        """One for all that judge, so that it is built once and stays on one device."""
        if self._judging is None:
            self._judging = Judging(self.config.extractor, data.size[0], data.channels)
        return self._judging

    def _measure(self, table: Table, shape: Shape) -> Facts:
        size, channels = shape.size, shape.channels
        judging = Judging(self.config.extractor, size[0], channels)
        self._judging = judging
        facts = Facts(
            size=list(size),
            channels=channels,
            images=len(table),
            judged=self._judged or self.config.judged_while_training,
            mixed=self._mixed,
            source=table.source,
            extractor=judging.extractor.name,
        )
        if self.config.conditional:
            facts["classes"] = list(table.classes)
        return facts

    def _require_a_batch(self, table: Table) -> None:
        wanted = self.config.batch_size
        if wanted != "auto" and len(table) < wanted:
            raise DataError(
                f"{table.source}: expected at least a batch of {wanted} training images, found {len(table)} in the "
                f"training split; lower --batch-size, or add images"
            )

    def _decide(self, table: Table) -> Shape:
        """The shape of every image: as trained, as configured, else by what the images look like."""
        if self.facts is not None:
            height, width = self.facts.size
            return Shape((height, width), self.facts.channels, self.config.fit)
        found = survey(table)
        edge = self.config.size or _usual_size(found.size)
        return Shape((edge, edge), self.config.channels or found.channels, self.config.fit)


def _usual_size(found: tuple[int, int] | None) -> int:
    """The least edge that holds images of one size, `USUAL` at most."""
    if found is None:
        return USUAL
    return next((size for size in SIZES if size >= min(max(found), USUAL)), USUAL)


def _generating(task: Task) -> ImageGeneration:
    if not isinstance(task, ImageGeneration):
        raise DataError(
            f"expected a trained generator of images, found {type(task).__name__}; train one first"
        )
    return task
