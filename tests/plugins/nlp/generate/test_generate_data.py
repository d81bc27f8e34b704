import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fivefold.data.dataset import Facts
from fivefold.errors import DataError
from fivefold_nlp.generate.data import (
    RandomCrop,
    TextWindows,
    Tokens,
    evaluation_windows,
    pieces,
    require_tokens,
    wide_windows,
)
from fivefold_nlp.generate.passages import LEAST, MOST, Part, parts_of, passages, split_passages
from fivefold_nlp.tokenizer import TextTokenizer

CHARACTERS = TextTokenizer.train("characters", ["abcdefghij \n"])
texts = st.lists(st.text("abcdefghij \n", min_size=1, max_size=70), min_size=1, max_size=4)


def encoded(*documents: str, tokenizer: TextTokenizer = CHARACTERS) -> Tokens:
    parts = [Part(f"text {number}", document) for number, document in enumerate(documents)]
    return Tokens.encode(parts, tokenizer)


def everything(windows: TextWindows) -> dict[str, torch.Tensor]:
    return windows.batch(torch.arange(len(windows)))


@settings(max_examples=60, deadline=None)
@given(documents=texts, context=st.integers(2, 20), share=st.integers(1, 20))
def test_every_token_is_scored_once_with_its_context(documents: list[str], context: int, share: int) -> None:
    stride = min(share, context)
    tokens = encoded(*documents)
    windows = TextWindows(tokens, evaluation_windows(tokens, context, stride), context, Facts(), judged=True)
    batch = everything(windows)
    said = [CHARACTERS.encode_long(document).ids.tolist() for document in documents]
    scored: list[list[int]] = [[] for _ in documents]
    for row in range(len(windows)):
        target = batch["target"][row]
        document = int(windows.spans[row, 0])
        places = (target >= 0).nonzero()[:, 0]
        before = len(scored[document])
        # The inputs are what stands before: the padding token, then the text.
        whole = [CHARACTERS.pad, *said[document]]
        first, last = int(places[0]), int(places[-1])
        assert first >= min(before, context - stride)
        begin = before - first
        assert batch["input"][row, : last + 1].tolist() == whole[begin : begin + last + 1]
        scored[document] += target[places].tolist()
        assert batch["characters"][row] == len(places)
    assert scored == said


@settings(max_examples=40, deadline=None)
@given(documents=texts, context=st.integers(2, 20), streams=st.integers(1, 9))
def test_pieces_follow_each_other_in_their_streams(documents: list[str], context: int, streams: int) -> None:
    tokens = encoded(*documents)
    windows = TextWindows(tokens, pieces(tokens, context), context, Facts(), carried=True)
    batch = everything(windows)
    order = windows.order(streams)
    assert order is not None
    assert sorted(order.tolist()) == list(range(len(windows)))
    steps = len(windows) // streams
    for step in range(steps - 1):
        here, after = (order[at * streams : (at + 1) * streams] for at in (step, step + 1))
        assert torch.equal(after, here + 1)
    rows = batch["position"]
    for row in range(1, len(windows)):
        same = windows.spans[row, 0] == windows.spans[row - 1, 0]
        assert (rows[row] == rows[row - 1] + 1) == same
        if same:  # what the piece before predicted last is what this one reads first
            assert batch["input"][row, 0] == batch["target"][row - 1, -1]
    assert int((batch["target"] >= 0).sum()) == sum(len(document) for document in documents)


@settings(max_examples=40, deadline=None)
@given(documents=texts, context=st.integers(2, 20))
def test_wide_windows_see_every_token(documents: list[str], context: int) -> None:
    tokens = encoded(*documents)
    windows = TextWindows(tokens, wide_windows(tokens, 2 * context, context), 2 * context, Facts())
    assert windows.order(4) is None
    seen: list[set[int]] = [set() for _ in documents]
    for document, start, end in windows.spans.tolist():
        seen[document] |= set(range(start, end))
    assert seen == [set(range(len(document))) for document in documents]


def test_crops_are_parts_of_the_window_at_random_places() -> None:
    wide = torch.arange(12).expand(400, 12)
    batch = {"input": wide, "target": wide + 1, "other": torch.zeros(400)}
    crop = RandomCrop(5)
    found = crop(batch, torch.Generator().manual_seed(0))
    assert found["input"].shape == (400, 5)
    assert torch.equal(found["input"][:, 1:], found["input"][:, :-1] + 1)
    assert torch.equal(found["target"], found["input"] + 1)
    assert set(found["input"][:, 0].tolist()) == set(range(8))
    again = crop(batch, torch.Generator().manual_seed(0))
    assert torch.equal(again["input"], found["input"])


