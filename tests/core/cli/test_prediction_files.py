"""Predictions as files: no digits that single precision does not have."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.cli.records import shortest, write_records


@settings(max_examples=200, deadline=None)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_precision_comes_back_the_same(value: float) -> None:
    written = shortest(value)
    assert np.float32(written) == np.float32(value)
    assert len(repr(written)) <= len(repr(value))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2.048198699951172, 2.0481987),
        (0.1, 0.1),  # needs double precision, and stays
        (1.2345678901234567, 1.2345678901234567),
        (1e300, 1e300),
        (0.5, 0.5),
        (7, 7),
        (True, True),
        ("x", "x"),
        (None, None),
    ],
)
def test_values_as_they_are_written(value: object, written: object) -> None:
    assert shortest(value) == written
    assert type(shortest(value)) is type(value)
    assert math.isnan(shortest(math.nan))


def test_files_have_the_short_numbers(tmp_path: Path) -> None:
    value = float(np.float32(0.858))
    records = [{"id": "a", "p": {"x": value, "y": [value]}}]
    write_records(records, tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == [{"id": "a", "p.x": "0.858", "p.y": "[0.858]"}]
    write_records(records, tmp_path / "p.jsonl")
    assert json.loads((tmp_path / "p.jsonl").read_text(encoding="utf-8"))["p"] == {"x": 0.858, "y": [0.858]}
