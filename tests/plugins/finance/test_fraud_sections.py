"""Sections of the fraud report: their numbers against plain computations, and splits in which something is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fivefold.evaluation.report import write_report
from fivefold_finance.fraud.config import CostConfig
from fivefold_finance.fraud.costs import cost_curve
from fivefold_finance.fraud.drift import Columns
from fivefold_finance.fraud.reasons import Reason
from fivefold_finance.fraud.sections import fraud_sections
from fivefold_finance.fraud.sections_alerts import alerts_section
from fivefold_finance.fraud.sections_amounts import amount_bands
from fivefold_finance.fraud.sections_costs import costs_section
from fivefold_finance.fraud.sections_drift import drift_section
from fivefold_finance.fraud.sections_predictors import money, thinned
from fivefold_finance.fraud.sections_reasons import top_alerts_section
from fivefold_finance.fraud.sections_time import time_section
from plugins.finance.fraud_judged_cases import evaluation_of, judged_of, noisier, simulated

COSTS = CostConfig(review=2, alerts_a_day=20)


def explain(rows):
    return [[Reason("amount", 1.5, f"{row}"), Reason("hour", 0.25, "3")] for row in rows]


@pytest.fixture(scope="module")
def whole():
    judged, validation = simulated(1500, unknown=0.05), simulated(1000, seed=4)
    evaluation = evaluation_of(judged, {"noisy": noisier(judged), "prevalence": np.full(1500, 0.03)})
    generator = np.random.default_rng(0)
    columns = Columns(
        ("amount", "hour"),
        generator.normal(size=(900, 2)),
        generator.normal(size=(1500, 2)) + np.array([0.0, 1.0]),
    )
    sections = fraud_sections(
        evaluation,
        judged,
        COSTS,
        validation=validation,
        validation_rivals={"noisy": noisier(validation)},
        columns=columns,
        explain=explain,
    )
    return judged, validation, evaluation, {section.key: section for section in sections}


def test_keys_in_order_and_every_figure_has_words(whole):
    sections = whole[3]
    assert list(sections) == ["alerts", "fraud_over_time", "costs", "amount_bands", "top_alerts", "drift"]
    figures = [figure for section in sections.values() for figure in section.figures]
    assert len(figures) == 5
    for figure in figures:
        assert figure.alt.endswith(".")
        assert figure.caption.endswith(".")
        assert b"<svg" in figure.image


def test_frauds_within_the_budget_are_counted(whole):
    judged, _, _, sections = whole
    known = judged.labelled()
    caught = 0
    for day in np.unique(known.days):
        rows = np.flatnonzero(known.days == day)
        caught += known.fraud[rows[np.argsort(-known.scores[rows])[:20]]].sum()
    model, noisy, prevalence = sections["alerts"].facts["predictors"]
    assert model["caught"] == caught
    assert model["recall"]["value"] == pytest.approx(caught / known.fraud.sum())
    assert model["recall"]["low"] <= model["recall"]["value"] <= model["recall"]["high"]
    assert model["alerts"] == noisy["alerts"] == prevalence["alerts"] == pytest.approx(240)
    assert noisy["caught"] < model["caught"]
    sizes = np.bincount(known.days - known.days.min())
    by_chance = (np.bincount(known.days - known.days.min(), known.fraud) * 20 / sizes).sum()
    assert prevalence["caught"] == pytest.approx(by_chance)
    over_time = sections["fraud_over_time"].facts
    assert sum(over_time["caught"]) == caught
    assert sum(over_time["caught"]) + sum(over_time["missed"]) == known.fraud.sum()
    assert "transactions without a known label take no part" in sections["alerts"].text


def test_thresholds_are_those_of_validation(whole):
    _, validation, _, sections = whole
    ways = {way["name"]: way for way in sections["costs"].facts["ways"]}
    assert list(ways) == ["the model", "noisy", "prevalence", "review nothing", "review all"]
    assert ways["the model"]["threshold"] == cost_curve(validation, COSTS).cheapest
    assert (
        ways["noisy"]["threshold"] == cost_curve(validation.with_scores(noisier(validation)), COSTS).cheapest
    )
    for way in ways.values():
        assert way["cost_a_day"]["value"] == pytest.approx((way["review"] + way["loss"]) / way["days"])
        assert way["cost_a_day"]["low"] <= way["cost_a_day"]["value"] <= way["cost_a_day"]["high"]
    assert ways["review nothing"]["review"] == ways["review all"]["loss"] == 0
    assert "the model costs less than" in sections["costs"].text
    assert "review all" in sections["costs"].text.split("the model costs less than: ")[1]


def test_without_validation_baselines_raise_as_many_alerts():
    judged = simulated(1000)
    section = costs_section(evaluation_of(judged, {"noisy": noisier(judged)}), judged, COSTS, None, {})
    model, noisy, *_ = section.facts["ways"]
    assert model["threshold"] == judged.threshold
    assert noisy["alerts"] == model["alerts"] > 0
    assert "The model's threshold is the task's own" in section.text
    assert drift_section(judged, None, None) is None


def test_bands_hold_everything_once(whole):
    judged = whole[0].labelled()
    *bands, all_ = amount_bands(judged)
    assert len(bands) == 5
    for name in ("transactions", "frauds", "alerts", "money", "money_caught"):
        assert sum(getattr(band, name) for band in bands) == pytest.approx(getattr(all_, name))
    said = judged.scores >= judged.threshold
    assert all_.recall == pytest.approx(said[judged.fraud == 1].mean())
    assert all_.precision == pytest.approx(judged.fraud[said].mean())
    assert all_.money_caught == pytest.approx(judged.amounts[said & (judged.fraud == 1)].sum())


def test_bands_by_hand():
    judged = judged_of(
        [0.9, 0.1, 0.9, 0.1, 0.9, 0.9],
        [1, 1, 0, 0, 1, 1],
        amounts=[10, 20, 30, 40, 50, np.nan],
        threshold=0.5,
    )
    bands = {band.name: band for band in amount_bands(judged)}
    assert list(bands) == [
        "up to 18", "above 18 to 26", "above 26 to 34", "above 34 to 42", "above 42", "not known", "all",
    ]  # fmt: skip
    assert bands["above 18 to 26"].recall == 0
    assert bands["above 26 to 34"].precision == 0
    assert np.isnan(bands["above 26 to 34"].recall)
    assert np.isnan(bands["above 34 to 42"].precision)
    assert (bands["all"].money, bands["all"].money_caught) == (80, 60)


@pytest.mark.parametrize(
    ("amount", "names"),
    [(np.nan, ["not known", "all"]), (0.0, ["any amount", "all"]), (7.0, ["any amount", "all"])],
)
def test_bands_of_equal_or_missing_amounts(amount, names):
    judged = judged_of([0.2] * 8, [0, 1] * 4, amounts=[amount] * 8)
    assert [band.name for band in amount_bands(judged)] == names


def test_top_alerts_are_the_highest_scores_with_reasons(whole):
    judged, _, evaluation, sections = whole
    rows = sections["top_alerts"].grids[0].rows
    order = np.argsort(-judged.scores)[:20]
    assert [row[0] for row in rows] == [evaluation.ids[place] for place in order]
    assert [row[1] for row in rows] == [judged.accounts[place] for place in order]
    assert rows[0][-1] == f"amount {order[0]} (+1.50); hour 3 (+0.25)"
    assert rows[0][2].startswith("2024-03-")
    assert {row[5] for row in rows} <= {"fraud", "genuine", "not known"}


def in_thirds():
    return judged_of(np.linspace(0.1, 0.9, 30), [0, 0, 1] * 10, np.arange(30) * 12, amounts=[np.nan] * 30)


def test_alerts_without_reasons_or_accounts():
    section = top_alerts_section(evaluation_of(in_thirds()), in_thirds(), None)
    assert section.grids[0].head == ("Transaction", "Time (UTC)", "Amount", "Score", "Label")
    assert section.grids[0].rows[0] == ("line 31", "2024-03-15 12:00:00", "", "0.9", "fraud")


def test_a_column_that_does_not_help_is_said_so():
    section = top_alerts_section(evaluation_of(in_thirds()), in_thirds(), lambda rows: [[] for _ in rows])
    assert section.grids[0].rows[0][-1] == "no column alone raises the score"


def test_drift_names_what_moved(whole):
    section = whole[3]["drift"]
    assert "hour has moved most" in section.text
    assert section.grids[0].rows[0][0] == "score"
    assert section.grids[0].rows[1][0] == "hour"
    assert set(section.facts["over_time"]) == {"score", "hour", "amount"}


def without_frauds():
    judged = simulated(400)
    return judged_of(judged.scores, np.zeros(400), np.arange(400) * 0.6, judged.accounts, judged.amounts)


def without_labels():
    judged = without_frauds()
    return judged_of(judged.scores, np.full(400, np.nan), np.arange(400) * 0.6, None, judged.amounts)


def of_one_day():
    judged = simulated(300, frauds=0.1)
    return judged_of(judged.scores, judged.fraud, np.arange(300) / 100, judged.accounts, judged.amounts)


def of_one_score():
    judged = simulated(300, frauds=0.1)
    return judged_of(np.full(300, 0.1), judged.fraud, np.arange(300), judged.accounts, judged.amounts)


def all_frauds():
    return judged_of(simulated(100).scores, np.ones(100), np.arange(100) * 3, None, np.full(100, np.nan))


@pytest.mark.parametrize("make", [without_frauds, without_labels, of_one_day, of_one_score, all_frauds])
def test_splits_in_which_something_is_missing_make_a_report(make, tmp_path):
    judged = make()
    evaluation = evaluation_of(judged, {"noisy": noisier(judged)})
    columns = Columns(("amount",), np.ones((50, 1)), judged.amounts[:, None])
    sections = fraud_sections(
        evaluation, judged, COSTS, validation=simulated(300), columns=columns, explain=explain
    )
    write_report(evaluation, sections, {"pipeline": "finance/fraud"}, tmp_path)
    held = json.loads((tmp_path / "report.json").read_text())["sections"]
    assert {"top_alerts", "drift"} <= set(held)
    assert ("costs" in held) == (make is not without_labels)


def test_days_without_fraud_are_told():
    judged = judged_of(np.linspace(0.1, 0.9, 40), [1] + [0] * 39, np.arange(40) * 8)
    assert "13 of 14 days have no fraud." in alerts_section(evaluation_of(judged), judged, 1).text
    text = time_section(judged, 1).text
    assert text == "At 1 alerts a day, 0 of 1 frauds are caught; most are missed on 2024-03-01, 1 of 1."


def test_a_curve_keeps_its_ends_when_it_is_thinned():
    across, up = np.linspace(0, 1, 5000), np.linspace(0, 1, 5000) ** 2
    thin = thinned(across, up)
    assert len(thin[0]) <= 400
    assert (thin[0][0], thin[1][-1]) == (0, 1)
    assert thinned(across[:5], up[:5])[0] is not None
    assert len(thinned(np.zeros(500), np.zeros(500))[0]) <= 400


def test_money_for_people():
    assert [money(value) for value in (3.456, -999.0, 1234.5, np.inf)] == ["3.46", "-999.00", "1234", "inf"]


def test_drift_of_categories_is_in_table_figure_and_facts():
    judged = simulated(3000)
    shops = (np.array(["a", "b"] * 200, object), np.array(["a", "a", "a", "b"] * 750, object))
    section = drift_section(
        judged, None, Columns((), np.zeros((400, 0)), np.zeros((3000, 0)), {"shop": shops})
    )
    ((name, index, distance, word),) = section.grids[0].rows
    assert (name, distance, word) == ("shop", "\N{EN DASH}", "strong")
    assert float(index) == pytest.approx(0.275, abs=1e-3)
    assert section.facts["features"][0]["distance"] is None
    assert "shop" in section.figures[0].alt