@pytest.mark.parametrize("kind", ["characters", "bytes", "bpe"])
def test_characters_sum_to_those_of_the_text(kind: str) -> None:
    text = "Straße 🙂🙂 naïve\n" * 40
    tokenizer = TextTokenizer.train(kind, [text], 300)
    tokens = encoded(text, "ß", tokenizer=tokenizer)
    windows = TextWindows(tokens, evaluation_windows(tokens, 16, 5), 16, Facts(), judged=True)
    assert everything(windows)["characters"].sum() == len(text) + 1
    for document, whole in enumerate(windows.documents):
        spans = windows.spans[windows.spans[:, 0] == document]
        assert spans[0, 1] == 0
        assert spans[-1, 2] == len(whole)
        assert (spans[1:, 1] == spans[:-1, 2]).all()


def test_units_are_blocks_of_a_thousand_characters() -> None:
    tokens = encoded("abcdefghij" * 250, "abc" * 10)
    windows = TextWindows(tokens, evaluation_windows(tokens, 20, 10), 20, Facts(), judged=True)
    assert len(np.unique(windows.units)) == 4
    sizes = np.bincount(windows.units, weights=windows.spans[:, 2] - windows.spans[:, 1])
    assert (sizes[:2] >= 980).all()
    assert sizes[-1] == 30


def test_names_say_where_a_window_lies() -> None:
    tokens = Tokens.encode([Part("play.txt", "abc" * 700, start=5000)], CHARACTERS)
    windows = TextWindows(tokens, pieces(tokens, 1500), 1500, Facts())
    assert windows.ids.tolist() == ["play.txt at character 5,000", "play.txt at character 6,500"]


def test_small_texts_are_held_and_are_the_batches() -> None:
    tokens = encoded("abcdefghij" * 9)
    windows = TextWindows(tokens, evaluation_windows(tokens, 20, 10), 20, Facts(), judged=True)
    held = windows.tensors()
    assert held is not None
    found = windows.batch(torch.tensor([3, 1]))
    assert all(torch.equal(held[name][[3, 1]], found[name]) for name in found)
    assert windows.targets() is None


def test_a_text_that_is_too_short() -> None:
    with pytest.raises(
        DataError, match=r"play\.txt: expected a training split of at least 64 tokens, a whole"
    ):
        require_tokens(encoded("abc"), 64, "play.txt")
    nothing = Tokens.encode([Part("a", "")], CHARACTERS)
    with pytest.raises(DataError, match=r"play\.txt: expected text to judge the model on, found none"):
        require_tokens(nothing, 1, "play.txt")


line = st.text("abcde ", max_size=300)


@settings(max_examples=40, deadline=None)
@given(documents=st.lists(st.lists(line, max_size=12).map("\n".join), min_size=1, max_size=4))
def test_passages_make_up_the_text(documents: list[str]) -> None:
    parts = [Part(f"text {number}", document, 7) for number, document in enumerate(documents)]
    table = passages(parts, "corpus")
    assert parts_of(table) == [part for part in parts if part.text]
    for number in range(len(parts)):
        lengths = [
            len(text)
            for text, name in zip(table["text"], table["document"], strict=True)
            if name == f"text {number}"
        ]
        assert all(LEAST <= length <= MOST for length in lengths[:-1])


def test_a_single_text_is_cut_in_order() -> None:
    text = "".join(chr(97 + number % 26) for number in range(20_000))
    table = passages([Part("a.txt", text)], "a.txt")
    splits = split_passages(table, fractions=(0.81, 0.09, 0.1), seed=0)
    (train,), (val,), (test,) = (parts_of(one) for one in (splits.train, splits.val, splits.test))
    assert (val.text, train.text, test.text) == (text[:1800], text[1800:18000], text[18000:])
    assert (val.start, train.start, test.start) == (0, 1800, 18000)
    assert splits.how == (
        "The text was cut in order: its first 9 % to validation, its last 10 % to test, and what lies between to "
        "training."
    )


@settings(max_examples=60, deadline=None)
@given(size=st.integers(20, 30_000) | st.integers(1, 300).map(lambda number: 100 * number))
@example(size=1_115_394)  # tinyshakespeare
def test_lengths_of_the_parts_are_those_of_whole_numbers(size: int) -> None:
    splits = split_passages(
        passages([Part("a.txt", "a" * size)], "a.txt"), fractions=(0.81, 0.09, 0.1), seed=0
    )
    begin, end = size * 9 // 100, size * 9 // 10
    found = [sum(map(len, one["text"])) for one in (splits.train, splits.val, splits.test)]
    assert found == [end - begin, begin, size - end]


def test_whole_documents_go_to_a_split() -> None:
    parts = [Part(f"{number}.txt", "words " * 900) for number in range(10)]
    splits = split_passages(passages(parts, "plays"), fractions=(0.7, 0.1, 0.2), seed=3)
    found = [[part.document for part in parts_of(one)] for one in (splits.train, splits.val, splits.test)]
    assert sorted(name for names in found for name in names) == sorted(part.document for part in parts)
    assert [len(names) for names in found] == [7, 1, 2]
    assert "Whole documents" in splits.how


def test_a_text_that_cannot_be_cut() -> None:
    table = passages([Part("a.txt", "abc")], "a.txt")
    with pytest.raises(DataError, match=r"a\.txt: expected a text long enough to be cut"):
        split_passages(table, fractions=(0.81, 0.09, 0.1), seed=0)
