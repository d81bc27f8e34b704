"""Sentiment analysis: `fivefold nlp sentiment train reviews.csv`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.table import Table
from fivefold.data.text_fingerprint import text_fingerprints
from fivefold.evaluation.baselines import (
    Baseline,
    MajorityClass,
    MeanTarget,
    TfidfLogisticRegression,
    TfidfRidge,
)
from fivefold.evaluation.doubts import all_doubts, keep_doubts
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.nn.sequence import SequenceNetwork
from fivefold.pipeline import Pipeline
from fivefold.prediction import Request, sample_names
from fivefold.tasks.base import Task
from fivefold.tasks.classification import Classification
from fivefold.tasks.regression import Regression
from fivefold.training.inference import predict_outputs
from fivefold_nlp.readers.choose import read_labelled, read_unlabelled, recognise_labelled
from fivefold_nlp.readers.labels import refuse_ratings_as_classes
from fivefold_nlp.readers.options import ReadOptions
from fivefold_nlp.sentiment.config import SentimentConfig
from fivefold_nlp.sentiment.data import TextDataset, text_facts
from fivefold_nlp.sentiment.explain import text_sections
from fivefold_nlp.sentiment.model import build_network, load_published, published_encoder
from fivefold_nlp.sentiment.presets import PRESETS
from fivefold_nlp.sentiment.unknown import with_unknown
from fivefold_nlp.tokenizer import TextTokenizer

LOGGER = logging.getLogger("fivefold.nlp.sentiment")  # below that of fivefold, which is shown on stderr

READS = ("input", "lengths")
"""What the network reads of a batch."""


class TextClassification(Classification):
    """Classes of texts, by a network that may start from published weights."""

    network: SequenceNetwork

    def __init__(self, config: SentimentConfig, data: Facts) -> None:
        super().__init__(
            build_network(config.model, data, len(data.classes)),
            data.classes,
            input=READS,
            label_smoothing=config.label_smoothing,
            class_weights=config.class_weights,
        )
        self._model = config.model

    def prepare(self, train: Dataset) -> None:
        """Set class weights, and put in the published weights of the network."""
        super().prepare(train)
        load_published(self.network, self._model)


class TextRegression(Regression):
    """Ratings of texts, by a network that may start from published weights."""

    network: SequenceNetwork

    def __init__(self, config: SentimentConfig, data: Facts) -> None:
        super().__init__(build_network(config.model, data, 1), input=READS, standardise_inputs=False)
        self._model = config.model

    def prepare(self, train: Dataset) -> None:
        """Set mean and scale of the ratings, and put in the published weights of the network."""
        super().prepare(train)
        load_published(self.network, self._model)


class Sentiment(Pipeline):
    """Which of several classes, or how high a rating, a text speaks for."""

    Config: ClassVar[type[PipelineConfig]] = SentimentConfig
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = PRESETS
    search_space: ClassVar[Mapping[str, str]] = {"model.dropout": "0.0:0.6"}
    config: SentimentConfig
    _doubts: tuple[str, ...] = ()

    def recognise(self, source: Path) -> str | None:
        """What kind of labelled texts this is, in words."""
        return recognise_labelled(source, self._options())

    def read(self, source: Path) -> Table:
        """Read labelled texts."""
        table = read_labelled(source, self._options())
        if self.facts is None and self.config.task == "classes":
            refuse_ratings_as_classes(table)
        self._doubts = table.notes
        return table

    def read_inputs(self, source: Path) -> Table:
        """Read texts to predict; what is to be known of that is logged."""
        table = read_unlabelled(source, self._options())
        for note in table.notes:
            LOGGER.warning("Note: %s", note)
        return table

    def samples(self, table: Table) -> TextDataset:
        """Texts as token numbers; the tokenizer is trained on the training split."""
        facts = self.facts or self._learned_facts(table)
        tokenizer = TextTokenizer.from_json(facts.documents["tokenizer.json"])
        samples = TextDataset(table, tokenizer, self.config.longest, facts)
        if self.facts is None:
            facts["training_texts"] = {"count": len(samples), "cut_off": samples.cut_off}
            keep_doubts(facts, self._doubts)
        return samples

    def task(self, data: Facts) -> Task:
        """Cross-entropy of classes, or squared error of ratings."""
        if self.config.task == "ratings":
            return TextRegression(self.config, data)
        return TextClassification(self.config, data)

    def baselines(self, data: Facts) -> Sequence[Baseline]:  # noqa: ARG002 - the same for all texts
        """The majority class or mean rating, and a linear model on TF-IDF."""
        if self.config.task == "ratings":
            return [MeanTarget(), TfidfRidge()]
        return [MajorityClass(), TfidfLogisticRegression()]

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys of the texts: equal ones, and nearly equal ones."""
        return text_fingerprints([str(text) for text in table["text"]])

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        """Records as the task gives them, and how many tokens of each text were not seen in training."""
        records: list[dict[str, Any]] = []
        for source in request.sources:
            samples = self.samples(self.read_inputs(source.path))
            decoded = task.decode(predict_outputs(task, samples, device=request.device), samples.facts)
            names = sample_names(source, [str(name) for name in samples.ids])
            found = [{"id": name, **record} for name, record in zip(names, decoded, strict=True)]
            records += with_unknown(found, samples)
        return records

    def cautions(self, data: Facts) -> Sequence[str]:
        """What is to be known of how the data were read."""
        return all_doubts(data, self._doubts)

    def sections(self, evaluation: Evaluation) -> list[Section]:
        """Results by length, and the texts of mistakes with the tokens that drove them."""
        tokenizer = TextTokenizer.from_json(evaluation.facts.documents["tokenizer.json"])
        return text_sections(evaluation, evaluation.task, tokenizer)

    @cached_property
    def _encoder(self) -> tuple[dict[str, Any], TextTokenizer] | None:
        """Description and tokenizer of a huggingface encoder; None of other kinds."""
        config = self.config
        return published_encoder(config.model, config.longest) if config.model.kind == "huggingface" else None

    def _learned_facts(self, train: Table) -> Facts:
        """Facts of the training split, with a tokenizer trained on it where the network brings none."""
        config = self.config
        if self._encoder is None:
            texts = (str(text) for text in train["text"])
            kind, size = config.tokenizer.kind or "words", config.tokenizer.size or 20_000
            tokenizer = TextTokenizer.train(kind, texts, size)
            return text_facts(train, tokenizer)
        description, tokenizer = self._encoder
        facts = text_facts(train, tokenizer)
        facts["backbone"] = description
        return facts

    def _options(self) -> ReadOptions:
        config = self.config
        return ReadOptions(
            columns=config.columns,
            ratings=config.task == "ratings",
            encoding=config.encoding,
            most_characters=config.most_characters,
            max_bad_share=config.max_bad_share,
            named=self.named_columns(),
        )
