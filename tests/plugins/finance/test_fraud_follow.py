"""A stream's scores are those of the whole file, however its lines come in; bad lines are named."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.errors import DataError
from fivefold.prediction import Request, Source
from fivefold.training.inference import predict_outputs
from fivefold_finance.fraud.pipeline import Fraud
from plugins.finance.fraud_cases import HEAD, config, fitted, objects, payments, write_csv

CPU = torch.device("cpu")
ROWS = payments(150, seed=3, cards=5)


def csv_lines(rows: Sequence[Sequence[object]]) -> list[str]:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [HEAD, *[["" if one is None else one for one in row] for row in rows]]
    )
    return text.getvalue().splitlines()


def in_parts(lines: Sequence[str], sizes: Iterator[int]) -> Iterator[list[tuple[int, str]]]:
    """Numbered lines, so many at once as the sizes say."""
    numbered = list(enumerate(lines, start=1))
    while numbered:
        size = next(sizes)
        yield numbered[:size]
        numbered = numbered[size:]


def followed(pipeline: Fraud, task: Any, lines: Sequence[str], sizes: Sequence[int]) -> list[dict[str, Any]]:
    def for_ever() -> Iterator[int]:
        while True:
            yield from sizes

    request = Request((Source("stream", Path("stream")),))
    found = pipeline.follow(task, in_parts(lines, for_ever()), request)
    return [record for records in found for record in records]


@pytest.fixture(scope="module", params=["mlp", "gru", "autoencoder"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Fraud, Any]:
    return fitted(write_csv(tmp_path_factory.mktemp("follow") / "a.csv", ROWS), config(request.param))


def batch_scores(pipeline: Fraud, task: Any, path: Path) -> Any:
    return predict_outputs(task, pipeline.samples(pipeline.read_inputs(path)), device=CPU)["probabilities"][
        :, 0
    ]


@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5), as_objects=st.booleans())
def test_scores_are_those_of_the_batch(
    model: tuple[Fraud, Any], tmp_path_factory: pytest.TempPathFactory, sizes: list[int], as_objects: bool
) -> None:
    pipeline, task = model
    expected = batch_scores(pipeline, task, write_csv(tmp_path_factory.mktemp("batch") / "a.csv", ROWS))
    lines = [json.dumps(dict(one)) for one in objects(ROWS)] if as_objects else csv_lines(ROWS)
    records = followed(pipeline, task, lines, sizes)
    assert [record["line"] for record in records] == list(range(1 + (not as_objects), len(lines) + 1))
    np.testing.assert_allclose([record["score"] for record in records], expected, atol=1e-6)


@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(5)), sizes=st.lists(st.integers(1, 30), min_size=1, max_size=3))
def test_accounts_may_be_interleaved_in_any_way(
    model: tuple[Fraud, Any], tmp_path_factory: pytest.TempPathFactory, order: list[int], sizes: list[int]
) -> None:
    pipeline, task = model
    # The same moments, handed to the cards in another order.
    rows = [[row[0], f"c{order[place % 5]}", *row[2:]] for place, row in enumerate(ROWS[:60])]
    expected = batch_scores(pipeline, task, write_csv(tmp_path_factory.mktemp("batch") / "a.csv", rows))
    records = followed(pipeline, task, csv_lines(rows), sizes)
    np.testing.assert_allclose([record["score"] for record in records], expected, atol=1e-6)


@pytest.mark.parametrize("size", [1, 7, 200])
def test_bad_lines_are_named_and_the_others_scored(
    model: tuple[Fraud, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    pipeline, task = model
    lines = csv_lines(ROWS[:20])
    bad = {
        3: "1,2",
        6: "50000,,5,1,s1,0",
        9: '9000,c1,"12,1,s1,0',
        12: "2024-01-01T00:00:00,c1,5,1,s1,0",
        15: "60000,c1,inf,1,s1,0",
        18: "60000,c1,5,1,\ufffd,0",
    }
    for number, text in bad.items():
        lines.insert(number - 1, text)
    with caplog.at_level(logging.WARNING):
        records = followed(pipeline, task, lines, [size])
    assert [record["line"] for record in records] == list(range(2, len(lines) + 1))
    for record in records:
        wrong = record["line"] in bad
        assert (record["score"] is None) == wrong
        assert (record["note"] is None) != wrong
        if wrong:
            assert f"stream, row {record['line']}:" in record["note"]
            assert record["note"] in caplog.text
    expected = batch_scores(pipeline, task, write_csv(tmp_path / "a.csv", ROWS[:20]))
    np.testing.assert_allclose(
        [one["score"] for one in records if one["score"] is not None], expected, atol=1e-6
    )


def test_broken_objects_are_named(model: tuple[Fraud, Any]) -> None:
    pipeline, task = model
    good = json.dumps(dict(objects(ROWS[:1])[0]))
    records = followed(pipeline, task, [good, "{", "[1]", '{"time": 3}'], [4])
    assert [record["score"] is None for record in records] == [False, True, True, True]
    assert "found something that is no JSON" in records[1]["note"]
    assert "found list" in records[2]["note"] or "Expecting" in records[2]["note"]
    assert all(f"stream, row {record['line']}:" in record["note"] for record in records[1:])


def test_late_transactions_are_told_and_scored_like_the_batch(
    model: tuple[Fraud, Any], tmp_path: Path
) -> None:
    pipeline, task = model
    rows = [[100 * place, "c1", 5 + place, 1.0, "s1", 0] for place in range(4)]
    late = [rows[0], rows[1], rows[3], rows[2]]
    expected = batch_scores(pipeline, task, write_csv(tmp_path / "a.csv", rows))
    records = followed(pipeline, task, csv_lines(late), [1])
    assert records[3]["note"] == "late by 100 s"
    assert records[3]["score"] == pytest.approx(expected[2], abs=1e-6)


def german(rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines as a German spreadsheet writes them."""
    cells = [["" if one is None else str(one) for one in row] for row in rows]
    return [";".join(HEAD), *(";".join(row).replace(".", ",") for row in cells)]


