from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers

from fivefold.errors import DataError
from fivefold_nlp.tokenizer import Encoded, TextTokenizer

CORPUS = ["The play is dull; the players are not.\n", "What a play!\n\nNaïve, but 猫 likes it \U0001f600.\n"]
KINDS = ("characters", "bytes", "bpe", "words")


@pytest.fixture(scope="module")
def trained() -> dict[str, TextTokenizer]:
    return {kind: TextTokenizer.train(kind, CORPUS, 300) for kind in KINDS}


@pytest.mark.parametrize("kind", ["characters", "bytes", "bpe"])
def test_text_comes_back_as_it_was(trained: dict[str, TextTokenizer], kind: str) -> None:
    for text in CORPUS:
        (encoded,) = trained[kind].encode([text])
        assert trained[kind].decode(encoded.ids) == text


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@settings(max_examples=60)
def test_bytes_and_byte_pairs_know_every_text(text: str) -> None:
    for kind in ("bytes", "bpe"):
        tokenizer = TextTokenizer.train(kind, CORPUS, 300)
        (encoded,) = tokenizer.encode([text])
        assert tokenizer.unknown is None
        assert tokenizer.decode(encoded.ids) == text
        if kind == "bytes":
            assert len(encoded) == len(text.encode())


@pytest.mark.parametrize("kind", KINDS)
def test_offsets_lie_in_the_text_in_order(trained: dict[str, TextTokenizer], kind: str) -> None:
    text = "Naïve players:  a 猫\nplay"
    (encoded,) = trained[kind].encode([text])
    assert (np.diff(encoded.starts) >= 0).all()
    assert (encoded.ends > encoded.starts).all()
    assert encoded.ends.max() <= len(text)
    if kind == "characters":
        assert encoded.starts.tolist() == list(range(len(text)))


def test_words_are_lower_case_and_rare_ones_unknown() -> None:
    tokenizer = TextTokenizer.train("words", ["the the the cat cat dog"], 4)
    (encoded,) = tokenizer.encode(["The CAT, dog"])
    assert [tokenizer.token(number) for number in encoded.ids] == ["the", "cat", "[UNK]", "[UNK]"]
    assert tokenizer.unknown == tokenizer.encode(["dog"])[0].ids[0]


@pytest.mark.parametrize("kind", KINDS)
def test_only_words_are_lower_case(trained: dict[str, TextTokenizer], kind: str) -> None:
    tokenizer = TextTokenizer.from_json(trained[kind].to_json())
    assert tokenizer.lower_cases == (kind == "words")


def test_tokenizers_of_encoders_say_whether_they_lower_case() -> None:
    for lowercase in (True, False):
        inner = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1}))
        inner.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        assert TextTokenizer(inner).lower_cases == lowercase


def test_a_character_not_seen_is_unknown(trained: dict[str, TextTokenizer]) -> None:
    (encoded,) = trained["characters"].encode(["aé"])
    assert encoded.ids[1] == trained["characters"].unknown


@pytest.mark.parametrize("kind", KINDS)
def test_json_brings_the_same_tokenizer_back(trained: dict[str, TextTokenizer], kind: str) -> None:
    again = TextTokenizer.from_json(trained[kind].to_json())
    assert (again.size, again.pad, again.unknown) == (
        trained[kind].size,
        trained[kind].pad,
        trained[kind].unknown,
    )
    for text in CORPUS:
        assert again.encode([text])[0].ids.tolist() == trained[kind].encode([text])[0].ids.tolist()


@pytest.mark.parametrize("kind", ["characters", "bytes"])
def test_a_long_text_in_pieces_is_the_same_as_at_once(kind: str) -> None:
    text = "".join(f"line {number} of a long text\n" for number in range(9000)) + "x" * 70_000
    tokenizer = TextTokenizer.train(kind, [*CORPUS, text], 300)
    whole, pieces = tokenizer.encode([text])[0], tokenizer.encode_long(text)
    for name in ("ids", "starts", "ends"):
        assert np.array_equal(getattr(whole, name), getattr(pieces, name)), name
    assert len(tokenizer.encode_long("")) == 0


def test_training_is_a_function_of_the_texts() -> None:
    first, second = (TextTokenizer.train("bpe", CORPUS * 3, 280).to_json() for _ in range(2))
    assert first == second


def test_first_cuts_ids_and_offsets_alike() -> None:
    numbers = np.arange(5)
    cut = Encoded(numbers, numbers * 2, numbers * 2 + 1).first(2)
    assert [cut.ids.tolist(), cut.starts.tolist(), cut.ends.tolist()] == [[0, 1], [0, 2], [1, 3]]


def test_a_closing_token_stays_when_a_text_is_cut() -> None:
    numbers, nowhere = np.arange(6), np.array([0, 1, 2, 3, 4, 0])
    cut = Encoded(numbers, nowhere, nowhere + np.array([1, 1, 1, 1, 1, 0])).first(3)
    assert cut.ids.tolist() == [0, 1, 5]


def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(DataError, match="expected a tokenizer as the library tokenizers writes it"):
        TextTokenizer.from_json("{}")


def test_texts_without_tokens_teach_nothing() -> None:
    with pytest.raises(DataError, match="no token to learn"):
        TextTokenizer.train("words", [" ", "\n"], 300)


def test_a_number_that_is_no_token(trained: dict[str, TextTokenizer]) -> None:
    with pytest.raises(DataError, match="token's number below"):
        trained["words"].token(10**6)
