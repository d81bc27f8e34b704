"""Forecasts: units, losses, intervals that cover what they promise, records."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fivefold.config.forecaster import ForecasterConfig
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import ConfigError, DataError
from fivefold.nn.forecasting import build_forecaster
from fivefold.tasks.conformal import conformal_margin, outside
from fivefold.tasks.forecast import Forecast

FACTS = Facts(features=3, targets=["a", "b"], horizon=4, lookback=6)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def samples(count=200, seed=0, **changes):
    generator = np.random.default_rng(seed)
    scale = np.array([1.0, 1e-3, 5e4])
    tensors = {
        "input": generator.normal(100, 1, size=(count, 6, 3)) * scale,
        "target": generator.normal(100, 1, size=(count, 4, 2)) * scale[:2],
        "last": generator.normal(size=(count, 2)),
        "naive_error": np.ones((count, 2)),
    }
    batch = {name: torch.tensor(array, dtype=torch.float32) for name, array in tensors.items()}
    batch["time"] = torch.arange(count)
    facts = Facts(FACTS | changes)
    return TensorDataset(batch, facts=facts, ids=np.array([f"origin {row}" for row in range(count)]))


class Repeat(nn.Module):
    """The targets' last step at every step to come, and so many quantiles around it."""

    def __init__(self, offsets=(0.0,)):
        super().__init__()
        self.offsets = nn.Parameter(torch.tensor(offsets))

    def forward(self, x, known=None, static=None):
        return x[:, -1:, :2, None].expand(-1, 4, -1, -1) + self.offsets


def prepared(network=None, train=None, **options):
    train = train or samples()
    task = Forecast(network or Repeat(), train.facts, **options)
    task.prepare(train)
    return task.eval()


def numbers(outputs):
    return {name: tensor.detach().numpy() for name, tensor in outputs.items()}


# Units


def test_columns_are_standardised_as_the_training_windows_say():
    train = samples()
    task, columns = prepared(train=train), train.tensors()["input"].double()
    torch.testing.assert_close(task.mean.double(), columns.mean(dim=(0, 1)), rtol=1e-6, atol=0)
    torch.testing.assert_close(task.scale.double(), columns.std(dim=(0, 1), correction=0), rtol=1e-4, atol=0)
    np.testing.assert_array_equal(task.target_scale, task.scale[:2].double())


def test_moments_that_the_data_state_are_taken():
    train = samples(column_mean=[1.0, 2.0, 3.0], column_scale=[4.0, 5.0, 6.0])
    task = prepared(train=train)
    assert task.mean.tolist() == [1, 2, 3]
    assert task.scale.tolist() == [4, 5, 6]


def test_a_constant_column_is_only_shifted():
    train = samples()
    train.tensors()["input"][..., 1] = 7
    assert prepared(train=train).scale[1] == 1


def test_predictions_and_what_is_given_are_in_the_datas_units():
    train = samples()
    task, batch = prepared(train=train), train.batch(torch.arange(5))
    outputs = task.predict(batch)
    expected = batch["input"][:, -1:, :2].expand(-1, 4, -1)
    torch.testing.assert_close(outputs["prediction"], expected, rtol=1e-5, atol=0)
    torch.testing.assert_close(task(batch["input"])[..., 0], outputs["prediction"])
    assert task.given == ("target", "last", "naive_error", "time")
    for name in task.given:
        assert outputs[name] is batch[name]
    assert "target" not in task.predict({"input": batch["input"]})


def test_known_covariates_are_standardised_and_reach_the_network_with_the_codes():
    class Seen(Repeat):
        def forward(self, x, known=None, static=None):
            self.seen = known, static
            return super().forward(x)

    train = samples(known=["hour"], static={"place": 3})
    train.tensors()["known"] = torch.arange(800.0).view(200, 4, 1)
    train.tensors()["static"] = torch.ones(200, 1).long()
    network = Seen()
    prepared(network, train).predict(train.batch(torch.arange(200)))
    known, static = network.seen
    assert abs(float(known.mean())) < 1e-5
    assert abs(float(known.std(correction=0)) - 1) < 1e-5
    assert (static == 1).all()


def test_the_state_dict_is_the_whole_model():
    train = samples()
    batch = train.batch(torch.arange(50))
    task = prepared(Repeat((-1.0, -0.5, 0.0, 0.5, 1.0)), train, quantiles=QUANTILES)
    task.calibrate(numbers(task.predict(train.tensors())))
    again = Forecast(Repeat((0.0,) * 5), train.facts, quantiles=QUANTILES)
    again.load_state_dict(task.state_dict())
    for name, expected in task.predict(batch).items():
        torch.testing.assert_close(again.predict(batch)[name], expected, rtol=0, atol=0)


# Losses


