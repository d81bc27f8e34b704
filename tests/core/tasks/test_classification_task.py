"""Classification: loss, calibration, outputs in the user's words."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.training.toys import Streamed
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import ConfigError, DataError
from fivefold.evaluation.calibration import softmax
from fivefold.tasks import Classification

CLASSES = ("cat", "dog", "owl")


def dataset(target, **facts):
    target = torch.as_tensor(target)
    tensors = {"input": torch.zeros(len(target), 2), "target": target}
    return TensorDataset(tensors, facts=Facts(facts), ids=np.arange(len(target)))


def batch(count=8):
    generator = torch.Generator().manual_seed(0)
    return {
        "input": torch.randn(count, 3, generator=generator),
        "target": torch.randint(3, (count,), generator=generator),
    }


def test_the_loss_is_cross_entropy_weighed_by_samples():
    task, given = Classification(nn.Identity(), CLASSES), batch()
    loss = task.loss(given, "main")
    torch.testing.assert_close(loss.value, F.cross_entropy(given["input"], given["target"]))
    assert loss.weight == 8


def test_label_smoothing():
    task, given = Classification(nn.Identity(), CLASSES, label_smoothing=0.1), batch()
    expected = F.cross_entropy(given["input"], given["target"], label_smoothing=0.1)
    torch.testing.assert_close(task.loss(given, "main").value, expected)


@pytest.mark.parametrize("class_weights", [False, True])
def test_shares_of_one_class_are_that_class(class_weights):
    task, given = Classification(nn.Identity(), CLASSES, class_weights=class_weights), batch()
    task.prepare(dataset([0, 0, 0, 1, 2]))
    soft = {**given, "target": F.one_hot(given["target"], 3).float()}
    torch.testing.assert_close(task.loss(soft, "main").value, task.loss(given, "main").value)


@pytest.mark.parametrize("class_weights", [False, True])
def test_parts_of_a_batch_add_up_to_its_loss(class_weights):
    task, given = Classification(nn.Identity(), CLASSES, class_weights=class_weights), batch(8)
    task.prepare(dataset([0, 0, 0, 1, 2]))
    parts = [
        task.loss({name: tensor[rows] for name, tensor in given.items()}, "main")
        for rows in (slice(3), slice(3, 8))
    ]
    total = sum(part.value * part.weight for part in parts) / sum(part.weight for part in parts)
    torch.testing.assert_close(total, task.loss(given, "main").value)


@pytest.mark.parametrize(
    "train",
    [
        dataset([0, 0, 0, 1, 2, 2]),
        Streamed(dataset([0, 0, 0, 1, 2, 2])),
        dataset([0], class_counts=[3, 1, 2]),
    ],
    ids=["memory", "disk", "stated"],
)
def test_class_weights_are_inverse_frequencies_with_mean_one(train):
    task = Classification(nn.Identity(), CLASSES, class_weights=True)
    task.prepare(train)
    torch.testing.assert_close(task.class_weight, torch.tensor([6 / 9, 2.0, 1.0]))
    counts = torch.tensor([3.0, 1.0, 2.0])
    torch.testing.assert_close((task.class_weight * counts).sum() / 6, torch.tensor(1.0))


def test_a_class_without_training_samples_cannot_be_weighed():
    task = Classification(nn.Identity(), CLASSES, class_weights=True)
    with pytest.raises(
        DataError, match="found none of dog; add some, drop the class, or switch class weights off"
    ):
        task.prepare(dataset([0, 2, 2]))


@pytest.mark.parametrize("codes", [[0, 1, 3], [0, -1, 2]])
def test_codes_outside_the_classes(codes):
    task = Classification(nn.Identity(), CLASSES, class_weights=True)
    with pytest.raises(DataError, match="training labels must be codes 0 to 2, found"):
        task.prepare(dataset(codes))


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ((), "expects two classes or more, found 0; give"),
        (("cat",), "expects two classes or more, found 1: cat; give"),
        (("cat", "cat"), "classes must differ in name, found cat, cat"),
    ],
)
def test_too_few_or_equal_classes(classes, message):
    with pytest.raises(ConfigError, match=message):
        Classification(nn.Identity(), classes)


def test_calibration_changes_probabilities_and_what_is_exported():
    task, given = Classification(nn.Identity(), CLASSES), batch(2000)
    logits = 4 * given["input"]
    target = torch.multinomial((logits / 2).softmax(dim=1), 1)[:, 0]
    task.calibrate({"logits": logits.numpy(), "target": target.numpy()})
    temperature = float(task.temperature)
    assert temperature == pytest.approx(2, rel=0.15)
    outputs = task.predict({"input": logits, "target": target})
    torch.testing.assert_close(outputs["logits"], logits)
    torch.testing.assert_close(
        outputs["probabilities"].double(), torch.from_numpy(softmax(logits, temperature))
    )
    torch.testing.assert_close(task(logits).softmax(dim=1), outputs["probabilities"])
    assert "temperature" in task.state_dict()
    assert "target" not in task.predict({"input": logits})


def test_the_state_is_the_whole_model():
    task = Classification(nn.Linear(2, 3), CLASSES, class_weights=True)
    task.prepare(dataset([0, 0, 1, 2]))
    task.temperature.fill_(1.7)
    other = Classification(nn.Linear(2, 3), CLASSES, class_weights=True)
    other.load_state_dict(task.state_dict())
    inputs = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(other(inputs), task(inputs))
    torch.testing.assert_close(other.class_weight, task.class_weight)


def test_a_second_view_is_averaged_in_when_predicting_only():
    plain = Classification(nn.Identity(), CLASSES)
    task = Classification(nn.Identity(), CLASSES, view=lambda x: x.flip(1))
    given = batch()
    expected = (given["input"] + given["input"].flip(1)) / 2
    torch.testing.assert_close(task.predict(given)["logits"], expected)
    torch.testing.assert_close(task.loss(given, "main").value, plain.loss(given, "main").value)


def test_records_speak_of_classes():
    task = Classification(nn.Identity(), CLASSES)
    records = task.decode({"probabilities": np.array([[0.1, 0.7, 0.2]], dtype=np.float32)}, Facts())
    assert [records[0]["label"], list(records[0]["probabilities"])] == ["dog", list(CLASSES)]
    assert records[0]["probability"] == pytest.approx(0.7)
    json.dumps(records, allow_nan=False)


def test_the_input_may_have_another_name():
    task = Classification(nn.Identity(), CLASSES, input="signal")
    given = {"signal": torch.zeros(2, 3), "target": torch.zeros(2, dtype=torch.int64)}
    assert float(task.loss(given, "main").value) == pytest.approx(np.log(3))
    assert task.predict(given)["probabilities"].shape == (2, 3)


def test_it_learns():
    torch.manual_seed(0)
    task = Classification(nn.Linear(3, 3), CLASSES)
    inputs = torch.randn(200, 3)
    given = {"input": inputs, "target": inputs.argmax(dim=1)}
    for _ in range(60):
        slopes = torch.autograd.grad(task.loss(given, "main").value, list(task.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(task.parameters(), slopes, strict=True):
                parameter.sub_(2 * slope)
    outputs = {name: tensor.detach().numpy() for name, tensor in task.predict(given).items()}
    assert task.metrics()[0].compute(outputs, None) > 0.95
