"""Text generation: `fivefold nlp generate train plays/`, then `fivefold nlp generate predict RUN --prompt "ROMEO:"`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from fivefold.config import PipelineConfig, StrictModel
from fivefold.data.dataset import Facts
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.folds import cross_validation_split
from fivefold.data.splits import Splits
from fivefold.data.table import Table
from fivefold.data.text_fingerprint import text_fingerprints
from fivefold.errors import DataError
from fivefold.evaluation.baselines import Baseline, WittenBell
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.pipeline import Augment, Pipeline
from fivefold.prediction import Request
from fivefold.tasks.base import Task
from fivefold.tasks.language_model import LanguageModel
from fivefold_nlp.generate.config import GenerateConfig, GenerateOptions
from fivefold_nlp.generate.data import (
    BLOCK,
    RandomCrop,
    TextWindows,
    Tokens,
    evaluation_windows,
    pieces,
    require_tokens,
    wide_windows,
)
from fivefold_nlp.generate.model import build_task
from fivefold_nlp.generate.passages import LEAST, MOST, Part, parts_of, passages, split_passages
from fivefold_nlp.generate.prediction import write_records
from fivefold_nlp.generate.presets import PRESETS
from fivefold_nlp.generate.sections import generation_sections
from fivefold_nlp.readers.corpus import read_corpus, recognise_corpus
from fivefold_nlp.tokenizer import TextTokenizer

LOGGER = logging.getLogger("fivefold.nlp.generate")  # below that of fivefold, which is shown on stderr

ORDER = 5
"""Characters of the baseline's n-grams."""


class Generate(Pipeline):
    """A language model that writes on."""

    Config: ClassVar[type[PipelineConfig]] = GenerateConfig
    Prediction: ClassVar[type[StrictModel]] = GenerateOptions
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = PRESETS
    search_space: ClassVar[Mapping[str, str]] = {"model.dropout": "0.0:0.5", "model.hidden": "64:512:log"}
    inputs_optional: ClassVar[bool] = True
    config: GenerateConfig
    _train: Sequence[str] = ()

    def recognise(self, source: Path) -> str | None:
        """What kind of texts this is, in words."""
        return recognise_corpus(source)

    def read(self, source: Path) -> Table:
        """Read texts; the rows are passages of them."""
        corpus = read_corpus(source, self.config.encoding)
        parts = [Part(str(name), str(text)) for name, text in zip(corpus.ids, corpus["text"], strict=True)]
        return replace(passages(parts, corpus.source), problems=corpus.problems, notes=corpus.notes)

    def split(self, table: Table) -> Splits:
        """Whole documents to each split, or a single one cut in order; see `split_passages`."""
        return self._explained(split_passages(table, fractions=self.fractions, seed=self.config.seed))

    def fold(self, table: Table, folds: int) -> Splits:
        """Folds of whole documents."""
        documents = replace(table, group="document")
        splits = cross_validation_split(documents, folds, self.config.fold, seed=self.config.seed)
        return self._explained(splits)

    def samples(self, table: Table) -> TextWindows:
        """Pieces of the training split, whose tokens are learned here; of any other data, evaluation windows."""
        config = self.config
        parts = parts_of(table)
        if self.facts is not None:
            tokenizer = TextTokenizer.from_json(self.facts.documents["tokenizer.json"])
            tokens = Tokens.encode(parts, tokenizer)
            require_tokens(tokens, 1, table.source)
            places = evaluation_windows(tokens, config.context, config.scored)
            return TextWindows(tokens, places, config.context, self.facts, judged=True)
        self._train = [part.text for part in parts]
        tokenizer = TextTokenizer.train(config.tokenizer.kind, self._train, config.tokenizer.size or 4096)
        tokens = Tokens.encode(parts, tokenizer)
        require_tokens(tokens, config.context, table.source)
        facts = _facts(tokens, tokenizer, config)
        if config.model.kind == "gpt":
            wide = min(2 * config.context, max(config.context, int(tokens.sizes.max())))
            return TextWindows(tokens, wide_windows(tokens, wide, config.context), wide, facts)
        return TextWindows(tokens, pieces(tokens, config.context), config.context, facts, carried=True)

    def task(self, data: Facts) -> Task:
        """Cross-entropy of the next token."""
        return build_task(self.config, data)

    def augment(self, data: Facts) -> Augment | None:  # noqa: ARG002 - the same for all texts
        """For a gpt, windows at random places; pieces of recurrent networks must follow each other."""
        return RandomCrop(self.config.context) if self.config.model.kind == "gpt" else None

    def baselines(self, data: Facts) -> Sequence[Baseline]:  # noqa: ARG002 - the same for all texts
        """N-grams of characters: none, single ones, and the usual strong one."""
        return [WittenBell(0), WittenBell(1), WittenBell(ORDER)]

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys of the passages: equal ones, and nearly equal ones."""
        return text_fingerprints([str(text) for text in table["text"]])

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        """Texts after the prompt, or after each input; see `write_records`."""
        if not isinstance(task, LanguageModel) or self.facts is None:
            raise DataError("expected a trained language model to write with, found none; train one first")
        prompts = [(source.name, text) for source in request.sources for text in self._prompts(source.path)]
        tokenizer = TextTokenizer.from_json(self.facts.documents["tokenizer.json"])
        return write_records(task.network, tokenizer, prompts, request)

    def sections(self, evaluation: Evaluation) -> list[Section]:
        """Samples, how they repeat, and how much of them is copied from the training texts."""
        return generation_sections(evaluation, self._train, self.config)

    def _explained(self, splits: Splits) -> Splits:
        """``splits`` that say what a sample is."""
        how = (
            f"{splits.how} Texts are cut into passages of {LEAST:,} to {MOST:,} characters, which are the samples of a "
            f"data check, and into pieces of up to {self.config.context:,} tokens, which are those of training and "
            "evaluation."
        )
        return replace(splits, how=how)

    def _prompts(self, source: Path) -> list[str]:
        """Texts to write on from; what is to be known of how they were read is logged."""
        corpus = read_corpus(source, self.config.encoding, wanted="a prompt to write on from")
        for note in corpus.notes:
            LOGGER.warning("Note: %s", note)
        return [str(text) for text in corpus["text"]]


def _facts(tokens: Tokens, tokenizer: TextTokenizer, config: GenerateConfig) -> Facts:
    characters = sum(len(part.text) for part in tokens.parts)
    return Facts(
        vocabulary=tokenizer.size,
        alphabet="".join(sorted(set().union(*(part.text for part in tokens.parts)))),
        characters_a_token=characters / int(tokens.sizes.sum()),
        context=config.context,
        stride=config.scored,
        unit=f"block of {BLOCK:,} characters",
        documents={"tokenizer.json": tokenizer.to_json()},
    )