@pytest.mark.parametrize(
    ("loss", "of"),
    [
        ("mse", np.square),
        ("mae", np.abs),
        ("huber", lambda error: np.where(np.abs(error) < 1, error**2 / 2, np.abs(error) - 0.5)),
    ],
)
def test_point_losses_are_in_standard_units(loss, of):
    train = samples()
    task, batch = prepared(train=train, loss=loss), train.batch(torch.arange(64))
    found = task.loss(batch, "main")
    error = ((task.predict(batch)["prediction"] - batch["target"]) / task.scale[:2]).detach().numpy()
    np.testing.assert_allclose(found.value.item(), of(error).mean(), rtol=1e-3)
    assert found.weight == 64


def test_the_pinball_loss_is_that_of_its_definition():
    train = samples()
    task = prepared(Repeat((-1.0, -0.5, 0.0, 0.5, 1.0)), train, quantiles=QUANTILES)
    batch = train.batch(torch.arange(64))
    wanted = ((batch["target"] - task.mean[:2]) / task.scale[:2]).numpy().ravel()
    forecast = task.standardised(batch["input"]).detach().numpy().reshape(-1, 5)
    each = [
        np.where(wanted >= forecast[:, place], share, 1 - share) * np.abs(wanted - forecast[:, place])
        for place, share in enumerate(QUANTILES)
    ]
    np.testing.assert_allclose(task.loss(batch, "main").value.item(), np.mean(each), rtol=1e-5)


@pytest.mark.parametrize(("quantiles", "expected"), [((), [20.0]), ((0.1, 0.5, 0.9), [12.0, 20.0, 28.0])])
def test_training_finds_mean_and_quantiles(quantiles, expected):
    train = samples(100)
    train.tensors()["target"][:] = torch.linspace(10, 30, 100)[:, None, None]

    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.value = nn.Parameter(torch.zeros(max(1, len(quantiles))))

        def forward(self, x, known=None, static=None):
            return self.value.expand(len(x), 4, 2, -1)

    train.facts.update(column_mean=[20.0, 20.0, 0.0], column_scale=[5.0, 5.0, 1.0])
    task = prepared(Constant(), train, quantiles=quantiles)
    optimizer = torch.optim.SGD(task.parameters(), lr=1.0)
    for _ in range(200):
        optimizer.zero_grad()
        task.loss(train.tensors(), "main").value.backward()
        optimizer.step()
    np.testing.assert_allclose(task(train.tensors()["input"])[0, 0, 0].detach(), expected, atol=0.3)


# Intervals


@given(offsets=st.lists(st.floats(-5, 5, width=32), min_size=5, max_size=5))
@settings(max_examples=30, deadline=None)
def test_quantiles_never_cross_and_the_interval_holds_the_prediction(offsets):
    train = samples(60)
    task = prepared(Repeat(tuple(offsets)), train, quantiles=QUANTILES)
    for calibrated in (False, True):
        outputs = numbers(task.predict(train.tensors()))
        assert (np.diff(outputs["quantiles"], axis=-1) >= 0).all()
        assert (outputs["lower"] <= outputs["prediction"]).all()
        assert (outputs["prediction"] <= outputs["upper"]).all()
        if not calibrated:
            np.testing.assert_array_equal(outputs["lower"], outputs["quantiles"][..., 0])
            np.testing.assert_array_equal(outputs["upper"], outputs["quantiles"][..., -1])
            np.testing.assert_array_equal(outputs["prediction"], outputs["quantiles"][..., 2])
        task.calibrate(outputs)


def test_the_interval_takes_the_quantiles_nearest_to_its_level():
    train = samples(60)
    offsets = (-1.0, -0.5, 0.0, 0.5, 1.0)
    task = prepared(Repeat(offsets), train, quantiles=QUANTILES, level=0.5)
    outputs = numbers(task.predict(train.tensors()))
    np.testing.assert_array_equal(outputs["lower"], outputs["quantiles"][..., 1])
    np.testing.assert_array_equal(outputs["upper"], outputs["quantiles"][..., 3])


def test_points_have_no_interval_before_they_are_calibrated():
    outputs = numbers(prepared().predict(samples(5).tensors()))
    assert np.isnan(outputs["lower"]).all()
    assert np.isnan(outputs["upper"]).all()


def test_margins_are_the_finite_sample_quantile_of_the_residuals():
    val = samples(99, seed=3)
    task = prepared(level=0.8)
    outputs = numbers(task.predict(val.tensors()))
    task.calibrate(outputs)
    residuals = np.sort(np.abs(outputs["prediction"] - outputs["target"]), axis=0)
    np.testing.assert_allclose(task.margin, residuals[79], rtol=1e-5)  # the 80th of 99: ceil(100 * 0.8)
    after = numbers(task.predict(val.tensors()))
    np.testing.assert_allclose(
        after["upper"] - after["prediction"], np.tile(residuals[79], (99, 1, 1)), rtol=0.05
    )


@pytest.mark.parametrize(
    ("count", "level", "rank"), [(9, 0.9, 9), (19, 0.9, 18), (99, 0.95, 95), (10, 0.5, 6)]
)
def test_the_rank_is_that_of_the_theorem(count, level, rank):
    scores = np.random.default_rng(0).permutation(np.arange(1.0, count + 1))
    assert conformal_margin(scores, level) == rank


