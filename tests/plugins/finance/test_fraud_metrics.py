"""Metrics of fraud against scikit-learn, hand computations and a plain rewriting of the handbook's definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from fivefold_finance.fraud.judged import account_codes, by_day, independent_units
from fivefold_finance.fraud.metrics import (
    alert_chances,
    alert_shares,
    card_shares,
    fraud_metrics,
    top_chances,
)
from plugins.finance.fraud_judged_cases import (
    evaluation_of,
    judged_of,
    noisier,
    outputs_of,
    simulated,
    times_of,
)


def metrics(alerts=2):
    return {metric.name: metric for metric in fraud_metrics(alerts=alerts, accounts=True)}


def value(name, outputs, weights=None, alerts=2):
    return metrics(alerts)[name].compute(outputs, weights)


def outputs(scores, fraud, day, account=None):
    return {
        "probabilities": np.array(scores, dtype=float)[:, None],
        "target": np.array(fraud, dtype=float)[:, None],
        "day": np.array(day, dtype=np.int64),
        "account": np.full(len(day), -1) if account is None else np.array(account, dtype=np.int64),
    }


def plain_card_precision(found, k):
    """The handbook's loop, without ties, in plain Python."""
    blocked, values = set(), []
    rows = list(
        zip(found["day"], found["account"], found["probabilities"][:, 0], found["target"][:, 0], strict=True)
    )
    for day in sorted({row[0] for row in rows}):
        best, fraudulent = {}, {}
        for _, account, score, fraud in (row for row in rows if row[0] == day and row[1] not in blocked):
            best[account] = max(best.get(account, 0.0), score)
            fraudulent[account] = fraudulent.get(account, False) or fraud == 1
        top = sorted(best, key=lambda account: -best[account])[:k]
        if top:
            values.append(sum(fraudulent[account] for account in top) / len(top))
            blocked |= {account for account in top if fraudulent[account]}
    return np.mean(values)


def test_names_order_and_headlines():
    found = fraud_metrics(alerts=50, accounts=True)
    assert [metric.name for metric in found] == [
        "AUPRC",
        "AUROC",
        "precision at 50 alerts a day",
        "card precision at 50 alerts a day",
        "Brier score",
        "log loss",
    ]
    assert found[0].headline
    assert found[1].headline
    assert [metric.name for metric in fraud_metrics()] == [
        "AUPRC",
        "AUROC",
        "precision at 100 alerts a day",
        "Brier score",
        "log loss",
    ]


def test_areas_and_brier_are_scikit_learns():
    judged = simulated(unknown=0.1)
    found, known = outputs_of(judged), judged.labelled()
    for name, reference in (
        ("AUPRC", average_precision_score),
        ("AUROC", roc_auc_score),
        ("Brier score", brier_score_loss),
    ):
        assert value(name, found) == pytest.approx(reference(known.fraud, known.scores), abs=1e-12)


def test_precision_at_two_a_day_by_hand():
    found = outputs(
        scores=[0.9, 0.8, 0.1, 0.7, 0.6, 0.5, 0.4],
        fraud=[1, 0, 1, 1, 1, 0, 0],
        day=[0, 0, 0, 1, 1, 1, 2],
    )
    # Day 0: one of two; day 1: two of two; day 2 has one transaction only, genuine.
    assert value("precision at 2 alerts a day", found) == pytest.approx((0.5 + 1 + 0) / 3)


def test_equal_scores_at_the_edge_share_the_alerts():
    assert top_chances(np.array([0.5, 0.9, 0.5, 0.5, 0.1]), 2) == pytest.approx([1 / 3, 1, 1 / 3, 1 / 3, 0])
    found = outputs(scores=[0.3] * 10, fraud=[1] + [0] * 9, day=[0] * 10)
    assert value("precision at 2 alerts a day", found) == pytest.approx(0.1)


def test_card_precision_by_hand():
    found = outputs(
        # Day 0: card 1 (of which the fraud scores low) and card 2 are alerts; card 1 is caught.
        # Day 1: card 1 is blocked, so cards 3 and 2 are alerts, and both are fraudulent.
        scores=[0.9, 0.1, 0.8, 0.2, 0.95, 0.7, 0.6, 0.1],
        fraud=[0, 1, 0, 0, 1, 1, 1, 0],
        day=[0, 0, 0, 0, 1, 1, 1, 1],
        account=[1, 1, 2, 3, 1, 3, 2, 4],
    )
    assert value("card precision at 2 alerts a day", found) == pytest.approx((0.5 + 1) / 2)
    assert plain_card_precision(found, 2) == pytest.approx(0.75)


def test_a_day_of_blocked_cards_takes_no_part():
    found = outputs(scores=[0.9, 0.8], fraud=[1, 1], day=[0, 1], account=[5, 5])
    assert value("card precision at 2 alerts a day", found) == 1
    assert card_shares(found, 2).tolist() == [1, 0]


