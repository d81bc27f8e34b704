"""Classification: one class of several for each sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.errors import ConfigError, DataError
from fivefold.tasks.base import Inputs, Loss, Outputs, Task, inputs_of
from fivefold.tasks.reading import target_codes

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Evaluation
    from fivefold.evaluation.metric import Metric
    from fivefold.evaluation.section import Section

FEWEST_CLASSES = 2


class Classification(Task):
    """Cross-entropy over classes, with probabilities calibrated by a temperature (Guo et al. 2017).

    Batches hold the input and ``target``: int64 codes of shape ``(B,)``, or shares of classes of shape
    ``(B, C)`` where an augmentation mixes samples. Outputs are ``logits`` (as the network gives them),
    ``probabilities`` (calibrated), both ``(B, C)``, and ``target``.

    `forward`, which predictions and exports run, gives calibrated logits: their softmax is the probabilities.
    """

    temperature: Tensor
    class_weight: Tensor | None

    def __init__(
        self,
        network: nn.Module,
        classes: Sequence[str],
        *,
        input: Inputs = "input",  # noqa: A002 - the batch's key
        label_smoothing: float = 0.0,
        class_weights: bool = False,
        view: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        """Settings.

        Args:
            network: inputs ``(B, ...)`` to logits ``(B, C)``.
            classes: names in the order of their codes, two or more.
            input: key of the batch that the network reads, or several in the order of its arguments (a
                sequence and its lengths); the first is what ``view`` looks at.
            label_smoothing: share of each target spread over all classes, 0 to 1.
            class_weights: weigh samples inversely to the frequency of their class in the training split.
            view: a second look at the inputs (mirrored, say) whose logits are averaged in when predicting.

        Raises:
            ConfigError: fewer than two classes, or two of the same name.
        """
        super().__init__()
        if len(classes) < FEWEST_CLASSES:
            raise ConfigError(
                f"classification expects two classes or more, found {len(classes)}"
                f"{': ' + ', '.join(classes) if classes else ''}; give data with at least two"
            )
        if len(set(classes)) < len(classes):
            raise ConfigError(
                f"classes must differ in name, found {', '.join(classes)}; rename or merge the equal ones"
            )
        self.network = network
        self.classes = tuple(classes)
        self.input = input
        self.label_smoothing = label_smoothing
        self.view = view
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("class_weight", torch.ones(len(classes)) if class_weights else None)

    def prepare(self, train: Dataset) -> None:
        """Set class weights; the mean weight of a training sample is one.

        The counts are the data's fact ``class_counts`` where they state it, else the labels are gone through.

        Raises:
            DataError: a training sample's label is not one of the classes, or a class has no training sample.
        """
        if self.class_weight is None:
            return
        counts = self._count(train)
        if bool((counts == 0).any()):
            absent = [name for name, count in zip(self.classes, counts.tolist(), strict=True) if count == 0]
            raise DataError(
                f"class weights expect training samples of every class, found none of {', '.join(absent)}; "
                "add some, drop the class, or switch class weights off"
            )
        self.class_weight.copy_(counts.sum() / (len(self.classes) * counts))

    def _count(self, train: Dataset) -> Tensor:
        stated = train.facts.get("class_counts")
        if stated is not None:
            return torch.tensor(stated, dtype=torch.float64)
        codes = torch.from_numpy(target_codes(train))
        if bool(((codes < 0) | (codes >= len(self.classes))).any()):
            raise DataError(
                f"training labels must be codes 0 to {len(self.classes) - 1}, "
                f"found {int(codes.min())} to {int(codes.max())}; leave unlabelled samples out"
            )
        return torch.bincount(codes, minlength=len(self.classes)).double()

    def logits(self, x: Tensor, *more: Tensor) -> Tensor:
        """The network's logits, averaged over the views: inputs ``(B, ...)`` to ``(B, C)``, float32."""
        logits: Tensor = self.network(x, *more).float()
        if self.view is not None:
            logits = (logits + self.network(self.view(x), *more).float()) / 2
        return logits

    def forward(self, x: Tensor, *more: Tensor) -> Tensor:
        """Calibrated logits: inputs ``(B, ...)`` to ``(B, C)``, whose softmax is the probabilities."""
        return self.logits(x, *more) / self.temperature

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """Cross-entropy, summed over samples by class weight and divided by their number."""
        logits, target = self.network(*inputs_of(batch, self.input)).float(), batch["target"]
        size, smoothing, weight = len(target), self.label_smoothing, self.class_weight
        if weight is None:
            return Loss(F.cross_entropy(logits, target, label_smoothing=smoothing), size)
        # Reduced by torch, the mean would be over the weights of the batch's classes.
        total = F.cross_entropy(logits, target, weight, label_smoothing=smoothing, reduction="sum")
        return Loss(total / size, size)

    def predict(self, batch: Batch) -> Batch:
        """``logits`` and ``probabilities``, shape ``(B, C)``, and ``target`` where the batch has it."""
        logits = self.logits(*inputs_of(batch, self.input))
        outputs = {"logits": logits, "probabilities": (logits / self.temperature).softmax(dim=1)}
        return outputs | {"target": batch["target"]} if "target" in batch else outputs

    def calibrate(self, outputs: Outputs) -> None:
        """Fit the temperature on validation outputs."""
        from fivefold.evaluation.calibration import fit_temperature  # noqa: PLC0415 - keeps training light

        self.temperature.fill_(fit_temperature(outputs["logits"], outputs["target"]))

    def metrics(self) -> Sequence[Metric]:
        """Accuracy first; see `fivefold.evaluation.classification_metrics`."""
        from fivefold.evaluation.classification_metrics import classification_metrics  # noqa: PLC0415 - imported where it is used

        return classification_metrics(len(self.classes), self.classes)

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Records ``{"label", "probability", "probabilities": {class: probability}}``."""
        records = []
        for row in outputs["probabilities"].tolist():
            best = max(range(len(row)), key=row.__getitem__)
            shares = dict(zip(self.classes, row, strict=True))
            records.append({"label": self.classes[best], "probability": row[best], "probabilities": shares})
        return records

    def sections(self, evaluation: Evaluation, facts: Facts) -> list[Section]:  # noqa: ARG002 - the interface
        """Per-class table, confusion matrix, calibration, probable label errors, most confident mistakes."""
        from fivefold.evaluation.classification_sections import classification_sections  # noqa: PLC0415 - imported where it is used

        return classification_sections(evaluation, self.classes, float(self.temperature))
