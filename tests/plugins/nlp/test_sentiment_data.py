from __future__ import annotations

import numpy as np
import pytest
import torch

from fivefold.data.table import Table
from fivefold_nlp.sentiment.data import TextDataset, text_facts
from fivefold_nlp.tokenizer import TextTokenizer

TEXTS = ["one two three four five", "one", "two three", "\x00"]


def table(**more: object) -> Table:
    texts = np.array(TEXTS, dtype=object)
    return Table({"text": texts, "label": np.array([0, 1, 1, 0])}, source="here", label="label", **more)


@pytest.fixture
def samples() -> TextDataset:
    tokenizer = TextTokenizer.train("words", TEXTS, 300)
    rows = table(classes=("no", "yes"))
    return TextDataset(rows, tokenizer, 3, text_facts(rows, tokenizer))


def test_batches_are_padded_at_the_end_to_their_longest(samples: TextDataset) -> None:
    batch = samples.batch(torch.tensor([1, 2]))
    assert batch["lengths"].tolist() == [1, 2]
    assert batch["input"].shape == (2, 2)
    assert batch["input"][0, 1] == samples.facts.pad
    assert batch["target"].tolist() == [1, 1]


def test_what_is_cut_off_is_counted(samples: TextDataset) -> None:
    assert samples.full_lengths.tolist()[:3] == [5, 1, 2]
    assert samples.lengths().tolist()[:3] == [3, 1, 2]
    assert samples.longest == 3
    assert samples.cut_off == 1


def test_a_text_without_tokens_is_one_unknown_token() -> None:
    tokenizer = TextTokenizer.train("words", TEXTS, 300)
    rows = Table({"text": np.array([" "], dtype=object)}, source="here")
    samples = TextDataset(rows, tokenizer, 8, text_facts(rows, tokenizer))
    batch = samples.batch(torch.tensor([0]))
    assert batch["input"].tolist() == [[tokenizer.unknown]]
    assert batch["lengths"].tolist() == [1]
    assert "target" not in batch


def test_ratings_are_numbers() -> None:
    rows = Table(
        {"text": np.array(["a", "b"], dtype=object), "label": np.array([1.5, 2.0])},
        source="here",
        label="label",
    )
    tokenizer = TextTokenizer.train("words", ["a b"], 300)
    target = TextDataset(rows, tokenizer, 8, text_facts(rows, tokenizer)).targets()
    assert target is not None
    assert target.dtype == torch.float32


def test_facts_bring_the_tokenizer_and_counts(samples: TextDataset) -> None:
    facts = samples.facts
    assert facts["class_counts"] == [2, 2]
    assert "unit" not in facts
    again = TextTokenizer.from_json(facts.documents["tokenizer.json"])
    assert again.size == facts.vocabulary
    assert "tokenizer.json" not in dict(facts)
