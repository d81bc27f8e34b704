"""What the tasks' own sections show."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from fivefold.config import EvaluationConfig
from fivefold.evaluation.calibration import softmax
from fivefold.evaluation.classification_sections import calibration_section
from fivefold.evaluation.curves import curves_section, points
from fivefold.evaluation.figures import MANY_POINTS

from .judged import class_outputs, judge_classes, judge_numbers


def sections_of(evaluation):
    return {section.key: section for section in evaluation.task.sections(evaluation, evaluation.facts)}


def drawn(figure):
    """The words of an SVG."""
    root = ET.fromstring(figure.image)  # noqa: S314 - our own
    return ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]


def test_classes_are_listed_weakest_first():
    outputs = class_outputs(skill=2.0)
    outputs["probabilities"] = np.where(
        outputs["target"][:, None] == 1, [0.8, 0.1, 0.1], outputs["probabilities"]
    )
    rows = sections_of(judge_classes(outputs))["classes"].grids[0].rows
    assert rows[0][0] == "dog"
    assert sum(row[4] for row in rows) == 300


def test_a_class_that_does_not_occur_has_dashes():
    outputs = {"probabilities": np.tile([0.6, 0.3, 0.1], (10, 1)), "target": np.arange(10) % 2}
    section = sections_of(judge_classes(outputs))["classes"]
    assert section.grids[0].rows[-1] == ("owl", "–", "–", "–", 0)  # noqa: RUF001 - a dash in a table


def test_the_matrix_is_drawn_with_its_counts_and_names():
    outputs = class_outputs(skill=2.0)
    section = sections_of(judge_classes(outputs, classes=("cat", "$5 dog", "a very long name of an owl")))[
        "confusion"
    ]
    words = drawn(section.figures[0])
    assert "$5 dog" in words
    assert "a very long name …" in words
    assert str(section.facts["matrix"][0][0]) in words
    assert section.grids[0].rows[0][2] == max(
        count
        for row, line in enumerate(section.facts["matrix"])
        for column, count in enumerate(line)
        if row != column
    )


def test_many_classes_have_a_table_and_no_matrix():
    names = [f"class {code}" for code in range(41)]
    section = sections_of(judge_classes(class_outputs(classes=41), classes=names))["confusion"]
    assert section.figures == ()
    assert section.grids


def test_a_perfect_model_has_no_mistakes_to_show():
    sections = sections_of(judge_classes(class_outputs(skill=50.0)))
    assert sections["confusion"].grids == sections["mistakes"].grids == sections["label_errors"].grids == ()
    assert sections["mistakes"].text == "No sample was classified wrongly."


def test_mistakes_are_listed_surest_first():
    rows = sections_of(judge_classes(class_outputs(skill=1.0)))["mistakes"].grids[0].rows
    shares = [float(row[3].removesuffix(" %")) for row in rows]
    assert shares == sorted(shares, reverse=True)
    assert all(row[1] != row[2] for row in rows)
    assert rows[0][0].startswith("sample ")


def test_calibration_without_logits_shows_one_curve():
    outputs = class_outputs()
    del outputs["logits"]
    section = sections_of(judge_classes(outputs))["calibration"]
    assert section.facts["calibration_error_before"] is None
    assert "before" not in section.text
    assert "before scaling" not in drawn(section.figures[0])


@pytest.mark.parametrize("shape", [(60,), (MANY_POINTS, 6)])
def test_regression_shows_predictions_residuals_and_the_worst(shape):
    generator = np.random.default_rng(0)
    target = generator.normal(size=shape)
    prediction = target.reshape(len(target), -1) + 0.1
    prediction[7] += 5
    sections = sections_of(judge_numbers({"target": target, "prediction": prediction}))
    assert set(sections) == {"predictions", "residuals", "largest_errors"}
    assert sections["largest_errors"].facts["samples"][0] == "sample 7"
    # Many points are one picture inside the drawing, so that its size stays bounded.
    assert len(sections["predictions"].figures[0].image) < 200_000
    assert "Actual" in drawn(sections["predictions"].figures[0])


def test_calibration_tells_both_measures_before_and_after():
    outputs = class_outputs(skill=2.0)
    section = sections_of(judge_classes(outputs))["calibration"]
    assert section.facts["log_loss"] == section.facts["log_loss_before"] > 0
    assert f"the log loss {section.facts['log_loss']:.3f}; before scaling they were" in section.text
    assert "worse" not in section.text
    assert "bound" not in section.text


def test_scaling_that_spoils_probabilities_is_said_to():
    outputs = class_outputs(skill=2.0)
    outputs["probabilities"] = softmax(outputs["logits"], 0.05)
    evaluation = judge_classes(outputs)
    section = calibration_section(evaluation, 0.05)
    assert section.facts["log_loss"] > section.facts["log_loss_before"]
    assert "Scaling made the log loss worse on test than the network's own probabilities." in section.text
    assert "The temperature met its bound (1/20 to 20)" in section.text
    assert section.facts["at_bound"]


@pytest.mark.parametrize("skill", [0.0, 4.0])
def test_label_errors_are_not_looked_for_by_a_model_that_beats_nothing(skill):
    outputs = class_outputs(skill=skill)
    outputs["target"] = outputs["target"].copy()
    outputs["target"][:5] = (outputs["target"][:5] + 1) % 3
    rivals = {"weak": class_outputs(skill=0.5, seed=3), "strong": class_outputs(skill=9.0, seed=4)}
    section = sections_of(judge_classes(outputs, baselines=rivals))["label_errors"]
    if skill:
        assert section.facts["count"] > 0
        assert section.grids
    else:
        assert section.text.startswith("Not looked for: the model beats no baseline on accuracy")
        assert (section.facts, section.grids) == ({"count": None, "samples": []}, ())


def test_values_near_each_other_are_written_out_at_an_axis():
    records = [
        {"split": "val", "epoch": float(epoch), "AUROC": 1 - 1e-4 * (epoch % 2)} for epoch in range(1, 6)
    ]
    section = curves_section(records, judge_classes().metrics)
    assert section is not None
    words = drawn(section.figures[0])
    assert any(word.startswith("0.9999") for word in words)
    assert not any(word.startswith("+1") for word in words)


def test_curves_show_what_was_recorded():
    records = [
        {"split": "train", "epoch": 0.5, "loss": 2.0, "lr": 0.1},
        {"split": "train", "epoch": 1.0, "loss": 1.0, "lr": 0.2},
        {"split": "val", "epoch": 1.0, "loss": 1.5, "accuracy": 0.5},
        {"split": "val", "epoch": 2.0, "loss": 1.2, "accuracy": 0.75},
        {"split": "val", "step": 3},
        {"split": "val", "epoch": 3.0, "loss": None},
    ]
    section = curves_section(records, judge_classes().metrics)
    assert section is not None
    assert [figure.caption for figure in section.figures] == [
        "Loss by epoch.",
        "Accuracy on the validation split by epoch.",
        "Learning rate by epoch.",
    ]
    assert section.figures[1].alt.endswith("Validation from 50 to 75.")
    assert points(records, "val", "loss") == [(1.0, 1.5), (2.0, 1.2)]


def test_no_records_give_no_curves():
    assert curves_section([], judge_classes().metrics) is None
    assert EvaluationConfig().level == 0.95