@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_decimal_commas_are_read_as_in_a_file(
    model: tuple[Fraud, Any], tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    pipeline, task = model
    # Of a number such as 1,234 nobody could say what its comma is before another one has shown it.
    rows = [[0, "c1", 0.5, 0.5, "s1", 0], *ROWS]
    expected = batch_scores(pipeline, task, write_csv(tmp_path_factory.mktemp("batch") / "a.csv", rows))
    records = followed(pipeline, task, german(rows), sizes)
    assert not any(record["note"] for record in records)
    np.testing.assert_allclose([record["score"] for record in records], expected, atol=1e-6)


@pytest.mark.parametrize("size", [1, 3, 200])
def test_numbers_of_a_stream_that_can_be_read_in_two_ways_are_refused_alone(
    model: tuple[Fraud, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    pipeline, task = model
    rows = [[100 * place, "c1", 5.25 + place, 0.5, "s1", 0] for place in range(6)]
    lines = german(rows)
    bad = {
        2: ("0;c1;1,234;0,5;s1;0", "that can be read in one way, found '1,234'"),
        4: ("100;c1;7.5;0,5;s1;0", "found both ('5,25' in row 3, '7.5' in row 4)"),
        6: ("200;c1;8,5;0.5;s1;0", "column 'x', found both ('0,5' in row 3, '0.5' in row 6)"),
    }
    for number, (text, _) in bad.items():
        lines.insert(number - 1, text)
    lines.append("500;c1;2,500;0,5;s1;0")  # which may not have been said before row 3
    with caplog.at_level(logging.WARNING):
        records = followed(pipeline, task, lines, [size])
    assert [record["line"] for record in records] == list(range(2, len(lines) + 1))
    for record in records:
        assert (record["score"] is None) == (record["line"] in bad)
        if record["line"] in bad:
            assert bad[record["line"]][1] in record["note"]
            assert record["note"].startswith(f"stream, row {record['line']}: expected")
    expected = batch_scores(
        pipeline, task, write_csv(tmp_path / "a.csv", [*rows, [500, "c1", 2.5, 0.5, "s1", 0]])
    )
    scores = [record["score"] for record in records if record["score"] is not None]
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert "stream: commas in 'amount', 'x' were read as decimal commas" in caplog.text


def test_points_of_a_stream_with_semicolons_stay_points(model: tuple[Fraud, Any], tmp_path: Path) -> None:
    pipeline, task = model
    lines = [line.replace(",", ";") for line in csv_lines(ROWS[:20])]
    expected = batch_scores(pipeline, task, write_csv(tmp_path / "a.csv", ROWS[:20]))
    records = followed(pipeline, task, lines, [4])
    np.testing.assert_allclose([record["score"] for record in records], expected, atol=1e-6)


def test_a_header_that_several_signs_part_is_refused(model: tuple[Fraud, Any]) -> None:
    pipeline, task = model
    with pytest.raises(
        DataError, match=r"stream: expected one sign that parts the cells of a row, found several"
    ):
        followed(pipeline, task, ["time;card;amount|x", "1;c1;2|3"], [1])
