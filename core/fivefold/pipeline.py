"""The pipeline: what a plugin's author writes, and all of it. Everything else is the core's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from fivefold.config import NoOptions, PipelineConfig, StrictModel
from fivefold.config.fields import SplitShares, named_columns
from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.fingerprint import Fingerprints, row_fingerprints
from fivefold.data.folds import cross_validation_split
from fivefold.data.splits import FRACTIONS, Splits, split_table
from fivefold.data.table import Table
from fivefold.errors import ConfigError
from fivefold.evaluation.baselines import Baseline
from fivefold.evaluation.section import Section
from fivefold.prediction import Request, sample_names
from fivefold.tasks.base import Task
from fivefold.training.inference import predict_outputs

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Evaluation

Augment = Callable[[Batch, torch.Generator], Batch]


class Pipeline(ABC):
    """From a path to samples, a task and its baselines.

    Attributes:
        Config: the pydantic model of this pipeline's settings; its fields become options of the command line.
        presets: names to functions that return a config; their docstrings state cost and expected score.
        search_space: what ``tune`` searches beside the core's own, in the words of ``--search``:
            ``{"hidden": "16:256:log", "model.kind": "cnn,resnet18"}``; a single value holds a setting there.
    """

    Config: ClassVar[type[PipelineConfig]] = PipelineConfig
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = {}
    search_space: ClassVar[Mapping[str, str]] = {}

    Prediction: ClassVar[type[StrictModel]] = NoOptions
    """Options of ``predict`` beside the core's own; they become options of the command line."""
    inputs_optional: ClassVar[bool] = False
    """Whether ``predict`` works without inputs, as a generator does."""

    statement: ClassVar[str] = ""
    """A sentence that stands on every page of this pipeline's reports, such as what they may not be used for."""

    reading: Mapping[str, Any] = MappingProxyType({})
    """Settings that were given for the data to be read, where these are others than the training's; see
    `PipelineConfig.reading`. The settings of the pipeline hold them already."""

    facts: Facts | None = None
    """Facts of the training split once they are known; `samples` of any other data must follow them."""

    def __init__(self, config: Any = None) -> None:
        self.config: Any = self.Config() if config is None else config

    def named_columns(self) -> dict[str, str]:
        """Columns that the data to be read must have, because the user named them: option as typed to column.

        Of a training's data those that the settings name, of other data those that were named for them: others need
        not have the columns of units or splits. For pipelines whose settings have ``columns``.
        """
        columns = self.config.columns
        if self.facts is None:
            return named_columns(columns)
        return named_columns(columns.__class__(**self.reading.get("columns", {})))

    def recognise(self, source: Path) -> str | None:  # noqa: ARG002 - the interface
        """What ``source`` is, in a few words ("a folder of images in 3 classes"), or None if not for this pipeline.

        Cheap: looks at names and headers only. ``fivefold data check`` asks every pipeline.
        """
        return None

    @abstractmethod
    def read(self, source: Path) -> Table:
        """Read the user's data (a file or a folder) into a table of labelled samples.

        Raises:
            DataError: the data cannot be read; one sentence that names the file.
        """

    def read_inputs(self, source: Path) -> Table:
        """Read samples to predict, which need no labels."""
        return self.read(source)

    @property
    def fractions(self) -> tuple[float, float, float]:
        """Shares of training, validation and test rows that `split` makes, where the source has no splits.

        Those of the setting ``split``, where the pipeline has `SplitShares` there.
        """
        shares = getattr(self.config, "split", None)
        return shares.fractions if isinstance(shares, SplitShares) else FRACTIONS

    def split(self, table: Table) -> Splits:
        """Training, validation and test rows: as the source gives them, else by group, by time, or at random."""
        return split_table(table, seed=self.config.seed, fractions=self.fractions)

    def fold(self, table: Table, folds: int) -> Splits:
        """What stands in the place of `split` where the settings ask for cross-validation in ``folds`` parts.

        Raises:
            ConfigError: the pipeline has a way of its own to split, and none to cut folds.
            DataError: the rows cannot be cut so.
        """
        if type(self).split is not Pipeline.split:
            raise ConfigError(
                f"folds: {type(self).__name__} splits its data in a way of its own, which random folds might break "
                "(by time, say); leave --folds away"
            )
        return cross_validation_split(table, folds, self.config.fold, seed=self.config.seed)

    @abstractmethod
    def samples(self, table: Table) -> Dataset:
        """The rows of one split as tensors."""

    @abstractmethod
    def task(self, data: Facts) -> Task:
        """The network with its loss and metrics, from the facts of the data alone."""

    def augment(self, data: Facts) -> Augment | None:  # noqa: ARG002 - the interface
        """A function of (batch, generator) that varies training batches on the device, or None."""
        return None

    def sample_weights(self, train: Dataset) -> Tensor | None:  # noqa: ARG002 - the interface
        """How often each training sample is drawn, relative to others, ``(N,)``; None draws each once an epoch."""
        return None

    def baselines(self, data: Facts) -> Sequence[Baseline]:  # noqa: ARG002 - the interface
        """What the model must beat."""
        return ()

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        """One record a sample, with its name as ``id`` first.

        Args:
            task: trained, in evaluation mode, on the request's device.
            request: what to predict; its options are an instance of `Prediction`.

        Raises:
            DataError: an input cannot be read.
        """
        records: list[dict[str, Any]] = []
        for source in request.sources:
            samples = self.samples(self.read_inputs(source.path)).unlabelled()
            outputs = predict_outputs(task, samples, device=request.device)
            decoded = task.decode(outputs, self.facts or samples.facts)
            names = sample_names(source, [str(name) for name in samples.ids])
            records += [{"id": name, **record} for name, record in zip(names, decoded, strict=True)]
        return records

    def follow(
        self,
        task: Task,
        lines: Iterator[Sequence[tuple[int, str]]],
        request: Request,
    ) -> Iterator[list[dict[str, Any]]]:
        """Records of lines as they come in, for pipelines whose `Prediction` derives from `FollowOptions`.

        All records must have the same keys, so that they can be written as they are made. A line that cannot be
        read is no error: its record says what is wrong with it.

        Args:
            task: trained, in evaluation mode, on the request's device.
            lines: again and again those that are there at once, each with its number, from 1.
            request: what to predict: one source, and an instance of `Prediction`.

        Raises:
            DataError: the stream as a whole cannot be read (its header, say).
        """
        raise NotImplementedError(f"{type(self).__name__} offers to follow and defines no follow")

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys by which the leakage search finds equal and nearly equal samples."""
        return row_fingerprints(table)

    def cautions(self, data: Facts) -> Sequence[str]:  # noqa: ARG002 - the interface
        """Sentences that a reader of the report must see first, at its top."""
        return ()

    def sections(self, evaluation: Evaluation) -> list[Section]:  # noqa: ARG002 - the interface
        """Report sections of this pipeline's own, after the task's."""
        return []
