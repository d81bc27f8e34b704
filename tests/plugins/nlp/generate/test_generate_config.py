import pytest
from pydantic import ValidationError

from fivefold_nlp.generate.config import GenerateConfig, GenerateOptions
from fivefold_nlp.generate.copying import Overlap, distinct_share, longest_overlap, repeated_share
from fivefold_nlp.generate.presets import PRESETS


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": {"heads": 4}}, "'heads' does not apply to the kind 'lstm'"),
        ({"model": {"kind": "gpt", "embedding": 64}}, "'embedding' does not apply to the kind 'gpt'"),
        ({"model": {"kind": "gpt", "hidden": 100}}, "even multiple of its heads, found 100 for 4; choose 8"),
        ({"tokenizer": {"size": 500}}, "'size' is for the kind 'bpe', and found with 'characters'"),
        ({"context": 10, "stride": 11}, "at most the context of 10 tokens, found 11"),
        (
            {"split": {"train": 0.9, "val": 0.1}},
            "must leave a share for the test, found 0.9 and 0.1; lower one",
        ),
        ({"split": {"train": 1}}, "Input should be less than 1"),
    ],
)
def test_settings_that_do_not_fit(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        GenerateConfig.model_validate(values)


def test_a_tenth_of_the_text_tests_and_a_tenth_of_the_rest_validates() -> None:
    assert GenerateConfig().split.fractions == (0.81, 0.09, 0.1)


def test_half_the_context_is_scored() -> None:
    assert GenerateConfig(context=100).scored == 50
    assert GenerateConfig(context=100, stride=20).scored == 20


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_told_of(name: str) -> None:
    PRESETS[name]()
    assert "measured" in (PRESETS[name].__doc__ or "")


@pytest.mark.parametrize("values", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0}, {"stop": ""}])
def test_options_out_of_range(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GenerateOptions.model_validate(values)


def test_shares_of_ngrams() -> None:
    assert distinct_share(["a b a b", "a c"], 1) == pytest.approx(3 / 6)
    assert distinct_share(["a b a b", "a c"], 2) == pytest.approx(3 / 4)
    assert repeated_share(["a b a b a b", "x"], 2) == pytest.approx(3 / 5)
    assert distinct_share(["a"], 2) != distinct_share(["a"], 2)  # nan: there is none


def test_the_longest_overlap() -> None:
    others = "the cat sat on the mat\0a dog"
    assert longest_overlap("a cat sat down", others) == Overlap(1, 9)
    assert longest_overlap("xyz", others) == Overlap(0, 0)
    assert longest_overlap("the mat", others) == Overlap(0, 7)
    assert longest_overlap("", others) == Overlap(0, 0)
    assert longest_overlap("mata dog", others) == Overlap(3, 5)
