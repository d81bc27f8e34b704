"""Regression: one or several numbers for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.tasks.base import Inputs, Loss, Outputs, Task, inputs_of
from fivefold.tasks.moments import Moments
from fivefold.tasks.reading import in_batches

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Evaluation
    from fivefold.evaluation.metric import Metric
    from fivefold.evaluation.section import Section

BUFFERS = ("input_mean", "input_scale", "target_mean", "target_scale")


class Regression(Task):
    """Squared error on standardised targets, from standardised inputs; predictions are in the data's units.

    Batches hold the input, whose last dimension are features, and ``target`` of shape ``(B, K)`` or ``(B,)``.
    Outputs are ``prediction`` and ``target``, both ``(B, K)``. Means and scales (of features over everything
    but the last dimension, of targets over samples) come from the training split, and are saved with the
    weights.
    """

    input_mean: Tensor
    input_scale: Tensor
    target_mean: Tensor
    target_scale: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        input: Inputs = "input",  # noqa: A002 - the batch's key
        standardise_inputs: bool = True,
    ) -> None:
        """Settings.

        Args:
            network: inputs ``(B, ..., F)`` to ``(B, K)`` or ``(B,)``.
            input: key of the batch that the network reads, or several in the order of its arguments; only the
                first is standardised.
            standardise_inputs: whether inputs are standardised by feature; not where they are normalised
                already, or their last dimension is none of features (images).
        """
        super().__init__()
        self.network = network
        self.input = input
        self.standardise_inputs = standardise_inputs
        for name in BUFFERS:
            self.register_buffer(name, torch.zeros(()) if name.endswith("mean") else torch.ones(()))
        self.register_load_state_dict_pre_hook(_take_shapes)  # type: ignore[no-untyped-call] # torch lacks types

    def prepare(self, train: Dataset) -> None:
        """Set means and scales; a feature or target that never varies is only shifted.

        Raises:
            DataError: a value of the training split is missing or infinite.
        """
        first = self.input if isinstance(self.input, str) else self.input[0]
        inputs, targets = Moments(first), Moments("target")
        for indices, batch in in_batches(train):
            if self.standardise_inputs:
                inputs.add(inputs_of(batch, self.input)[0], indices, train)
            target = batch["target"]
            targets.add(target.reshape(len(target), -1), indices, train)
        self.target_mean, self.target_scale = targets.mean, targets.scale
        if self.standardise_inputs:
            self.input_mean, self.input_scale = inputs.mean, inputs.scale

    def standardised(self, x: Tensor, *more: Tensor) -> Tensor:
        """The network's answer in standardised units: inputs ``(B, ..., F)`` to ``(B, K)``, float32."""
        if self.standardise_inputs:
            x = (x - self.input_mean) / self.input_scale
        answer: Tensor = self.network(x, *more)
        return answer.float().reshape(len(x), -1)

    def forward(self, x: Tensor, *more: Tensor) -> Tensor:
        """Predictions in the data's units: inputs ``(B, ..., F)`` to ``(B, K)``."""
        return self.standardised(x, *more) * self.target_scale + self.target_mean

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """Mean squared error in standardised units."""
        target = batch["target"].reshape(len(batch["target"]), -1)
        wanted = (target - self.target_mean) / self.target_scale
        return Loss(F.mse_loss(self.standardised(*inputs_of(batch, self.input)), wanted.float()), len(target))

    def predict(self, batch: Batch) -> Batch:
        """``prediction``, shape ``(B, K)``, and ``target`` likewise where the batch has it."""
        outputs = {"prediction": self(*inputs_of(batch, self.input))}
        if "target" in batch:
            outputs["target"] = batch["target"].reshape(len(batch["target"]), -1)
        return outputs

    def metrics(self) -> Sequence[Metric]:
        """Mean absolute error first; see `fivefold.evaluation.regression_metrics`."""
        from fivefold.evaluation.regression_metrics import regression_metrics  # noqa: PLC0415 - keeps training light

        return regression_metrics()

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Records ``{"prediction": number}``, or a list of numbers where there are several targets."""
        rows = outputs["prediction"].tolist()
        return [{"prediction": row[0] if len(row) == 1 else row} for row in rows]

    def sections(self, evaluation: Evaluation, facts: Facts) -> list[Section]:  # noqa: ARG002 - the interface
        """Predicted against actual values, and residuals in the order of samples."""
        from fivefold.evaluation.regression_sections import regression_sections  # noqa: PLC0415 - imported where it is used

        return regression_sections(evaluation)


def _take_shapes(task: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before weights are loaded: give the buffers the shapes that `prepare` gave those that were saved."""
    for name in BUFFERS:
        saved = state.get(prefix + name)
        if saved is not None:
            setattr(task, name, torch.empty_like(saved, device=getattr(task, name).device))
