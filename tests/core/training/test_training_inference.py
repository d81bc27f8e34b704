from __future__ import annotations

import numpy as np
import pytest
import torch

from core.training.toys import Classifier, Streamed, blobs
from fivefold.data.dataset import Batch
from fivefold.errors import DataError
from fivefold.training.inference import predict_outputs

CPU = torch.device("cpu")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("streamed", [True, False])
def test_every_sample_once_in_order(streamed: bool, training: bool) -> None:
    task = Classifier(dropout=0.5, norm=True).train(training)
    data = blobs(53)
    outputs = predict_outputs(task, Streamed(data) if streamed else data, device=CPU, batch_size=8)
    assert task.training is training
    assert np.array_equal(outputs["target"], data.tensors()["target"].numpy())
    task.eval()
    expected = task.predict(data.tensors())["logits"].detach()
    torch.testing.assert_close(torch.from_numpy(outputs["logits"]), expected)
    assert not any(value.requires_grad for value in map(torch.from_numpy, outputs.values()))


def test_bfloat16_comes_out_as_float32() -> None:
    outputs = predict_outputs(Classifier(), blobs(5), device=CPU, precision="bfloat16")
    assert outputs["logits"].dtype == np.float32
    assert outputs["target"].dtype == np.int64


def test_images_are_laid_out_channels_last() -> None:
    seen = []

    class Images(Classifier):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 2, 1)

        def predict(self, batch: Batch) -> Batch:
            seen.append(batch["input"].is_contiguous(memory_format=torch.channels_last))
            return {"map": self.conv(batch["input"])}

    data = blobs(6)
    data.tensors()["input"] = torch.rand(6, 3, 4, 4)
    assert predict_outputs(Images(), data, device=CPU, batch_size=4)["map"].shape == (6, 2, 4, 4)
    assert seen == [True, True]


def test_mode_comes_back_after_an_error() -> None:
    task = Classifier().train()
    with pytest.raises(DataError, match="'sample 3'"):
        predict_outputs(task, Streamed(blobs(5), broken={3: OSError("gone")}), device=CPU)
    assert task.training


def test_no_samples() -> None:
    with pytest.raises(DataError, match="no samples to predict"):
        predict_outputs(Classifier(), blobs(0), device=CPU)
