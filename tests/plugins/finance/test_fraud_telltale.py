"""Columns that alone give away the label, rare names, and a budget of alerts that leaves nothing to choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fivefold_finance.fraud import telltale
from fivefold_finance.fraud.pipeline import Fraud
from fivefold_finance.fraud.telltale import telltales
from fivefold_finance.transactions.readers.choose import Options, read_transactions
from fivefold_finance.transactions.schema import Transactions
from plugins.finance.fraud_cases import HEAD, config, fitted, payments, write_csv


def rows_with(value: Any, count: int = 400) -> list[list[Any]]:
    """Payments whose amounts say little, with a last column made of the row and its label."""
    draw = np.random.default_rng(3)
    return [
        [*row[:2], round(float(draw.lognormal()), 2), *row[3:], value(draw, row[5])]
        for row in payments(count)
    ]


def read_with(folder: Path, value: Any, count: int = 400) -> Transactions:
    path = write_csv(folder / "a.csv", rows_with(value, count), (*HEAD, "extra"))
    return read_transactions(path, Options())


@pytest.mark.parametrize("sign", [1, -1])
def test_the_area_of_a_number_is_scikit_learns_either_way(
    tmp_path: Path, sign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telltale, "TELLING", 0.5)
    read = read_with(tmp_path, lambda draw, fraud: sign * round(float(draw.normal(2 * fraud)), 2))
    assert read.labels is not None
    area = roc_auc_score(read.labels, sign * read.numbers["extra"])
    assert dict(telltales(read))["extra"] == pytest.approx(area)


def test_a_number_that_is_missing_of_genuine_ones_tells(tmp_path: Path) -> None:
    read = read_with(tmp_path, lambda draw, fraud: round(float(draw.normal()), 2) if fraud else None)
    assert telltales(read) == [("extra", 1.0)]


def test_names_are_judged_where_they_were_not_counted(tmp_path: Path) -> None:
    read = read_with(tmp_path, lambda draw, fraud: "damage" if fraud else draw.choice(["none", "unknown"]))
    assert telltales(read) == [("extra", 1.0)]
    # A name of its own in every row says nothing of rows to come.
    number = iter(range(1000))
    assert telltales(read_with(tmp_path, lambda _draw, _fraud: f"name {next(number)}")) == []


def test_few_frauds_are_told_apart_by_chance_and_nothing_is_said(tmp_path: Path) -> None:
    assert telltales(read_with(tmp_path, lambda _draw, fraud: fraud, count=60)) == []


def test_what_is_looked_at_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telltale, "MOST", 30)
    seen: list[int] = []
    area = telltale._area
    monkeypatch.setattr(
        telltale, "_area", lambda scores, fraud: seen.append(len(scores)) or area(scores, fraud)
    )
    assert telltales(read_with(tmp_path, lambda _draw, fraud: f"kind {fraud}")) == [("extra", 1.0)]
    assert max(seen) == 60


def cautions_of(path: Path, **settings: Any) -> list[str]:
    pipeline, _ = fitted(path, config("mlp", **settings))
    assert pipeline.facts is not None
    return list(pipeline.cautions(pipeline.facts))


def test_a_column_that_tells_is_a_caution_with_the_option_that_leaves_it_out(tmp_path: Path) -> None:
    rows = rows_with(lambda _draw, fraud: "B" if fraud else "N")
    path = write_csv(tmp_path / "a.csv", rows, (*HEAD, "Amount of damage"))
    told = (
        "'Amount of damage' alone tells frauds from the rest (AUROC 1.000 in training): if it is known only "
        "afterwards, leave it out by --columns.ignore 'Amount of damage'."
    )
    assert told in cautions_of(path)
    assert told not in cautions_of(path, columns={"ignore": ["Amount of damage"]})


def test_an_amount_that_tells_is_to_be_another_column(tmp_path: Path) -> None:
    rows = [[*row[:2], 1 + 99 * row[5], *row[3:]] for row in payments(400)]
    (told,) = [one for one in cautions_of(write_csv(tmp_path / "a.csv", rows)) if "alone tells" in one]
    assert told.endswith("afterwards, name another column by --columns.amount.")


def test_rare_names_are_told_with_the_share_of_rows_that_have_others(tmp_path: Path) -> None:
    # Of 120 training rows, 90 have one of two names that occur often enough.
    names = [f"rare {number}" if number % 4 == 0 else f"often {number % 2}" for number in range(200)]
    rows = [[*row[:4], name, row[5]] for row, name in zip(payments(200), names, strict=True)]
    path = write_csv(tmp_path / "a.csv", rows)
    assert (
        "Of 32 names in 'shop' 2 are learned, which 75 % of the rows have: names that occur less than 10 times in "
        "training count as unseen; --rare says how often is enough."
    ) in cautions_of(path, rare=10)
    assert not any("in 'shop'" in one for one in cautions_of(path, rare=1))


def test_what_a_reason_shows_of_a_rare_name_says_so(tmp_path: Path) -> None:
    names = ["often" if number % 4 else None for number in range(200)]
    names[7] = "s7"
    rows = [[*row[:4], name, row[5]] for row, name in zip(payments(200), names, strict=True)]
    pipeline, _ = fitted(write_csv(tmp_path / "a.csv", rows), config("mlp", rare=40))
    samples: Any = pipeline.samples(pipeline.read(tmp_path / "a.csv"))
    shown = samples.shown["shop"].tolist()
    assert shown[:9:4] == ["a rare name (missing)"] * 3
    assert shown[1] == "often"
    assert shown[7] == "a rare name (s7)"
    assert samples.category("shop")[7] == "s7"


def test_a_budget_that_no_day_exhausts_is_told_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", payments(200))
    pipeline = Fraud(config("mlp", costs={"alerts_a_day": 100}))
    splits = pipeline.split(pipeline.read(path))
    _, counts = np.unique(splits.test["time"].astype("datetime64[D]"), return_counts=True)
    told = (
        f"No day that is judged has more transactions than {counts.max()}, so that with 100 alerts a day every "
        "transaction is reviewed, whatever its score; set --costs.alerts-a-day lower."
    )
    assert list(pipeline.cautions(pipeline.samples(splits.train).facts)).count(told) == 1
    few = {"alerts_a_day": int(counts.max()) - 1}
    assert not any("is reviewed" in one for one in cautions_of(path, costs=few))
