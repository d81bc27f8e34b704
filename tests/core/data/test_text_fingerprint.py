from __future__ import annotations

import random

import numpy as np
import pytest

from fivefold.data.neighbours import near_rows
from fivefold.data.text_fingerprint import HASHES, SHINGLE, normalised, text_fingerprints

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "ra", "st", "mo")]


def sentence(generator: random.Random, words: int = 30) -> str:
    return " ".join(generator.choice(WORDS) for _ in range(words))


def jaccard(first: str, second: str) -> float:
    sets = [{text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)} for text in (first, second)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_case_white_space_and_form_of_unicode_make_no_other_text() -> None:
    keys = text_fingerprints(["A fine\n film é", "a FINE film  e\u0301", "a fine film e"]).exact
    assert keys[0] == keys[1] != keys[2]
    assert text_fingerprints(["a"]).alike == "but for upper and lower case and white space"


def test_differing_bits_estimate_the_share_of_common_shingles() -> None:
    generator = random.Random(0)
    gaps = []
    for _ in range(200):
        words = sentence(generator).split()
        changed = [generator.choice(WORDS) if generator.random() < 0.15 else word for word in words]
        first, second = " ".join(words), " ".join(changed)
        near = text_fingerprints([first, second]).near
        assert near is not None
        differing = float(((near[0] - near[1]) ** 2).sum())
        gaps.append(differing / HASHES - (1 - jaccard(first, second)) / 2)
    # A mean of 200 estimates of 128 coins each has a standard deviation of at most 0.0031.
    assert abs(np.mean(gaps)) < 0.01


def test_a_changed_word_is_found_and_other_texts_are_not() -> None:
    generator = random.Random(1)
    originals = [sentence(generator, 40) for _ in range(300)]
    copies = [text.replace(text.split()[7], "zzz", 1) for text in originals]
    others = [sentence(generator, 40) for _ in range(300)]
    known = text_fingerprints(originals)
    assert known.near is not None
    found = near_rows(text_fingerprints(copies).near, known.near, known.near_distance)
    assert (found == np.arange(300)).mean() > 0.97
    assert (near_rows(text_fingerprints(others).near, known.near, known.near_distance) == -1).all()


def test_short_texts_are_compared_exactly_only() -> None:
    near = text_fingerprints(["good film", "", "ab", "x" * 5000]).near
    assert near is not None
    assert np.isnan(near).all()


@pytest.mark.parametrize("text", ["\ud800 lone", "猫" * 40, "\U0001f600 ok"])
def test_any_text_has_a_key(text: str) -> None:
    assert text_fingerprints([text]).exact[0] == text_fingerprints([text]).exact[0]
    assert isinstance(normalised(text), str)