def test_transactions_without_an_account_stand_for_themselves():
    found = outputs(scores=[0.9, 0.8, 0.7], fraud=[1, 1, 0], day=[0, 1, 1], account=[-1, -1, 3])
    assert value("card precision at 2 alerts a day", found) == pytest.approx((1 + 0.5) / 2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_card_precision_is_the_handbooks(seed, k):
    generator = np.random.default_rng(seed)
    count = 80
    found = outputs(
        scores=generator.permutation(count) / count,
        fraud=generator.random(count) < 0.3,
        day=generator.integers(6, size=count),
        account=generator.integers(12, size=count),
    )
    assert value(f"card precision at {k} alerts a day", found, alerts=k) == pytest.approx(
        plain_card_precision(found, k)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_rows_and_unknown_labels_tell_nothing(seed):
    generator = np.random.default_rng(seed)
    count = 60
    found = outputs(
        scores=generator.integers(5, size=count) / 5,
        fraud=generator.random(count) < 0.3,
        day=generator.integers(4, size=count),
        account=generator.integers(9, size=count),
    )
    order = generator.permutation(count)
    mixed = {name: array[order] for name, array in found.items()}
    more = outputs([1.0] * 5, [np.nan] * 5, [2] * 5, [1] * 5)
    grown = {name: np.concatenate([array, more[name]]) for name, array in mixed.items()}
    for name, metric in metrics().items():
        expected = metric.compute(found, None)
        assert metric.compute(mixed, None) == pytest.approx(expected, nan_ok=True), name
        assert metric.compute(grown, None) == pytest.approx(expected, nan_ok=True), name


def test_weights_of_whole_days_are_repeated_days():
    found = outputs_of(simulated(600, days=5, frauds=0.1))
    times = np.array([2, 0, 1, 3, 1])
    days = np.unique(found["day"])
    weights = times[np.searchsorted(days, found["day"])].astype(float)
    for name in ("AUPRC", "AUROC", "precision at 2 alerts a day", "Brier score"):
        # Each day drawn comes again as a day of its own.
        parts = [
            {
                key: (array[rows] if key != "day" else np.full(rows.sum(), number))
                for key, array in found.items()
            }
            for number, day in enumerate(np.repeat(days, times))
            for rows in [found["day"] == day]
        ]
        repeated = {key: np.concatenate([part[key] for part in parts]) for key in found}
        assert value(name, found, weights) == pytest.approx(value(name, repeated)), name
    daily = [
        card_shares(found, 2)[found["day"] == day] @ found["target"][found["day"] == day, 0] for day in days
    ]
    assert value("card precision at 2 alerts a day", found, weights) == pytest.approx(
        np.average(daily, weights=times)
    )


def test_many_weightings_are_each_alone():
    found = outputs_of(simulated(400, days=4, frauds=0.1))
    weights = np.random.default_rng(0).integers(3, size=(7, 400)).astype(float)
    for metric in metrics().values():
        alone = [metric.compute(found, row) for row in weights]
        np.testing.assert_allclose(metric.resampled(found, weights), alone, rtol=1e-12)


def test_shares_of_a_day_sum_to_one():
    found = outputs_of(simulated(500, days=5, unknown=0.2))
    for shares in (alert_shares(found, 7), card_shares(found, 7)):
        np.testing.assert_allclose([shares[rows].sum() for rows in by_day(found["day"])], 1)
        assert shares[np.isnan(found["target"][:, 0])].max() == 0
    assert alert_chances(found, 7).sum() == pytest.approx(35)


def test_without_a_known_label_nothing_is_defined():
    found = outputs([0.1, 0.2], [np.nan, np.nan], [0, 0], [1, 2])
    assert all(np.isnan(metric.compute(found, None)) for metric in metrics().values())


def test_baselines_are_judged_by_the_same_days_and_accounts():
    judged = simulated(1500, days=12, frauds=0.05)
    evaluation = evaluation_of(judged, {"noisy": noisier(judged), "prevalence": np.full(1500, 0.05)})
    compared = {(one.metric, one.baseline): one for one in evaluation.comparisons}
    for name in ("precision at 20 alerts a day", "card precision at 20 alerts a day"):
        assert compared[name, "noisy"].verdict == "beats"
    assert evaluation.unit_name == "day"
    assert evaluation.summary()["metric"] == "AUPRC"


@pytest.mark.parametrize(
    ("hours", "accounts", "unit", "count"),
    [
        (np.arange(0, 240, 6), None, "day", 10),
        (np.arange(0, 216, 6), None, "hour", 36),
        (np.arange(40) / 10, [f"card {row % 12}" for row in range(40)], "account", 12),
        (np.arange(40) / 10, [f"card {row % 3}" for row in range(40)], "hour", 4),
        (np.arange(40) / 10, None, "hour", 4),
    ],
)
def test_units_are_days_then_hours_then_accounts(hours, accounts, unit, count):
    units, name = independent_units(
        times_of(hours), None if accounts is None else np.array(accounts, dtype=object)
    )
    assert (name, len(np.unique(units))) == (unit, count)
    assert units.dtype == object


def test_account_codes():
    assert account_codes(np.array(["b", "a", "b"], dtype=object), 3).tolist() == [1, 0, 1]
    assert account_codes(None, 2).tolist() == [-1, -1]


def test_days_are_calendar_days():
    judged = judged_of([0.1, 0.2, 0.3], [0, 0, 1], hours=[23.99, 24, 0])
    assert np.diff(judged.days).tolist() == [1, -1]
    assert [rows.tolist() for rows in by_day(judged.days)] == [[0, 2], [1]]
    assert by_day(np.empty(0)) == []
