from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import ConfigError, DataError
from fivefold.evaluation.baselines.ngrams import HasSpans, WittenBell


class Texts(TensorDataset):
    def __init__(self, documents: list[str], spans: list[tuple[int, int, int]]) -> None:
        ids = np.array([str(span) for span in spans], dtype=object)
        super().__init__({"x": torch.zeros(len(spans))}, facts=Facts(), ids=ids)
        self.documents = documents
        self.spans = np.array(spans, dtype=np.int64).reshape(-1, 3)


def slowly(train: list[str], text: str, order: int) -> list[float]:
    """The definition, written out with dictionaries and recursion."""
    alphabet = set("".join(train))
    after: dict[str, Counter[str]] = {}
    for document in train:
        for place, character in enumerate(document):
            for length in range(min(order - 1, place) + 1 if order else 0):
                after.setdefault(document[place - length : place], Counter())[character] += 1

    def probability(history: str, character: str) -> float:
        shorter = probability(history[1:], character) if history else 1 / (len(alphabet) + 1)
        seen = after.get(history)
        if order == 0 or not seen:
            return shorter
        return (seen[character] + len(seen) * shorter) / (seen.total() + len(seen))

    return [
        probability(text[max(0, place - order + 1) : place] if order else "", character)
        for place, character in enumerate(text)
    ]


def test_by_hand() -> None:
    model = WittenBell(2)
    model.fit_texts(["abab"])
    # Three symbols (a, b, unknown); a and b twice each, two kinds: P(a) = (2 + 2/3) / 6 = 4/9.
    # After a: b twice, one kind, so P(b | a) = (2 + 4/9) / 3. After b: a once, P(a | b) = (1 + 4/9) / 2.
    expected = [4 / 9, (2 + 4 / 9) / 3, (1 + 4 / 9) / 2]
    np.testing.assert_allclose(model.probabilities(["aba"]), expected)
    # An unknown character: P(?) = (2/3) / 6 = 1/9, after a (0 + 1/9) / 3; after it nothing is known but P(b).
    np.testing.assert_allclose(model.probabilities(["a?b"]), [4 / 9, 1 / 27, 4 / 9])


@settings(max_examples=60, deadline=None)
@given(
    train=st.lists(st.text("abcd", max_size=30), min_size=1, max_size=3).filter(any),
    text=st.text("abcde", min_size=1, max_size=15),
    order=st.integers(0, 5),
)
def test_the_definition(train: list[str], text: str, order: int) -> None:
    model = WittenBell(order)
    model.fit_texts(train)
    np.testing.assert_allclose(model.probabilities([text]), slowly(train, text, order))


@settings(max_examples=30, deadline=None)
@given(history=st.text("abcx", max_size=6), order=st.integers(0, 5))
def test_probabilities_sum_to_one(history: str, order: int) -> None:
    model = WittenBell(order)
    model.fit_texts(["abcabcaab", "cab"])
    nexts = [history + character for character in "abc?"]
    last = [model.probabilities([text])[-1] for text in nexts]
    assert sum(last) == pytest.approx(1)


def test_texts_do_not_reach_into_each_other() -> None:
    apart, joined = WittenBell(3), WittenBell(3)
    apart.fit_texts(["ab", "cd"])
    joined.fit_texts(["abcd"])
    assert apart.probabilities(["bc"])[1] < joined.probabilities(["bc"])[1]
    np.testing.assert_allclose(
        apart.surprise(["ab", "cd"]), np.concatenate([apart.surprise(["ab"]), apart.surprise(["cd"])])
    )


def test_samples_are_sums_over_their_characters() -> None:
    model = WittenBell(2)
    model.fit(Texts(["abab", "ba"], []))
    samples = Texts(["aba", "", "bb"], [(0, 0, 2), (0, 2, 3), (2, 0, 2), (2, 1, 1)])
    assert isinstance(samples, HasSpans)
    each = model.surprise(samples.documents)
    np.testing.assert_allclose(
        model.predict(samples)["nats"], [each[:2].sum(), each[2], each[3:].sum(), 0], atol=1e-12
    )


def test_names_and_refusals() -> None:
    names = [WittenBell(order).name for order in (0, 1, 5)]
    assert names == ["uniform over characters", "frequency of characters", "Witten-Bell 5-gram"]
    with pytest.raises(ConfigError, match="found an order of -1"):
        WittenBell(-1)
    with pytest.raises(DataError, match="expected training texts with characters, found none"):
        WittenBell(2).fit_texts([""])
    with pytest.raises(DataError, match="expected samples of texts"):
        WittenBell(2).fit(TensorDataset({}, facts=Facts(), ids=np.array(["a"])))


@pytest.mark.parametrize(
    ("begin", "end", "nats"),
    [(0.0, 0.9, 1.669), (0.09, 0.9, 1.672), (0.0, 0.81, 1.963)],
    ids=["the usual first 90 %", "without its beginning", "without its end"],
)
def test_tiny_shakespeare(begin: float, end: float, nats: float, shared: Path) -> None:
    """The figures of decision 34: what stands before the test split is most like it."""
    text = (shared / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    model = WittenBell(5)
    model.fit_texts([text[int(len(text) * begin) : int(len(text) * end)]])
    assert model.surprise([text[int(len(text) * 0.9) :]]).mean() == pytest.approx(nats, abs=1e-3)
