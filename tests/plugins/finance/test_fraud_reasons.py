"""Reasons: of models whose answer is known, and of networks with categories and histories."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.tasks.questions import Questions
from fivefold_finance.fraud.reasons import HISTORY, Reason, printed, question_score, reasons, usual_values

WEIGHTS = torch.tensor([2.0, -1.0, 0.5, 0.0])


def dataset(**tensors):
    count = len(tensors["input"])
    return TensorDataset(dict(tensors), facts=Facts(), ids=np.arange(count))


def alone(count=51):
    generator = torch.Generator().manual_seed(0)
    return dataset(
        input=torch.randn(count, 4, generator=generator),
        categories=torch.tensor([[0, 3], [2, 3], [2, 1]] * (count // 3)),
    )


def linear(batch):
    return batch["input"] @ WEIGHTS + 3 * (batch["categories"][:, 0] == 0)


def test_usual_values_are_medians_and_most_frequent_codes():
    samples = alone()
    usual = usual_values(samples, ["a", "b", "c", "d"], ["shop", "country"])
    torch.testing.assert_close(usual.values, samples.tensors()["input"].median(dim=0).values)
    assert usual.codes.tolist() == [2, 3]
    assert usual.names == ("a", "b", "c", "d", "shop", "country")


def test_missing_numbers_leave_the_median_alone():
    usual = usual_values(dataset(input=torch.tensor([[1.0], [torch.nan], [3.0], [9.0]])), ["a"])
    assert usual.values.tolist() == [3.0]


def test_reasons_of_a_linear_score_are_its_terms():
    samples = alone()
    usual = usual_values(samples, ["a", "b", "c", "d"], ["shop", "country"])
    found = reasons(linear, samples, [0, 7], usual, most=10)
    for index, of in zip([0, 7], found, strict=True):
        one = samples.tensors()["input"][index]
        terms = dict(zip("abcd", (WEIGHTS * (one - usual.values)).tolist(), strict=True))
        terms["shop"] = 3.0 if samples.tensors()["categories"][index, 0] == 0 else 0.0
        expected = sorted(
            ((name, value) for name, value in terms.items() if value > 0), key=lambda pair: -pair[1]
        )
        assert [reason.name for reason in of] == [name for name, _ in expected]
        assert [reason.contribution for reason in of] == pytest.approx(
            [value for _, value in expected], abs=1e-5
        )


def test_features_of_one_column_are_one_reason():
    samples = alone()
    usual = usual_values(samples, ["amount", "amount", "hour", "hour"], ["shop", "shop"])
    (found,) = reasons(linear, samples, [0], usual)
    terms = WEIGHTS * (samples.tensors()["input"][0] - usual.values)
    expected = {"amount": float(terms[:2].sum()), "hour": float(terms[2:].sum()), "shop": 3.0}
    assert {reason.name for reason in found} == {name for name, value in expected.items() if value > 0}
    for reason in found:
        assert reason.contribution == pytest.approx(expected[reason.name], abs=1e-5)


def test_no_more_than_asked_and_the_users_own_values():
    samples = alone()
    usual = usual_values(samples, ["a", "b", "c", "d"], ["shop", "country"])
    shown = {"shop": np.array(["bakery"] * 51, dtype=object)}
    (found,) = reasons(linear, samples, [0], usual, most=1, shown=shown)
    assert found == [Reason("shop", pytest.approx(3.0), "bakery")]


def test_the_score_and_the_samples_stay_as_they_are():
    samples = alone()
    before = {name: tensor.clone() for name, tensor in samples.tensors().items()}
    reasons(linear, samples, [0, 1], usual_values(samples, list("abcd"), ["shop", "country"]))
    for name, tensor in samples.tensors().items():
        assert torch.equal(tensor, before[name])


class Remembers(nn.Module):
    """Twice the current amount and the sum of the earlier ones; a shop of 1 now adds four."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.dropout = nn.Dropout(0.9)

    def forward(self, steps, categories, lengths):
        rows = torch.arange(len(steps))
        there = torch.arange(steps.shape[1]) < (lengths - 1)[:, None]
        now = self.factor * steps[rows, lengths - 1, 0] + 4 * (categories[rows, lengths - 1, 0] == 1)
        return self.dropout((now + (steps[:, :, 0] * there).sum(dim=1))[:, None])


def histories():
    steps = torch.tensor([[1.0, 2.0, 10.0], [7.0, 0.0, 0.0], [5.0, 3.0, 0.0]])[:, :, None]
    return dataset(
        input=steps,
        categories=torch.tensor([[0, 0, 1], [0, 0, 0], [0, 0, 0]])[:, :, None],
        lengths=torch.tensor([3, 1, 2]),
    )


def test_the_history_is_a_reason_beside_the_current_transaction():
    task = Questions(Remembers(), ["fraud"], input=("input", "categories", "lengths"))
    task.train()
    samples = histories()
    usual = usual_values(samples, ["amount"], ["shop"])
    assert usual.values.tolist() == [7.0]
    assert usual.codes.tolist() == [0]
    found = reasons(question_score(task), samples, [0, 1, 2], usual)
    assert found[0] == [
        Reason("amount", pytest.approx(6.0), "10.0"),
        Reason("shop", pytest.approx(4.0), "1"),
        Reason(HISTORY, pytest.approx(3.0), "2"),
    ]
    assert found[1] == []
    assert found[2] == [Reason(HISTORY, pytest.approx(5.0), "1")]
    assert task.training


def test_reasons_are_in_calibrated_log_odds():
    task = Questions(Remembers(), ["fraud"], input=("input", "categories", "lengths"))
    task.scale.fill_(0.5)
    (found,) = reasons(
        question_score(task), histories(), [2], usual_values(histories(), ["amount"], ["shop"])
    )
    assert found == [Reason(HISTORY, pytest.approx(2.5), "1")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(1207.5), "1208"),
        (np.nan, "missing"),
        (None, "missing"),
        ("bakery", "bakery"),
        (np.datetime64("2024-03-01T10:00:00.5", "ns"), "2024-03-01 10:00:00"),
        (np.datetime64("NaT"), "missing"),
        (3, "3.000"),
    ],
)
def test_values_for_people(value, text):
    assert printed(value) == text
