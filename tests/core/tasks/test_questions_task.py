"""Yes/no questions: loss, records in the user's words, refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import ConfigError, DataError
from fivefold.tasks.questions import Questions

from .asked_questions import FORMS, GRADES, NAN, SIGNS, asked, batch, drawn, facts_of, outputs_of

# The loss


def test_by_hand():
    task = Questions(nn.Identity(), ["cough", "fever"])
    given_batch = {
        "input": torch.tensor([[0.0, np.log(3)]]),  # chances 1/2 and 3/4
        "target": torch.tensor([[1.0, 0.0]]),
    }
    loss = task.loss(given_batch, "main")
    assert float(loss.value) == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert float(loss.weight) == 2


@pytest.mark.parametrize("unknown", [False, True])
def test_independent_questions_cost_binary_cross_entropy_of_what_is_known(unknown):
    given_batch = batch(unknown=unknown)
    loss = asked().loss(given_batch, "main")
    known = ~given_batch["target"].isnan()
    expected = F.binary_cross_entropy_with_logits(given_batch["input"][known], given_batch["target"][known])
    torch.testing.assert_close(loss.value, expected)
    assert int(loss.weight) == int(known.sum())


@pytest.mark.parametrize("unknown", [False, True])
def test_exclusive_classes_cost_cross_entropy_of_the_samples_that_are_known(unknown):
    given_batch = batch("exclusive", unknown=unknown)
    loss = asked("exclusive").loss(given_batch, "main")
    known = ~given_batch["target"].isnan().any(dim=1)
    expected = F.cross_entropy(given_batch["input"][known], given_batch["target"][known].argmax(dim=1))
    torch.testing.assert_close(loss.value, expected)
    assert int(loss.weight) == int(known.sum())


@pytest.mark.parametrize("unknown", [False, True])
def test_grades_cost_binary_cross_entropy_of_descending_logits(unknown):
    given_batch = batch("ordered", unknown=unknown)
    raw = given_batch["input"]
    second = raw[:, 0] - torch.log1p(raw[:, 1].exp())
    logits = torch.stack([raw[:, 0], second, second - torch.log1p(raw[:, 2].exp())], dim=1)
    known = ~given_batch["target"].isnan()
    expected = F.binary_cross_entropy_with_logits(logits[known], given_batch["target"][known])
    torch.testing.assert_close(asked("ordered").loss(given_batch, "main").value, expected)


def test_balanced_weights_are_those_of_torch():
    task, given_batch = asked(class_weights=True), batch(unknown=True)
    yes, known = torch.tensor([3.0, 10.0, 6.0]), torch.tensor([12.0, 11.0, 12.0])
    task.prepare(facts_of(yes.int().tolist(), known.int().tolist()))
    torch.testing.assert_close(task.weight_yes, known / (2 * yes))
    torch.testing.assert_close(task.weight_no, known / (2 * (known - yes)))
    torch.testing.assert_close(task.weight_yes * yes, task.weight_no * (known - yes))  # both count alike
    target = given_batch["target"]
    each = F.binary_cross_entropy_with_logits(
        given_batch["input"],
        target.nan_to_num(),
        weight=torch.where(target == 1, task.weight_yes, task.weight_no) * ~target.isnan(),
        reduction="sum",
    )
    torch.testing.assert_close(task.loss(given_batch, "main").value, each / (~target.isnan()).sum())


def test_balanced_classes_count_alike():
    task, given_batch = asked("exclusive", class_weights=True), batch("exclusive")
    task.prepare(facts_of([2, 4, 6], [12, 12, 12]))
    torch.testing.assert_close(task.weight_yes, torch.tensor([2.0, 1.0, 2 / 3]))
    codes = given_batch["target"].argmax(dim=1)
    each = F.cross_entropy(given_batch["input"], codes, weight=task.weight_yes, reduction="none")
    torch.testing.assert_close(task.loss(given_batch, "main").value, each.mean())


def test_without_balance_the_counts_are_not_read():
    task = asked()
    task.prepare(TensorDataset({"input": torch.zeros(1, 3)}, facts=Facts(), ids=np.arange(1)))
    torch.testing.assert_close(task.weight_yes, torch.ones(3))


@pytest.mark.parametrize("yes", [[0, 4, 4], [12, 4, 4]])
def test_balanced_weights_need_both_answers(yes):
    with pytest.raises(
        DataError, match="found only one of them for cough; add samples, drop the question, or switch"
    ):
        asked(class_weights=True).prepare(facts_of(yes, [12, 12, 12]))


def test_all_questions_without_both_answers_are_named():
    with pytest.raises(DataError, match="only one of them for cough, rash; add"):
        asked(class_weights=True).prepare(facts_of([0, 4, 0], [0, 12, 12]))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("focal", [0.5, 2.0])
def test_the_focal_loss_is_that_of_lin_et_al(form, focal):
    given_batch = batch(form, unknown=True)
    logits, target = asked(form).logits(given_batch["input"]).double(), given_batch["target"].double()
    known = ~target.isnan()
    if form == "exclusive":
        chance = (logits.softmax(dim=1) * target).sum(dim=1)[known.all(dim=1)]
    else:
        chance = torch.where(target == 1, logits.sigmoid(), 1 - logits.sigmoid())[known]
    expected = (-((1 - chance) ** focal) * chance.log()).mean()
    found = asked(form, focal=focal).loss(given_batch, "main").value
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("settings_", [{}, {"focal": 2.0}, {"class_weights": True}])
@pytest.mark.parametrize("unknown", [False, True])
def test_parts_of_a_batch_add_up_to_its_loss(form, settings_, unknown):
    task, given_batch = asked(form, **settings_), batch(form, unknown=unknown)
    task.prepare(facts_of([3, 4, 5], [12, 11, 12]))
    parts = [
        task.loss({name: tensor[rows] for name, tensor in given_batch.items()}, "main")
        for rows in (slice(5), slice(5, 12))
    ]
    total = sum(part.value * part.weight for part in parts) / sum(part.weight for part in parts)
    torch.testing.assert_close(total, task.loss(given_batch, "main").value)


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_of_which_nothing_is_known_costs_nothing(form):
    given_batch = batch(form)
    inputs = given_batch["input"].requires_grad_()
    loss = asked(form).loss({"input": inputs, "target": torch.full((12, 3), NAN)}, "main")
    assert float(loss.value.detach()) == 0.0
    assert float(loss.weight) == 0
    loss.value.backward()
    assert float(inputs.grad.abs().sum()) == 0.0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("focal", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("autocast", [False, True])
def test_gradients_are_finite_where_the_network_is_certain(form, focal, autocast):
    task = asked(form, nn.Linear(3, 3), focal=focal)
    with torch.no_grad():
        task.network.weight.copy_(torch.eye(3))
        task.network.bias.zero_()
    inputs = torch.cartesian_prod(*[torch.tensor([-100.0, 100.0])] * 3)
    given_batch = {"input": inputs, "target": batch(form, len(inputs), unknown=True)["target"]}
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        value = task.loss(given_batch, "main").value
    assert value.dtype == torch.float32
    assert bool(value.isfinite())
    value.backward()
    assert bool(task.network.weight.grad.isfinite().all())
    assert bool(task.network.bias.grad.isfinite().all())


# State and records


@pytest.mark.parametrize("form", FORMS)
def test_the_state_is_the_whole_model(form):
    task = asked(form, nn.Linear(3, 3), class_weights=True)
    task.prepare(facts_of([3, 4, 5], [12, 12, 12]))
    task.calibrate(drawn(form))
    other = asked(form, nn.Linear(3, 3), class_weights=True)
    other.load_state_dict(task.state_dict())
    given_batch = batch(form)
    for name, tensor in task.predict(given_batch).items():
        torch.testing.assert_close(other.predict(given_batch)[name], tensor, rtol=0, atol=0)
    assert other.decode(outputs_of(other, given_batch), Facts()) == task.decode(
        outputs_of(task, given_batch), Facts()
    )
    torch.testing.assert_close(
        other.loss(given_batch, "main").value, task.loss(given_batch, "main").value, rtol=0, atol=0
    )


def records(task, probabilities):
    found = task.decode({"probabilities": np.array(probabilities, np.float32)}, Facts())
    json.dumps(found, allow_nan=False)
    return found


def test_one_question_is_answered_by_its_threshold():
    task = Questions(nn.Identity(), ["pneumonia"], classes=("normal", "pneumonia"))
    task.threshold.fill_(0.3)
    low, at, high = records(task, [[0.25], [0.3], [0.4]])
    assert low == {
        "label": "normal",
        "probabilities": {"pneumonia": 0.25},
        "above_threshold": {"pneumonia": False},
    }
    assert [at["label"], high["label"]] == ["pneumonia", "pneumonia"]
    assert at["above_threshold"] == {"pneumonia": True}


def test_several_questions_have_no_label():
    task = asked()
    task.threshold.copy_(torch.tensor([0.5, 0.125, 0.75]))
    (record,) = records(task, [[0.5, 0.25, 0.5]])
    assert record == {
        "probabilities": {"cough": 0.5, "fever": 0.25, "rash": 0.5},
        "above_threshold": {"cough": True, "fever": True, "rash": False},
    }


def test_of_classes_the_most_probable_one_is_the_label():
    task = asked("exclusive")
    task.threshold.fill_(0.9)
    (record,) = records(task, [[0.25, 0.5, 0.25]])
    assert record["label"] == "fever"
    assert record["above_threshold"] == {"cough": False, "fever": False, "rash": False}


def test_of_grades_the_highest_that_is_as_likely_as_not():
    labels = [
        record["label"]
        for record in records(
            asked("ordered"), [[0.4, 0.3, 0.1], [0.5, 0.4, 0.1], [0.9, 0.5, 0.4], [0.9, 0.8, 0.7]]
        )
    ]
    assert labels == list(GRADES)


def test_a_grade_is_reached_only_where_all_lower_ones_are():
    task = asked("ordered")
    # As fitted each for itself: the higher grade is rarer, and so is a high probability of it.
    task.threshold.copy_(torch.tensor([0.6, 0.3, 0.4]))
    probabilities = [[0.5, 0.35, 0.1], [0.7, 0.25, 0.1], [0.7, 0.35, 0.1], [0.9, 0.8, 0.7], [0.6, 0.3, 0.4]]
    found = [list(record["above_threshold"].values()) for record in records(task, probabilities)]
    assert found == [[False] * 3, [True, False, False], [True, True, False], [True] * 3, [True] * 3]
    assert task.said(np.array(probabilities, np.float32)).tolist() == found


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_answers_to_grades_never_fall_out_of_order(probabilities, thresholds):
    task = asked("ordered")
    task.threshold.copy_(torch.tensor(thresholds))
    ordered = np.sort(np.array(probabilities))[None, ::-1]
    (said,) = task.said(ordered).tolist()
    assert said == sorted(said, reverse=True)
    # Never a yes that the question's own threshold would not give: specificities fitted for it are kept.
    assert not (said & (ordered < task.threshold.numpy())).any()


def test_metrics_and_names_are_those_of_the_questions():
    task = asked()
    assert [metric.name for metric in task.metrics()] == ["AUROC", "AUPRC", "Brier score", "log loss"]
    assert task.names == SIGNS


# Refusals


@pytest.mark.parametrize(
    ("names", "form", "classes", "message"),
    [
        ((), "independent", (), "questions must have names that differ, found none; rename"),
        (("a", "a"), "independent", (), "names that differ, found a, a; rename or merge the equal ones"),
        (("a",), "independent", ("no",), "1 independent questions expect 0 or 2 classes, found 1"),
        (("a", "b"), "independent", ("x", "y"), "2 independent questions expect 0 classes, found 2"),
        (("a", "b"), "exclusive", (), "2 exclusive questions expect 2 classes, found 0"),
        (("a", "b"), "ordered", ("x", "y"), "2 ordered questions expect 3 classes, found 2"),
        (("a",), "exclusive", ("a",), "exclusive classes must be two or more, found a"),
    ],
)
def test_names_and_classes_that_do_not_fit(names, form, classes, message):
    with pytest.raises(ConfigError, match=message):
        Questions(nn.Identity(), names, form=form, classes=classes)


@pytest.mark.parametrize("form", FORMS)
def test_it_learns(form):
    torch.manual_seed(0)
    task = asked(form, nn.Linear(3, 3))
    inputs = torch.randn(300, 3)
    if form == "exclusive":
        target = F.one_hot(inputs.argmax(dim=1), 3).float()
    elif form == "ordered":
        target = (inputs[:, :1] > torch.tensor([-1.0, 0.0, 1.0])).float()
    else:
        target = (inputs > 0).float()
        target[::3, 1] = NAN
    given_batch = {"input": inputs, "target": target}
    optimizer = torch.optim.Adam(task.parameters(), lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        task.loss(given_batch, "main").value.backward()
        optimizer.step()
    assert task.metrics()[0].compute(outputs_of(task, given_batch), None) > 0.97
