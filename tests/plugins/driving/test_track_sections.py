"""What the report on predicted tracks shows, against means taken by other ways."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from fivefold.config import EvaluationConfig
from fivefold.data.table import Array
from fivefold.evaluation.document import plain
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.judge import judge
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.report import write_report
from fivefold.tasks.base import Task
from fivefold_driving.predict import sections as module
from fivefold_driving.predict.baselines import ConstantVelocity, ConstantVelocityWithNoise, LinearFit
from fivefold_driving.predict.groups import group_estimates, groupings, speeds, turns
from fivefold_driving.predict.metrics import best_errors, judged, single_errors, track_metrics
from fivefold_driving.predict.sections import MEAN, SHOWN, scene_section, track_sections
from plugins.driving.windowed_tracks import Windows, walks

NAN = float("nan")
KEYS = ["scenes", "error_over_time", "kinds", "examples", "crowded_window"]


class Tracks(Task):
    def __init__(self, samples: int) -> None:
        super().__init__()
        self.samples = samples

    def metrics(self) -> tuple[Metric, ...]:
        return track_metrics(self.samples)


def evaluated(
    samples: int = 4, windows: int = 40, units: Array | None = None, lookback: int = 3
) -> Evaluation:
    """Constant velocity with drawn directions as the model, against either alone; without, the line."""
    units = np.array([f"block {row // 3}" for row in range(windows)]) if units is None else units
    data = Windows(walks(windows, agents=6, seed=1), lookback=lookback, units=units)
    target = data.everything()["target"].numpy().copy()
    drawn = ConstantVelocityWithNoise(samples).predict(data) if samples > 1 else {}
    model = (ConstantVelocity() if drawn else LinearFit()).predict(data) | drawn
    rivals = (ConstantVelocity(), ConstantVelocityWithNoise(samples, degrees=60, seed=5))
    return judge(
        task=Tracks(samples),
        facts=data.facts,
        outputs={**model, "target": target},
        samples=data,
        split="test",
        baseline_outputs={one.name: one.predict(data) for one in rivals},
        findings=(),
        config=EvaluationConfig(resamples=100),
        seed=0,
    )


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluated()


@pytest.fixture(scope="module")
def scenes(evaluation) -> Array:
    return np.array(["square", "street", "square", "station"] * 10)


@pytest.fixture(scope="module")
def sections(evaluation, scenes):
    return {one.key: one for one in track_sections(evaluation, scenes)}


def scenes_of(evaluation, scenes):
    predictors = {"Model": evaluation.outputs, **evaluation.baseline_outputs}
    return scene_section(
        evaluation,
        scenes,
        predictors,
        {name: single_errors(of) for name, of in predictors.items() if "single" in of},
    )


def test_all_sections_are_whole(sections):
    assert list(sections) == KEYS
    for section in sections.values():
        json.dumps(plain(section.facts), allow_nan=False)
        for grid in section.grids:
            assert grid.rows
            assert {len(row) for row in grid.rows} == {len(grid.head)}
        for figure in (*section.figures, *section.gallery):
            assert figure.alt
            assert figure.caption


def test_each_scene_and_both_means(evaluation, scenes, sections):
    single, best, joint = sections["scenes"].grids
    head = ("Scene", "Agents", "Scene blocks", "Model", "95 % interval of ADE")
    assert single.head == (*head, "constant velocity")
    assert [row[0] for row in single.rows] == ["square", "station", "street", MEAN, "Mean over agents"]
    assert best.caption == "Best of 4, per agent: minADE4 per agent / minFDE4 per agent"
    # One sample has no best of four.
    assert best.head == (*head[:4], "95 % interval of minADE4 per agent", "constant velocity, 4 directions")
    assert joint.caption == "Best of 4, joint: minADE4 joint / minFDE4 joint"
    among = judged(evaluation.outputs)
    errors = {**single_errors(evaluation.outputs), **best_errors(evaluation.outputs, 4)}
    values = sections["scenes"].facts["values"]["Model"]
    for name, of in errors.items():
        means = {scene: np.nanmean(of[scenes == scene]) for scene in ("square", "station", "street")}
        assert values[name] == pytest.approx({**means, MEAN: np.mean(list(means.values()))})
    for row in single.rows[:3]:
        assert row[1] == among[scenes == row[0]].sum() == sections["scenes"].facts["agents"][row[0]]
        assert row[2] == len(np.unique(evaluation.units[scenes == row[0]]))
        assert row[3] == f"{values['ADE'][row[0]]:.2f} / {values['FDE'][row[0]]:.2f}"
    assert single.rows[3][3] == f"{values['ADE'][MEAN]:.2f} / {values['FDE'][MEAN]:.2f}"
    # The mean over agents is what the metrics give, with the same interval.
    ade, fde = evaluation.estimates["ADE"], evaluation.estimates["FDE"]
    assert single.rows[4][3] == f"{ade.value:.2f} / {fde.value:.2f}"
    assert single.rows[4][4] == f"{ade.low:.2f} to {ade.high:.2f}"
    names = ("minADE4 joint", "minFDE4 joint")
    assert joint.rows[4][3] == " / ".join(f"{evaluation.estimates[name].value:.2f}" for name in names)


def test_one_scene_has_no_means(evaluation):
    section = scenes_of(evaluation, np.array(["street"] * 40))
    assert [row[0] for row in section.grids[0].rows] == ["street"]


def test_without_samples_there_is_no_best_of_them():
    evaluation = evaluated(samples=1)
    section = scenes_of(evaluation, np.array(["street"] * 40))
    assert [grid.caption for grid in section.grids] == ["Single prediction: ADE / FDE"]
    assert "best of several" not in section.text


def test_how_often_true_tracks_touch(sections):
    assert "of their true tracks" in sections["scenes"].text


def test_one_unit_has_no_interval(scenes):
    evaluation = evaluated(units=np.array(["all"] * 40))
    rows = scenes_of(evaluation, scenes).grids[0].rows
    assert {row[4] for row in rows} == {"\N{EN DASH}"}


def test_kinds_part_the_judged_agents(evaluation, sections):
    everyone = int(judged(evaluation.outputs).sum())
    for way, grid in zip(groupings(evaluation.outputs, 0.4), sections["kinds"].grids, strict=True):
        assert np.stack(list(way.groups.values())).sum(axis=0).max() == 1
        rows = sections["kinds"].facts[way.key]
        assert sum(row["agents"] for row in rows) == everyone
        mean = sum(row["agents"] * row["ADE"]["value"] for row in rows) / everyone
        assert mean == pytest.approx(evaluation.estimates["ADE"].value)
        rival = single_errors(evaluation.baseline_outputs["constant velocity"])
        for (name, members), row, cells in zip(way.groups.items(), rows, grid.rows, strict=True):
            assert row["group"] == cells[0] == name
            assert row["FDE"] == pytest.approx(single_errors(evaluation.outputs)["FDE"][members].mean())
            expected = {metric: rival[metric][members].mean() for metric in ("ADE", "FDE")}
            assert row["baselines"]["constant velocity"] == pytest.approx(expected)
            # From one unit no interval can be had.
            alone = cells[2] == 1 and np.isnan(row["ADE"]["low"])
            assert alone or row["ADE"]["low"] <= row["ADE"]["value"] <= row["ADE"]["high"]


def outputs_of(*agents: tuple[Array, Array]) -> dict[str, Array]:
    """One window of agents given as seen and true positions."""
    return {
        "seen": np.array([[seen for seen, _ in agents]], dtype=np.float32),
        "target": np.array([[target for _, target in agents]], dtype=np.float32),
    }


def line(start, step, count):
    return np.array(start, dtype=float) + np.outer(np.arange(count), step)


def test_speeds_and_turns_by_hand():
    outputs = outputs_of(
        (line((0, 0), (0.5, 0), 3), line((1.5, 0), (0.5, 0), 2)),  # straight on, 1 m/s
        (line((0, 0), (0, 1), 3), line((1, 2), (1, 0), 2)),  # a right angle, 2 m/s
        (line((0, 0), (1, 0), 3), line((1, 0), (-1, 0), 2)),  # turns back
        (line((0, 0), (0.01, 0), 3), line((1, 0), (1, 0), 2)),  # starts from rest
        (line((0, 0), (1, 0), 3), line((2, 0), (0.01, 0), 2)),  # comes to rest
        (line((0, 0), (1, 0), 3), np.full((2, 2), NAN)),  # is gone
    )
    np.testing.assert_allclose(speeds(outputs, 0.5)[0], [1, 2, 2, 0.02, 2, 2], rtol=1e-5)
    np.testing.assert_allclose(turns(outputs, 0.5)[0], [0, 90, 180, NAN, NAN, NAN], atol=1e-4)
    speed, density, turning = (way.groups for way in groupings(outputs, 0.5))
    assert speed["standing (below 0.2 m/s)"].tolist() == [[False, False, False, True, False, False]]
    # The agent without a future is around, but not judged.
    assert {name: int(members.sum()) for name, members in density.items()} == {"5 to 9": 5}
    assert {name: np.flatnonzero(members[0]).tolist() for name, members in turning.items()} == {
        "straight on (up to 15°)": [0],
        "turning (45° or more)": [1, 2],
        "no direction (below 0.2 m/s before or after)": [3, 4],
    }


def test_thirds_of_the_moving_are_of_like_size():
    agents = [(line((0, 0), (0.1 * step, 0), 3), line((0, 0), (1, 0), 2)) for step in range(1, 10)]
    speed = groupings(outputs_of(*agents), 0.1)[0].groups
    assert [int(members.sum()) for members in speed.values()] == [3, 3, 3]
    assert next(iter(speed)) == "slowest third of the moving (1.000 to 3.667 m/s)"


def test_all_standing():
    way = groupings(outputs_of((line((0, 0), (0, 0), 3), line((0, 0), (0, 0), 2))), 0.5)[0]
    assert list(way.groups) == ["standing (below 0.2 m/s)"]


def test_group_estimates_as_by_hand(evaluation):
    values = single_errors(evaluation.outputs)["ADE"]
    among = judged(evaluation.outputs)
    halves = [among & (np.arange(40) < 20)[:, None], among & (np.arange(40) >= 20)[:, None]]
    found = group_estimates(evaluation, values, halves, averaged=True)
    means = [np.nanmean(values[:20]), np.nanmean(values[20:])]
    assert [one.value for one in found] == pytest.approx([*means, np.mean(means)])
    (whole,) = group_estimates(evaluation, values, [among])
    assert vars(whole) == pytest.approx(vars(evaluation.estimates["ADE"]))


def test_examples_are_the_worst_and_the_usual_of_different_units(evaluation, sections):
    ade = single_errors(evaluation.outputs)["ADE"]
    section = sections["examples"]
    assert len(section.gallery) == 2 * SHOWN
    rows = {name: row for row, name in enumerate(evaluation.ids)}
    for kind in ("worst", "usual"):
        places = [(rows[one["sample"]], one["agent"]) for one in section.facts[kind]]
        assert len({evaluation.units[window] for window, _ in places}) == SHOWN
        for window, agent in places:
            assert np.isfinite(ade[window, agent])
    worst = [ade[rows[one["sample"]], one["agent"]] for one in section.facts["worst"]]
    assert worst[0] == np.nanmax(ade)
    assert worst == sorted(worst, reverse=True)
    usual = [
        abs(ade[rows[one["sample"]], one["agent"]] - np.nanmedian(ade)) for one in section.facts["usual"]
    ]
    assert usual[0] == np.nanmin(abs(ade - np.nanmedian(ade)))
    assert f"ADE {worst[0]:.2f} m" in section.gallery[0].caption


def test_the_crowded_window_has_the_most_judged_agents(evaluation, sections):
    most = judged(evaluation.outputs).sum(axis=1)
    facts = sections["crowded_window"].facts
    assert facts == {"sample": evaluation.ids[most.argmax()], "judged": most.max()}


def test_maps_are_moved_to_the_origin_of_a_window(evaluation, scenes, monkeypatch):
    """The same map, told in its own metres or in those of the windows, is drawn alike."""
    monkeypatch.setattr(module, "SHOWN", 1)
    line_at_home = np.array([[-3.0, -3.0], [3.0, 3.0]])
    maps = {name: [line_at_home] for name in np.unique(scenes)}
    shifted = {name: [line_at_home + np.array([100.0, 50.0])] for name in maps}
    plainly = track_sections(evaluation, scenes, maps)
    moved = track_sections(evaluation, scenes, shifted, np.tile([100.0, 50.0], (40, 1)))
    without = track_sections(evaluation, scenes)
    for place in (3, 4):
        pictures = [
            [one.image for one in (*found[place].gallery, *found[place].figures)]
            for found in (plainly, moved, without)
        ]
        assert pictures[0] == pictures[1]
        assert pictures[0] != pictures[2]


def test_predictions_that_are_no_numbers_are_reported(evaluation, scenes, tmp_path):
    broken = {name: of.copy() for name, of in evaluation.outputs.items()}
    broken["single"][3] = NAN
    found = replace(evaluation, outputs=broken)
    sections = track_sections(found, scenes)
    assert sections[0].grids[0].rows[1][3] == "nan / nan"
    assert "scene@3" not in [one["sample"] for one in sections[3].facts["worst"]]
    write_report(found, sections, {}, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))


def test_drawn_alike_twice(evaluation, scenes, sections):
    again = {one.key: one for one in track_sections(evaluation, scenes)}
    for key, section in sections.items():
        assert [one.image for one in (*section.figures, *section.gallery)] == [
            one.image for one in (*again[key].figures, *again[key].gallery)
        ]


def test_written_as_a_report(evaluation, sections, tmp_path):
    write_report(evaluation, list(sections.values()), {}, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/gif;base64,R0lGOD") == 1
    assert page.count("data:image/png;base64,") == 2 * SHOWN
    judgement = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(judgement["sections"]) == set(KEYS)
