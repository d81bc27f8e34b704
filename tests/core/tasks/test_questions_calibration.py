"""Yes/no questions: probabilities, their calibration, and thresholds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from torch import nn

from fivefold.evaluation.calibration import fit_temperature
from fivefold.evaluation.operating_point import operating_point
from fivefold.evaluation.platt import fit_platt
from fivefold.evaluation.recalibration import recalibration
from fivefold.tasks.questions import Questions

from .asked_questions import FORMS, NAN, asked, batch, drawn

# Probabilities


@pytest.mark.parametrize("form", FORMS)
def test_what_is_exported_gives_the_probabilities_of_predict(form):
    task = asked(form)
    task.calibrate(drawn(form))
    given_batch = batch(form)
    outputs = task.predict(given_batch)
    exported = task(given_batch["input"])
    chances = exported.softmax(dim=1) if form == "exclusive" else exported.sigmoid()
    torch.testing.assert_close(chances, outputs["probabilities"])
    torch.testing.assert_close(outputs["logits"], task.logits(given_batch["input"]))
    assert outputs["target"] is given_batch["target"]
    assert "target" not in task.predict({"input": given_batch["input"]})


@given(
    rows=st.lists(
        st.tuples(*[st.floats(-200, 200, width=32, allow_subnormal=False)] * 3), min_size=1, max_size=9
    ),
    calibrated=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_chances_never_rise_from_grade_to_grade(rows, calibrated):
    task = asked("ordered")
    if calibrated:
        task.calibrate(drawn("ordered"))
        assert float(task.scale[0]) != 1.0
    chances = task.predict({"input": torch.tensor(rows)})["probabilities"].numpy()
    assert (np.diff(chances, axis=1) <= 0).all()
    assert ((chances >= 0) & (chances <= 1)).all()


@given(rows=st.lists(st.tuples(*[st.floats(-200, 200, width=32)] * 3), min_size=1, max_size=9))
@settings(max_examples=40, deadline=None)
def test_chances_of_classes_sum_to_one(rows):
    task = asked("exclusive")
    task.scale.fill_(0.37)
    chances = task.predict({"input": torch.tensor(rows)})["probabilities"].numpy()
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)


def test_a_single_grade_needs_no_order():
    task = Questions(nn.Identity(), ["ill"], form="ordered", classes=("well", "ill"))
    inputs = torch.tensor([[-2.0], [3.0]])
    torch.testing.assert_close(task.predict({"input": inputs})["probabilities"], inputs.sigmoid())


def test_a_network_may_read_several_inputs():
    class Sum(nn.Module):
        def forward(self, image, age):
            return image + age

    task = asked(network=Sum(), input=("image", "age"))
    image, age = torch.zeros(2, 3), torch.ones(2, 1)
    torch.testing.assert_close(task.predict({"image": image, "age": age})["logits"], torch.ones(2, 3))
    torch.testing.assert_close(task(image, age), torch.ones(2, 3))


# Calibration


def test_each_question_gets_a_scale_and_shift_of_its_own():
    outputs = drawn(slope=0.5, shift=0.7)
    outputs["logits"][:, 1] *= 2
    task = asked()
    task.calibrate(outputs)
    for question in range(3):
        scale, shift = fit_platt(outputs["logits"][:, question], outputs["target"][:, question])
        assert float(task.scale[question]) == pytest.approx(scale, rel=1e-5)
        assert float(task.shift[question]) == pytest.approx(shift, rel=1e-5)
    assert float(task.scale[0]) == pytest.approx(0.5, abs=0.12)
    assert float(task.scale[1]) == pytest.approx(0.25, abs=0.06)
    assert float(task.shift[0]) == pytest.approx(0.7, abs=0.3)


def test_calibrated_probabilities_need_no_calibration():
    outputs = drawn()
    task = asked()
    task.calibrate(outputs)
    chances = task.predict({"input": torch.from_numpy(outputs["logits"])})["probabilities"].double().numpy()
    again = recalibration(chances[:, 0], outputs["target"][:, 0])
    # Up to the prior, which pulls the scale from 0.5 towards 1 by some hundredths of it.
    assert again.slope == pytest.approx(1, abs=0.05)
    assert again.intercept == pytest.approx(0, abs=0.05)


def test_grades_share_one_scale_and_shift():
    outputs = drawn("ordered")
    outputs["target"][::7] = NAN
    task = asked("ordered")
    task.calibrate(outputs)
    scale, shift = fit_platt(outputs["logits"].ravel(), outputs["target"].ravel())
    torch.testing.assert_close(task.scale, torch.full((3,), scale))
    torch.testing.assert_close(task.shift, torch.full((3,), shift))


def test_classes_get_a_temperature():
    outputs = drawn("exclusive", slope=0.5)
    task = asked("exclusive")
    task.calibrate(outputs)
    temperature = fit_temperature(outputs["logits"], outputs["target"].argmax(axis=1))
    assert temperature == pytest.approx(2, rel=0.15)
    torch.testing.assert_close(task.scale, torch.full((3,), 1 / temperature))
    torch.testing.assert_close(task.shift, torch.zeros(3))


def test_samples_whose_class_is_not_known_do_not_move_the_temperature():
    outputs = drawn("exclusive")
    plain, task = asked("exclusive"), asked("exclusive")
    plain.calibrate(outputs)
    unknown = {
        "logits": np.concatenate([outputs["logits"], np.full((300, 3), [-9.0, 0.0, 9.0], np.float32)]),
        "target": np.concatenate([outputs["target"], np.full((300, 3), np.nan, np.float32)]),
    }
    task.calibrate(unknown)
    torch.testing.assert_close(task.scale, plain.scale)
    torch.testing.assert_close(task.threshold, plain.threshold)


@pytest.mark.parametrize("truth", [[NAN, NAN, NAN, NAN], [1.0, 1.0, 1.0, NAN]], ids=["no answer", "yes only"])
def test_a_question_without_a_no_stays_as_it_was(truth):
    outputs = drawn(count=4)
    outputs["target"][:, 1] = truth
    task = asked()
    task.calibrate(outputs)
    assert (float(task.scale[1]), float(task.shift[1]), float(task.threshold[1])) == (1.0, 0.0, 0.5)


def test_a_question_without_a_yes_keeps_its_chances_and_gets_a_threshold():
    outputs = drawn()
    outputs["target"][:, 1] = 0.0
    task = asked()
    task.calibrate(outputs)
    assert (float(task.scale[1]), float(task.shift[1])) == (1.0, 0.0)
    assert float(task.scale[0]) != 1.0
    chances = special.expit(outputs["logits"][:, 1])
    assert (chances < float(task.threshold[1])).mean() >= 0.9


@pytest.mark.parametrize("form", FORMS)
def test_answers_that_a_threshold_parts_do_not_make_chances_extreme(form):
    logits = np.array([[2.0, -1.0, -2.0], [-1.0, 2.0, -2.0], [-2.0, -1.0, 2.0]] * 5, np.float32)
    target = (logits > 0).astype(np.float32)
    task = asked(form)
    task.calibrate({"logits": logits, "target": target})
    assert ((task.scale > 0.5) & (task.scale < 2.5)).all()
    chances = task.predict({"input": torch.from_numpy(logits)})["probabilities"].numpy()
    assert chances.max() < 0.999
    assert chances.min() > 1e-5


def test_logits_that_point_the_wrong_way_are_not_turned_round():
    outputs = drawn()
    outputs["logits"][:, 2] *= -1
    task = asked()
    task.calibrate(outputs)
    assert (float(task.scale[2]), float(task.shift[2])) == (1.0, 0.0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("specificity", [0.8, 0.95])
def test_thresholds_reach_the_specificity_with_calibrated_probabilities(form, specificity):
    outputs = drawn(form)
    outputs["target"][::9] = NAN
    task = asked(form, specificity=specificity)
    task.calibrate(outputs)
    scaled = task.scale * torch.from_numpy(outputs["logits"]) + task.shift
    chances = (scaled.softmax(dim=1) if form == "exclusive" else scaled.sigmoid()).numpy()
    for question in range(3):
        scores, truth = chances[:, question], outputs["target"][:, question]
        threshold = float(task.threshold[question])
        assert operating_point(scores, truth, threshold).specificity >= specificity
        known = scores[~np.isnan(truth)]
        lower = known[known < threshold].max()
        assert operating_point(scores, truth, lower).specificity < specificity
        assert threshold in known  # a calibrated chance that occurs, not a raw one
