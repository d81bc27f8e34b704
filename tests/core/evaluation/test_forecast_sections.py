"""Sections on forecasts: the numbers they state, and that they bear little and odd data."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from fivefold.evaluation.document import plain
from fivefold.evaluation.evaluation import Estimate
from fivefold.evaluation.figures import canvas
from fivefold.evaluation.forecast_errors import blocks_of_time, error_sections
from fivefold.evaluation.forecast_intervals import interval_section
from fivefold.evaluation.forecast_pictures import chosen_windows, dates_below
from fivefold.evaluation.forecast_skill import direction_section, echo_section, equal_accuracy_section
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.report import write_report

from .judged_forecasts import DAY, forecast_of, joined, judge_forecasts, sections_of, walk_outputs


def judged(count=120, horizon=4, targets=2, level="levels", skill=0.5, **settings):
    given = walk_outputs(count, horizon, targets, level=level)
    outputs = given | forecast_of(given, skill)
    rivals = {
        "no change": forecast_of(given, 0.0),
        "mean": {"prediction": np.full(given["target"].shape, 100.0)},
    }
    return judge_forecasts(outputs, rivals, level=level, **settings)


def view(evaluation):
    return Forecasts.of(evaluation, evaluation.facts, np.ones(len(evaluation.facts.targets)))


@pytest.fixture(scope="module")
def evaluation():
    return judged()


@pytest.fixture(scope="module")
def sections(evaluation):
    return sections_of(evaluation)


def test_sections_in_order(sections):
    assert list(sections) == [
        "forecasts",
        "units",
        "error_by_step",
        "error_over_time",
        "intervals",
        "diebold_mariano",
        "echo",
        "direction",
    ]
    for section in sections.values():
        json.dumps(plain(section.facts), allow_nan=False)
        for figure in section.figures:
            assert figure.alt
            assert figure.caption
            assert figure.image.startswith(b"<?xml")


def test_errors_by_step(evaluation, sections):
    facts = sections["error_by_step"].facts
    error = evaluation.outputs["prediction"] - evaluation.outputs["target"]
    np.testing.assert_allclose(facts["the model"], (error**2).mean(axis=(0, 2)))
    assert list(facts) == ["the model", "no change", "mean"]
    assert np.mean(facts["the model"]) == pytest.approx(evaluation.estimates["MSE"].value)
    assert "below that of no change, the best baseline, at 4 of 4 steps" in sections["error_by_step"].text


def test_errors_over_time(evaluation, sections):
    facts = sections["error_over_time"].facts
    assert facts["forecasts"].tolist() == [6] * 20
    assert facts["from"][0] == "1970-01-01 00:00"
    squares = ((evaluation.outputs["prediction"] - evaluation.outputs["target"]) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(facts["errors"]["the model"], squares.reshape(20, 6).mean(axis=1))
    assert "in 20 of them" in sections["error_over_time"].text


def test_blocks_have_equally_many_times_whatever_the_order():
    times = np.repeat(np.arange(50) * DAY, 3)
    order = np.random.default_rng(0).permutation(150)
    place, starts = blocks_of_time(times[order])
    assert len(starts) == 20
    assert (np.diff(starts) > 0).all()
    back = np.empty(150, dtype=int)
    back[order] = place
    assert (np.diff(back) >= 0).all()
    assert set(np.bincount(place)) <= {6, 9}
    assert blocks_of_time(np.array([5]))[0].tolist() == [0]


def test_coverage_against_what_is_promised(evaluation, sections):
    facts, of = sections["intervals"].facts, evaluation.outputs
    within = (of["lower"] <= of["target"]) & (of["target"] <= of["upper"])
    assert facts["nominal"] == evaluation.task.level == 0.8
    np.testing.assert_allclose(facts["by_step"], within.mean(axis=(0, 2)))
    assert facts["by_target"]["target 1"] == pytest.approx(within[..., 1].mean())
    np.testing.assert_allclose(facts["width_by_step"], 2)
    assert "which promise 80 %" in sections["intervals"].text


def test_diebold_mariano_of_each_baseline(evaluation, sections):
    tests = {(one["baseline"], one["metric"]): one for one in sections["diebold_mariano"].facts["tests"]}
    assert set(tests) == {(name, metric) for name in ("no change", "mean") for metric in ("MSE", "MAE")}
    for one in evaluation.comparisons:
        assert tests[one.baseline, one.metric]["p_value"] == one.tests[0].p_value
        assert tests[one.baseline, one.metric]["mean"] == pytest.approx(one.difference.value)
    assert len(sections["diebold_mariano"].grids[0].rows) == 4


def test_windows_are_the_best_the_middle_the_worst_and_the_first(sections):
    assert chosen_windows(np.array([3.0, 1, 2, 9, 0])) == {"best": 4, "median": 2, "worst": 3, "first": 0}
    assert chosen_windows(np.array([3.0])) == {"best": 0, "median": 0, "worst": 0, "first": 0}
    assert sections["forecasts"].facts["windows"]["first"] == "walk@1970-01-01"


@pytest.mark.parametrize("days", [20, 45, 62, 100, 400])
def test_dates_below_a_forecast_are_apart(days):
    """Ticks are evenly spaced (months as evenly as they are), also where one month ends and another begins."""
    with canvas(7.6, 2.8) as drawn:
        axes = drawn.subplots()
        start = np.datetime64("2025-03-17", "ns")
        axes.plot(start + np.arange(days) * np.timedelta64(1, "D"), np.zeros(days))
        dates_below(axes)
        drawn.canvas.draw()
        gaps = np.diff(axes.get_xticks())
        labels = [label.get_text() for label in axes.get_xticklabels()]
    assert 2 <= len(gaps) <= 10
    assert gaps.min() > 0.85 * gaps.max()
    assert len(set(labels)) == len(labels)
    assert all(label.startswith(("2025-", "2026-")) for label in labels)


def test_a_forecast_that_only_repeats_is_said_to():
    forecasts = view(judged(skill=0.0, targets=1))
    section = echo_section(forecasts)
    assert "target 0: the forecast repeats the last value seen" in section.text
    assert section.facts["targets"][0]["repeats"] == "yes"
    assert "No evidence at 5 % that directions" in direction_section(forecasts, 0.05).text


def test_directions_are_tested_on_what_does_not_overlap(sections):
    facts = sections["direction"].facts
    assert facts["apart"] == 30
    assert facts["targets"][0]["trials"] == 30
    assert "30 of 120 forecasts" in sections["direction"].text
    assert (
        "Directions are foretold better than by chance at 5 %: target 0, target 1."
        in sections["direction"].text
    )


def test_one_step_has_no_error_by_step():
    sections = sections_of(judged(horizon=1))
    assert "error_by_step" not in sections
    assert len(sections["forecasts"].figures) == 1


def test_series_that_share_times_are_ranked_and_the_report_is_written(tmp_path):
    parts = [walk_outputs(60, 2, seed=seed, level="returns") for seed in range(5)]
    given = joined(*parts)
    series = np.repeat(["$A&B", "<b>", "c", "d", "e"], 60)
    evaluation = judge_forecasts(
        given | forecast_of(given, 0.4), {"zero": forecast_of(given, 0.0)}, level="returns", series=series
    )
    sections = sections_of(evaluation)
    assert (
        "The forecasts rank series better than by chance at 5 %: target 0."
        in sections["information_coefficient"].text
    )
    assert sections["information_coefficient"].facts["targets"][0]["count"] == 60
    assert "Of 5 series, $A&B is drawn along the split" in sections["forecasts"].text
    write_report(evaluation, list(sections.values()), {}, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<b>@1970" not in page
    json.loads((tmp_path / "report.json").read_text())


@pytest.mark.parametrize(
    ("count", "horizon", "level"), [(1, 1, "levels"), (1, 5, "returns"), (3, 5, "levels")]
)
def test_few_forecasts(count, horizon, level):
    sections = sections_of(judged(count, horizon, 1, level))
    assert "is not told" in sections["echo"].text
    assert {one["count"] for one in sections["diebold_mariano"].facts["tests"]} == {count}


def test_a_constant_target():
    given = walk_outputs(40, 3)
    given |= {
        "target": np.full((40, 3, 1), 5.0),
        "last": np.full((40, 1), 5.0),
        "naive_error": np.zeros((40, 1)),
    }
    same = {name: np.full((40, 3, 1), 5.0) for name in ("prediction", "lower", "upper")}
    evaluation = judge_forecasts(given | same, {"same": same})
    sections = sections_of(evaluation)
    assert sections["intervals"].facts["coverage"] == 1
    assert "is not told" in sections["echo"].text
    assert sections["direction"].facts["targets"][0]["trials"] == 0
    assert {one["p_value"] for one in sections["diebold_mariano"].facts["tests"]} == {1.0}
    assert {one.verdict for one in evaluation.comparisons} == {"no evidence that it beats"}


def test_many_targets_are_limited_and_it_is_said():
    sections = sections_of(judged(60, 2, 30))
    assert "Of 30 targets, the first 3 are drawn" in sections["forecasts"].text
    assert "of 30 targets the forecast repeats the last value seen. The first 12:" in sections["echo"].text
    assert len(sections["direction"].grids[0].rows) == 12
    assert "the first 12 of 30 targets" in sections["direction"].grids[0].caption
    assert "the first 12 of 30" in sections["intervals"].grids[1].caption
    assert len(sections["direction"].facts["targets"]) == 30
    assert len(sections["intervals"].facts["by_target"]) == 30


def test_a_long_split_is_drawn_in_part_and_it_is_said():
    sections = sections_of(judged(900, 1, 1))
    assert "Of 900 forecasts, the last 600 are drawn along the split." in sections["forecasts"].text
    assert sum(len(figure.image) for section in sections.values() for figure in section.figures) < 600_000


def test_without_baselines_there_is_nothing_to_compare_with():
    given = walk_outputs(50, 2)
    evaluation = judge_forecasts(given | forecast_of(given, 0.5))
    section = equal_accuracy_section(evaluation, view(evaluation))
    assert "no baseline with forecasts" in section.text
    assert section.grids == ()
    assert "best baseline" not in error_sections(view(evaluation))[0].text


def test_unbounded_forecasts_have_no_section_on_intervals():
    given = walk_outputs(50, 2)
    evaluation = judge_forecasts(given | forecast_of(given, 0.5, width=np.nan))
    assert interval_section(view(evaluation), 0.8) == []


def intervals_of(width, share=None):
    """The text on intervals of 80 % that are ``width`` wide on either side of forecasts that are off by up to 1."""
    target = np.linspace(-1, 1, 400).reshape(100, 2, 2)
    target[..., 1] *= 0.1  # the second target is nearly always hit
    given = {"prediction": np.zeros_like(target), "target": target}
    forecasts = SimpleNamespace(
        outputs=given | {"lower": np.full_like(target, -width), "upper": np.full_like(target, width)},
        scale=np.ones(2),
        times=np.arange(100),
        targets=("a", "b"),
    )
    return interval_section(forecasts, 0.8, share)[0].text


@pytest.mark.parametrize(
    ("width", "share", "told"),
    [
        (0.6, Estimate(0.8, 0.75, 0.85), "80.0 % (75.0 to 85.0) .* the promise is kept on average"),
        (
            0.3,
            Estimate(0.65, 0.6, 0.7),
            "65.0 % (60.0 to 70.0) .* not kept, .* 35.0 % of .* outside, where 20 % should",
        ),
        (0.9, Estimate(0.95, 0.9, 1.0), "95.0 % (90.0 to 100.0) .* more than kept"),
        (0.6, None, "80.0 % of the outcomes lie .* the promise is kept on average"),
        (0.3, None, "65.0 % of the outcomes lie .* the promise is not kept"),
        (0.3, Estimate(0.65, np.nan, np.nan), "65.0 % of the outcomes lie .* the promise is not kept"),
    ],
)
def test_the_text_on_intervals_follows_the_share(width, share, told):
    first = intervals_of(width, share).partition("\n")[0]
    assert re.match(told.replace("(", r"\(").replace(")", r"\)"), first), first


def test_targets_that_are_far_from_the_promise_are_named():
    told = "Far from the promised 80 % are the intervals of 'a' (30.0 %), 'b' (100.0 %): do not rely on them."
    assert told in intervals_of(0.3)
    assert "80 % are the intervals of 'b' (100.0 %):" in intervals_of(0.75)


def test_many_baselines_and_bad_ones_are_left_to_the_table_and_it_is_said():
    given = walk_outputs(30, 2)
    rivals = {f"rival {place}": forecast_of(given, place / 40, seed=place) for place in range(8)}
    rivals["absurd"] = {"prediction": np.full(given["target"].shape, 1e6)}
    section = error_sections(view(judge_forecasts(given | forecast_of(given, 0.5), rivals)))[0]
    assert "Baselines left to the table, as they do worse: 3." in section.figures[0].caption
    assert "absurd" not in section.figures[0].alt
    assert len(section.facts) == len(section.grids[0].head) - 1 == 10


def test_errors_in_the_targets_own_units(sections, evaluation):
    facts = sections["units"].facts
    for place, (name, of) in enumerate(facts.items()):
        apart = np.abs(evaluation.outputs["prediction"] - evaluation.outputs["target"])[..., place]
        assert of["MAE"]["the model"] == pytest.approx(apart.mean())
        assert sections["units"].grids[0].rows[place][0] in {name, f"log return of {name}"}
    assert "standard deviations of each target in the training part" in sections["units"].text
