"""Settings of sentiment analysis: those that fit together, and the shares of the splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from fivefold.config.fields import SplitShares
from fivefold.data.splits import Splits
from fivefold.data.table import Table
from fivefold_nlp.sentiment.config import SentimentConfig
from fivefold_nlp.sentiment.pipeline import Sentiment

HALF = SplitShares(train=0.5, val=0.2)
ENCODER = {"kind": "huggingface", "name": "some"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"task": "stars"}, "Input should be 'classes' or 'ratings'"),
        (
            {"task": "ratings", "class_weights": True},
            "are for classes; leave them away with the task 'ratings'",
        ),
        (
            {"task": "ratings", "label_smoothing": 0.1},
            "are for classes; leave them away with the task 'ratings'",
        ),
        (
            {"split": {"train": 0.8, "val": 0.2}},
            "must leave a share for the test, found 0.8 and 0.2; lower one",
        ),
        ({"model": {"frozen_layers": 2}}, "'frozen_layers' does not apply to the kind 'lstm'"),
        ({"model": {"freeze": False}}, "'freeze' does not apply to the kind 'lstm'"),
        ({"model": ENCODER | {"frozen_layers": -1}}, "Input should be greater than or equal to 0"),
        (
            {"model": ENCODER | {"freeze": True, "frozen_layers": 0}},
            "expected 'freeze' or 'frozen_layers', found both; leave one of them away",
        ),
        (
            {"tokenizer": {"kind": "characters", "size": 500}},
            "'size' is for the kinds 'words' and 'bpe', and found with 'characters'; leave it away",
        ),
        (
            {"model": ENCODER, "tokenizer": {"size": 500}},
            "'tokenizer.size' does not apply to the model kind 'huggingface', which has its own tokenizer",
        ),
        (
            {"model": ENCODER, "tokenizer": {"kind": "words"}},
            "'tokenizer.kind' does not apply to the model kind 'huggingface', which has its own tokenizer",
        ),
    ],
)
def test_settings_that_do_not_fit(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SentimentConfig.model_validate(values)


@pytest.mark.parametrize(
    "model",
    [{}, {"freeze": True}, {"freeze": False}, {"frozen_layers": 0}, {"freeze": False, "frozen_layers": 3}],
)
def test_ways_to_freeze_an_encoder(model: dict[str, object]) -> None:
    assert SentimentConfig.model_validate({"model": ENCODER | model}).tokenizer.kind is None


@pytest.mark.parametrize(
    ("tokenizer", "size"),
    [({}, 20_000), ({"size": 400}, 400), ({"kind": "words", "size": 400}, 400), ({"kind": "characters"}, 28)],
)
def test_the_settings_decide_how_many_tokens_are_learned(tokenizer: dict[str, object], size: int) -> None:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(letters[[n // 676 % 26, n // 26 % 26, n % 26, n // 17576]]) for n in range(20_100)]
    rows = Table({"text": np.array(words, dtype=object)}, source="here")
    samples = Sentiment(SentimentConfig.model_validate({"tokenizer": tokenizer})).samples(rows)
    assert samples.facts.vocabulary == size


def table(folder: Path, columns: str, *cells: str) -> Path:
    """100 texts of two classes, with a column more for each of ``cells``, in which a number is filled in."""
    file = folder / "reviews.csv"
    rows = [
        ",".join(
            [f"text {number}", "pos" if number % 2 else "neg", *(cell.format(number // 2) for cell in cells)]
        )
        for number in range(100)
    ]
    file.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    return file


def sizes(splits: Splits) -> list[int]:
    return [len(one) for one in (splits.train, splits.val, splits.test)]


def test_four_fifths_train_where_nothing_is_said(tmp_path: Path) -> None:
    pipeline = Sentiment()
    assert sizes(pipeline.split(pipeline.read(table(tmp_path, "text,label")))) == [80, 10, 10]


@pytest.mark.parametrize(
    ("columns", "cells", "how"),
    [
        ("text,label", (), "at random"),
        ("text,label,group", ("author {}",), "by 'group'"),
        ("text,label,time", ("20{:02}-01-01",), "by 'time'"),
    ],
)
def test_the_settings_decide_how_many_texts_train(
    columns: str, cells: tuple[str, ...], how: str, tmp_path: Path
) -> None:
    pipeline = Sentiment(SentimentConfig(split=HALF))
    splits = pipeline.split(pipeline.read(table(tmp_path, columns, *cells)))
    assert how in splits.how
    assert sizes(splits) == [50, 20, 30]


def test_splits_of_the_source_go_before_the_shares(tmp_path: Path) -> None:
    file = table(tmp_path, "text,label,split", "{}")
    rows = file.read_text(encoding="utf-8").splitlines()
    marked = [
        f"{row.rpartition(',')[0]},{'test' if number % 10 < 2 else 'train'}"
        for number, row in enumerate(rows[1:])
    ]
    file.write_text("\n".join([rows[0], *marked]) + "\n", encoding="utf-8")
    pipeline = Sentiment(SentimentConfig(split=HALF))
    # 20 rows are marked test; of the 80 others a fifth validates.
    assert sizes(pipeline.split(pipeline.read(file))) == [64, 16, 20]


def test_folds_are_cut_whatever_the_shares(tmp_path: Path) -> None:
    pipeline = Sentiment(SentimentConfig(split=HALF, folds=5))
    assert sizes(pipeline.fold(pipeline.read(table(tmp_path, "text,label")), 5)) == [60, 20, 20]
