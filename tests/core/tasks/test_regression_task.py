"""Regression: standardisation, units, loss."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import DataError
from fivefold.tasks import Regression


def dataset(inputs, target):
    tensors = {"input": torch.as_tensor(inputs), "target": torch.as_tensor(target)}
    return TensorDataset(tensors, facts=Facts(), ids=np.array([f"row {row}" for row in range(len(target))]))


def series(count=3000):
    generator = np.random.default_rng(0)
    scale = np.array([1.0, 1e-3, 5e4], dtype=np.float32)
    inputs = (generator.normal(size=(count, 4, 3)) * scale + 1e5 * scale).astype(np.float32)
    return dataset(inputs, generator.normal(20, 3, size=(count, 2)).astype(np.float32))


class First(nn.Module):
    """The first two features of the last step."""

    def forward(self, x):
        return x[:, -1, :2]


def test_inputs_and_targets_are_standardised_as_the_training_split_says():
    train = series()
    task = Regression(First())
    task.prepare(train)
    inputs, target = train.tensors()["input"].double(), train.tensors()["target"].double()
    torch.testing.assert_close(task.input_mean.double(), inputs.mean(dim=(0, 1)), rtol=1e-6, atol=0)
    torch.testing.assert_close(
        task.input_scale.double(), inputs.std(dim=(0, 1), correction=0), rtol=1e-4, atol=0
    )
    torch.testing.assert_close(task.target_mean.double(), target.mean(dim=0), rtol=1e-6, atol=0)
    torch.testing.assert_close(task.target_scale.double(), target.std(dim=0, correction=0), rtol=1e-5, atol=0)


def test_predictions_are_in_the_datas_units():
    train = series()
    task = Regression(First())
    task.prepare(train)
    batch = train.batch(torch.arange(5))
    outputs = task.predict(batch)
    standard = ((batch["input"] - task.input_mean) / task.input_scale)[:, -1, :2]
    torch.testing.assert_close(outputs["prediction"], standard * task.target_scale + task.target_mean)
    torch.testing.assert_close(outputs["prediction"], task(batch["input"]))
    torch.testing.assert_close(outputs["target"], batch["target"])


def test_the_loss_is_squared_error_in_standard_units():
    train = series()
    task = Regression(First())
    task.prepare(train)
    batch = train.batch(torch.arange(64))
    loss = task.loss(batch, "main")
    error = (task(batch["input"]) - batch["target"]) / task.target_scale
    torch.testing.assert_close(loss.value, (error**2).mean())
    assert loss.weight == 64


def test_one_target_may_be_flat():
    task = Regression(nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)))
    train = dataset(torch.randn(50, 2, generator=torch.Generator().manual_seed(0)), torch.arange(50.0))
    task.prepare(train)
    batch = train.batch(torch.arange(4))
    outputs = task.predict(batch)
    assert outputs["prediction"].shape == outputs["target"].shape == (4, 1)
    assert task.loss(batch, "main").value.ndim == 0


def test_what_never_varies_is_only_shifted():
    task = Regression(nn.Identity())
    task.prepare(dataset(torch.full((9, 1), 1234.5678), torch.full((9, 1), 0.1)))
    assert task.input_scale.tolist() == task.target_scale.tolist() == [1.0]
    torch.testing.assert_close(task(torch.full((1, 1), 1234.5678)), torch.full((1, 1), 0.1))


def test_inputs_may_be_left_as_they_are():
    task = Regression(nn.Identity(), standardise_inputs=False)
    task.prepare(dataset(torch.arange(10.0)[:, None], torch.zeros(10)))
    assert float(task.input_mean) == 0
    assert float(task.input_scale) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("place", ["input", "target"])
def test_missing_values_are_refused_by_name(place, value):
    tensors = {"input": torch.zeros(5, 3, 2), "target": torch.zeros(5)}
    tensors[place][3] = value
    with pytest.raises(
        DataError, match=f"row 3: expected finite numbers in '{place}', found a missing or infinite"
    ):
        Regression(First()).prepare(dataset(tensors["input"], tensors["target"]))


def test_the_state_is_the_whole_model():
    train = series(50)
    task = Regression(First())
    task.prepare(train)
    other = Regression(First())
    other.load_state_dict(task.state_dict())
    inputs = train.tensors()["input"]
    torch.testing.assert_close(other(inputs), task(inputs))
    nested = nn.Sequential(Regression(First()))
    nested.load_state_dict({f"0.{name}": tensor for name, tensor in task.state_dict().items()})
    torch.testing.assert_close(nested(inputs), task(inputs))


def test_a_state_without_the_buffers_is_still_refused():
    with pytest.raises(RuntimeError, match=r"Missing key.*input_mean"):
        Regression(First()).load_state_dict({})


@pytest.mark.parametrize(("shape", "expected"), [((1, 1), 2.0), ((1, 3), [2.0, 2.0, 2.0])])
def test_records_are_plain_numbers(shape, expected):
    records = Regression(First()).decode({"prediction": np.full(shape, 2.0, dtype=np.float32)}, Facts())
    assert records == [{"prediction": expected}]
    json.dumps(records)


def test_the_headline_is_the_mean_absolute_error():
    assert [metric.name for metric in Regression(First()).metrics()] == ["MAE", "RMSE", "R2"]
