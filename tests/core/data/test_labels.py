"""Labels as codes, in an order that people expect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.data.labels import encode_labels, texts


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["dog", "cat", "dog"], ("cat", "dog")),
        (["10", "9", "1"], ("1", "9", "10")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["02", "2", "1"], ("1", "02", "2")),
        ([], ()),
    ],
)
def test_classes_are_in_order_of_value_or_alphabet(labels: list[str], classes: tuple[str, ...]) -> None:
    codes, found = encode_labels(labels)
    assert found == classes
    assert [found[code] for code in codes] == labels


@given(st.lists(st.text(max_size=3)))
def test_codes_lead_back_to_labels(labels: list[str]) -> None:
    codes, classes = encode_labels(labels)
    assert [classes[code] for code in codes] == labels
    assert len(set(classes)) == len(classes)


def test_a_column_of_texts_keeps_them_as_they_are() -> None:
    column = texts(["a", "a\x00", ""])
    assert column.shape == (3,)
    assert list(column) == ["a", "a\x00", ""]
