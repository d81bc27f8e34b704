"""Normal scores, shared layers, the question's loss, and what baselines see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.preprocessing import QuantileTransformer

from fivefold.data.dataset import Facts
from fivefold_finance.fraud.autoencoder import LEVELS, UnusualTransactions
from fivefold_finance.fraud.config import FraudConfig
from fivefold_finance.fraud.features import baseline_features
from fivefold_finance.fraud.model import SharedLinear
from fivefold_finance.fraud.numbers import NormalScores, Periodic, PiecewiseLinear
from fivefold_finance.fraud.reconstruction import PrincipalComponents
from fivefold_finance.fraud.tasks import FraudQuestions
from plugins.finance.fraud_cases import SMALL, config, fitted, payments, write_csv


def test_normal_scores_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    values = np.stack([draw.lognormal(size=3000), draw.integers(0, 5, 3000)], axis=1).astype(np.float32)
    scores = NormalScores(2, [])
    scores.fit(values)
    reference = QuantileTransformer(n_quantiles=1001, subsample=None).fit(values)
    expected = norm.ppf(np.clip(reference.transform(values), 1e-4, 1 - 1e-4))
    # At its ends, scikit-learn gives a value that stands often the end, and not its middle.
    inner = (values > values.min(axis=0)) & (values < values.max(axis=0))
    np.testing.assert_allclose(scores(torch.from_numpy(values)).numpy()[inner], expected[inner], atol=2e-3)


def test_missing_numbers_are_the_median_and_marked_where_training_missed_some() -> None:
    scores = NormalScores(2, [1])
    scores.fit(np.array([[0, 1], [1, np.nan], [2, 3]], dtype=np.float32))
    found = scores(torch.tensor([[torch.nan, torch.nan], [1.0, 3.0]]))
    assert found[0].tolist() == [0, 0, 1]
    assert found[1, 0] == 0
    assert found[1, 1] == pytest.approx(norm.ppf(1 - 1e-4), rel=1e-3)
    assert found[1, 2] == 0


def test_a_column_that_is_always_missing_or_constant_stays_finite() -> None:
    scores = NormalScores(2, [0])
    scores.fit(np.array([[np.nan, 5], [np.nan, 5]], dtype=np.float32))
    assert torch.isfinite(scores(torch.tensor([[torch.nan, 5.0], [2.0, 6.0]]))).all()


@pytest.mark.parametrize("kind", [PiecewiseLinear, Periodic])
def test_embeddings_of_a_number_depend_on_it_alone(kind: type[PiecewiseLinear | Periodic]) -> None:
    torch.manual_seed(0)
    embedding = kind(3, 4, 2)
    first = torch.randn(5, 3)
    second = first.clone()
    second[:, 1] += 0.5
    before, after = (embedding(one)[:, 3:].reshape(5, 3, 2) for one in (first, second))
    assert embedding(first).shape == (5, embedding.outputs)
    torch.testing.assert_close(before[:, [0, 2]], after[:, [0, 2]])
    assert not torch.equal(before[:, 1], after[:, 1])


def test_a_shared_layer_is_a_layer_of_its_own_for_each_member() -> None:
    torch.manual_seed(0)
    layer = SharedLinear(3, 4, 2, first=True)
    x = torch.randn(5, 3, 4)
    for member in range(3):
        weight = layer.after[member][:, None] * layer.weight * layer.before[member]
        torch.testing.assert_close(layer(x)[:, member], x[:, member] @ weight.T + layer.bias[member])


@pytest.mark.parametrize("kind", ["mlp", "gru"])
def test_the_probability_is_the_mean_of_the_members(tmp_path: Path, kind: str) -> None:
    pipeline, task = fitted(write_csv(tmp_path / "a.csv", payments(120)), config(kind))
    train = pipeline.samples(pipeline.split(pipeline.read(tmp_path / "a.csv")).train)
    batch = train.batch(torch.arange(20))
    members = task.network(*(batch[key] for key in task.input))
    assert members.shape == (20, SMALL.members)
    torch.testing.assert_close(
        task.predict(batch)["probabilities"], members.sigmoid().mean(dim=1, keepdim=True)
    )
    target = batch["target"].expand_as(members)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(members, target)
    torch.testing.assert_close(task.loss(batch, "main").value, expected)
    batch["target"][3] = torch.nan
    assert task.loss(batch, "main").weight == 19


def test_balanced_weights_count_frauds_as_much_as_the_rest(tmp_path: Path) -> None:
    _, task = fitted(write_csv(tmp_path / "a.csv", payments(120)), config("mlp", class_weights=True))
    counts = task.weight_yes / task.weight_no
    rows = payments(120)[:72]
    frauds = sum(row[-1] for row in rows)
    assert float(counts) == pytest.approx((len(rows) - frauds) / frauds)


def test_baselines_see_sums_of_earlier_transactions_only() -> None:
    facts = Facts(numbers=["x"], categories={"shop": ["s"]}, lookback=3)
    # Features: x, amount, age; two steps of three are there in the first sample, one in the second.
    values = torch.tensor([[[1.0, 10, 2.5], [2, 30, 0], [0, 0, 0]], [[3, 40, 0], [0, 0, 0], [0, 0, 0]]])
    codes = torch.tensor([[[0], [1], [0]], [[0], [0], [0]]])
    batch = {"input": values, "lengths": torch.tensor([2, 1]), "categories": codes}
    found = baseline_features(facts, filled=False)(batch)
    np.testing.assert_array_equal(found[0], [2, 30, 1, 10, 10, 20, 2.5, 1])
    np.testing.assert_array_equal(found[1], [3, 40, 0, np.nan, np.nan, np.nan, np.nan, 0])
    assert np.isfinite(baseline_features(facts, filled=True)(batch)).all()


def test_shares_of_the_autoencoder_rise_beyond_all_of_validation() -> None:
    facts = Facts(columns=["x"], categories={}, lookback=0, labelled=False, account=None)
    task = UnusualTransactions(facts, FraudConfig(model=SMALL))
    task.calibrate({"unusual": np.linspace(1, 2, LEVELS)})
    shares = task.share(torch.tensor([0.5, 1.0, 1.5, 1.999, 2.0, 4.0, 400.0]))
    assert shares[2] == pytest.approx(0.5, abs=1e-3)
    assert (shares.diff() >= 0).all()
    assert shares[3] < shares[4] < shares[5] < shares[6] < 1


def test_principal_components_reconstruct_what_lies_in_few_directions(tmp_path: Path) -> None:
    settings = config("autoencoder", time_of_day=False)
    rows = [[place, "c", 2 + place % 7, 3 * (place % 7), None, place % 2] for place in range(200)]
    pipeline, _ = fitted(write_csv(tmp_path / "a.csv", rows), settings)
    train = pipeline.samples(pipeline.split(pipeline.read(tmp_path / "a.csv")).train)
    mean, one = PrincipalComponents(0), PrincipalComponents(1)
    for baseline in (mean, one):
        baseline.fit(train)
    assert mean.predict(train)["error"].mean() > 0.5
    np.testing.assert_allclose(one.predict(train)["error"], 0, atol=1e-6)


def test_the_question_gives_days_and_accounts_to_the_metrics(tmp_path: Path) -> None:
    pipeline, task = fitted(write_csv(tmp_path / "a.csv", payments(120)), config("gru"))
    assert isinstance(task, FraudQuestions)
    train = pipeline.samples(pipeline.split(pipeline.read(tmp_path / "a.csv")).train)
    outputs = task.predict(train.batch(torch.arange(len(train))))
    assert set(outputs) == {"logits", "probabilities", "target", "day", "account"}
    names = [metric.name for metric in task.metrics()]
    assert names[0] == "AUPRC"
    assert "card precision at 100 alerts a day" in names