def test_too_few_samples_promise_nothing_finite():
    assert conformal_margin(np.zeros((8, 2)), 0.9).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize("quantiles", [(), QUANTILES])
def test_what_is_exchangeable_is_covered_as_promised(quantiles):
    offsets = (-0.3, -0.1, 0.0, 0.2, 2.5) if quantiles else (0.4,)
    task = prepared(Repeat(offsets), quantiles=quantiles, level=0.9)
    covered = []
    for seed in range(40):
        val, test = samples(100, seed=100 + seed), samples(100, seed=200 + seed)
        task.calibrate(numbers(task.predict(val.tensors())))
        outputs = numbers(task.predict(test.tensors()))
        inside = (outputs["lower"] <= outputs["target"]) & (outputs["target"] <= outputs["upper"])
        covered.append(inside.mean())
    # Between level and level + 1 / (n + 1) on average (Lei et al. 2018), which 40 trials of 8 bounds tell to 0.01.
    assert 0.89 < np.mean(covered) < 0.92


def test_conformal_scores_are_negative_inside():
    found = outside(np.array([1.0, 5.0, 9.0]), np.array([2.0, 2.0, 2.0]), np.array([6.0, 6.0, 6.0]))
    assert found.tolist() == [1, -1, 3]


# Records


def test_records_hold_each_step_of_each_target():
    task = prepared(Repeat((-1.0, -0.5, 0.0, 0.5, 1.0)), quantiles=QUANTILES)
    outputs = numbers(task.predict(samples(3).tensors()))
    records = task.decode(outputs, FACTS)
    assert len(records) == 3
    rows = records[1]["forecast"]
    assert [(row["step"], row["target"]) for row in rows[:3]] == [(1, "a"), (1, "b"), (2, "a")]
    assert len(rows) == 8
    assert rows[3]["prediction"] == pytest.approx(float(outputs["prediction"][1, 1, 1]))
    assert list(rows[3]["quantiles"]) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    assert rows[3]["quantiles"]["0.05"] == rows[3]["lower"]
    json.dumps(records)


def test_a_bound_that_is_not_known_is_none():
    task = prepared()
    row = task.decode(numbers(task.predict(samples(2).tensors())), FACTS)[0]["forecast"][0]
    assert set(row) == {"step", "target", "prediction", "lower", "upper"}
    assert row["lower"] is None
    assert row["upper"] is None


# Bad input


@pytest.mark.parametrize(
    "quantiles", [(0.5,), (0.1, 0.9), (0.9, 0.5, 0.1), (0.0, 0.5, 0.9), (0.5, 0.9), (0.1, 0.5, 0.5, 1)]
)
def test_quantiles_must_lie_around_the_median(quantiles):
    with pytest.raises(ConfigError, match=r"expected rising shares between 0 and 1 with 0\.5"):
        Forecast(Repeat(), FACTS, quantiles=quantiles)


@pytest.mark.parametrize("key", ["input", "target", "known"])
def test_a_missing_number_is_told_by_its_sample(key):
    train = samples(known=["hour"])
    train.tensors()["known"] = torch.zeros(200, 4, 1)
    train.tensors()[key][17, 2, 0] = torch.nan
    with pytest.raises(DataError, match=f"origin 17: expected finite numbers in '{key}'"):
        prepared(train=train)


# With networks


@pytest.mark.parametrize("kind", ["lstm", "gru", "tcn", "dlinear", "nlinear", "patch-tst"])
@pytest.mark.parametrize("quantiles", [(), (0.1, 0.5, 0.9)])
def test_every_network_learns_a_few_windows_by_heart(kind, quantiles):
    torch.manual_seed(0)
    # A saw-tooth of a period unlike the windows': what follows is a function of what was.
    series = torch.arange(40.0).remainder(5)[:, None] * torch.tensor([1.0, 10.0, 3.0]) + 50
    places = torch.arange(15)[:, None]
    batch = {
        "input": series[places + torch.arange(6)],
        "target": series[places + torch.arange(6, 10)][..., :2],
    }
    train = TensorDataset(batch, facts=FACTS, ids=np.arange(15))
    settings = {} if kind.endswith("linear") else {"dropout": 0.0, "hidden": 16}
    config = ForecasterConfig(kind=kind, **settings)
    network = build_forecaster(kind, FACTS, config, quantiles=max(1, len(quantiles)))
    task = Forecast(network, FACTS, quantiles=quantiles)
    task.prepare(train)
    optimizer = torch.optim.Adam(task.parameters(), lr=0.02)
    first = task.loss(batch, "main").value.item()
    for _ in range(80):
        optimizer.zero_grad()
        task.loss(batch, "main").value.backward()
        optimizer.step()
    assert task.loss(batch, "main").value.item() < 0.15 * first
