"""Samples of uneven length: read by several inputs, predicted in their own order, resumed exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fivefold.config import PipelineConfig, TrainerConfig
from fivefold.errors import Interrupted
from fivefold.tasks.classification import Classification
from fivefold.tasks.regression import Regression
from fivefold.training.callback import Callback
from fivefold.training.inference import predict_outputs
from fivefold.training.loading.prefetch import to_device
from fivefold.training.trainer import Trainer
from uneven import Reader, Sequences

CPU = torch.device("cpu")


def build() -> Classification:
    torch.manual_seed(0)
    return Classification(Reader(), ["zeros", "ones"], input=("input", "lengths"))


def trainer(task: Classification, directory: Path, *callbacks: Callback) -> Trainer:
    config = PipelineConfig(
        epochs=2, batch_size=8, trainer=TrainerConfig(checkpoint_every=3, log_every=1, probe=False)
    )
    return Trainer(
        task, Sequences(90), Sequences(20, seed=1), config=config, device=CPU, directory=directory,
        callbacks=callbacks, progress=False, tensorboard=False,
    )  # fmt: skip


def test_outputs_come_in_the_order_of_the_samples() -> None:
    task, samples = build().eval(), Sequences(50)
    outputs = predict_outputs(task, samples, device=CPU, batch_size=7)
    for index in range(50):
        alone = task.predict(samples.batch(torch.tensor([index])))
        assert torch.allclose(alone["logits"][0], torch.from_numpy(outputs["logits"][index]), atol=1e-6)
        assert int(alone["target"]) == outputs["target"][index]


def test_lengths_stay_on_the_host() -> None:
    batch = Sequences(4).batch(torch.arange(4))
    moved = to_device(batch, torch.device("meta"))
    assert moved["lengths"].device == CPU
    assert moved["input"].device == torch.device("meta")


def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    class Stop(Callback):
        def on_log(self, record: dict[str, object]) -> None:
            if record["step"] == 7:
                import os
                import signal

                os.kill(os.getpid(), signal.SIGTERM)

    whole = trainer(build(), tmp_path / "whole")
    whole.fit()
    with pytest.raises(Interrupted):
        trainer(build(), tmp_path / "stopped", Stop()).fit()
    resumed = trainer(build(), tmp_path / "stopped")
    resumed.fit(resume=True)
    for name, value in whole.task.state_dict().items():
        assert torch.equal(value, resumed.task.state_dict()[name]), name


def test_regression_reads_several_inputs_and_leaves_tokens_as_they_are() -> None:
    class Mean(torch.nn.Module):
        def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            return ids.sum(dim=1) / lengths

    task = Regression(Mean(), input=("input", "lengths"), standardise_inputs=False)
    samples = Sequences(30)
    task.prepare(samples)
    assert task.input_scale.shape == ()
    assert float(task.target_scale) == pytest.approx(samples.targets_std(), rel=1e-5)
    batch = samples.batch(torch.arange(5))
    expected = [float(one.float().mean()) for one in samples.sequences[:5]]
    assert task.standardised(batch["input"], batch["lengths"])[:, 0].tolist() == pytest.approx(expected)
