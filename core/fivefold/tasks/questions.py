"""Yes/no questions about each sample: several at once, exclusive classes, or ordered grades.

All three are judged alike, question by question. Shapes: ``B`` batch, ``Q`` questions, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.table import Array
from fivefold.errors import ConfigError, DataError
from fivefold.tasks.base import Inputs, Loss, Outputs, Task, inputs_of

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Evaluation
    from fivefold.evaluation.metric import Metric
    from fivefold.evaluation.paired_test import PairedTest
    from fivefold.evaluation.section import Section

Form = Literal["independent", "exclusive", "ordered"]

_FEWEST_CLASSES = 2
_HALF = 0.5


class Questions(Task):
    """Probabilities of yes, calibrated on the validation split, with a threshold fitted there for each question.

    Batches hold the input and ``target``, float ``(B, Q)``: 1 yes, 0 no, nan not known. What is not known takes
    no part in the loss. Three forms:

    - ``independent``: each question for itself (sigmoid); missing answers are masked.
    - ``exclusive``: one of ``C`` classes (softmax); the questions are "is it this class?", ``Q = C``.
    - ``ordered``: one of ``C`` grades; the questions are "is it at least this grade?", ``Q = C - 1``, and their
      probabilities never rise from grade to grade (a cumulative link: McCullagh 1980; Frank and Hall 2001).

    Outputs are ``logits`` as the network gives them (ordered ones already descending), ``probabilities``
    (calibrated), and ``target``, each ``(B, Q)``. Calibration is Platt's (1999) scale and shift a question; one
    scale and shift for all of an ordered set, so that they stay in order; a temperature for exclusive classes.
    """

    scale: Tensor
    shift: Tensor
    threshold: Tensor
    weight_yes: Tensor
    weight_no: Tensor

    def __init__(
        self,
        network: nn.Module,
        names: Sequence[str],
        *,
        form: Form = "independent",
        classes: Sequence[str] = (),
        input: Inputs = "input",  # noqa: A002 - the batch's key
        focal: float = 0.0,
        class_weights: bool = False,
        specificity: float = 0.9,
    ) -> None:
        """Settings.

        Args:
            network: inputs ``(B, ...)`` to logits ``(B, Q)``.
            names: of the questions.
            form: see above.
            classes: what a single answer is called: of one independent question no and yes, of exclusive
                classes their names, of grades all of them from the lowest; empty where several are asked.
            input: key of the batch that the network reads, or several in the order of its arguments.
            focal: exponent of the focal loss (Lin et al. 2017), which turns from what is already sure; 0 for none.
            class_weights: weigh yes and no of each question (or each class) so that they count alike, however rare.
            specificity: that the threshold of each question is to reach on the validation split, 0 to 1.

        Raises:
            ConfigError: names are missing or stand twice, or do not fit the classes.
        """
        super().__init__()
        _check_names(names, classes, form)
        self.network = network
        self.names = tuple(names)
        self.form = form
        self.classes = tuple(classes)
        self.input = input
        self.focal = focal
        self.class_weights = class_weights
        self.specificity = specificity
        ones = torch.ones(len(names))
        self.register_buffer("scale", ones.clone())
        self.register_buffer("shift", torch.zeros(len(names)))
        self.register_buffer("threshold", torch.full((len(names),), _HALF))
        self.register_buffer("weight_yes", ones.clone())
        self.register_buffer("weight_no", ones.clone())

    def prepare(self, train: Dataset) -> None:
        """Set the weights of yes and no from the data's facts ``yes_counts`` and ``known_counts``, each ``(Q,)``.

        Raises:
            DataError: a question has no yes, or no no, among the training samples.
        """
        if not self.class_weights:
            return
        yes = torch.tensor(train.facts.yes_counts, dtype=torch.float64)
        known = torch.tensor(train.facts.known_counts, dtype=torch.float64)
        lacking = [name for name, one, all_ in zip(self.names, yes, known, strict=True) if not 0 < one < all_]
        if lacking:
            raise DataError(
                f"class_weights expects training samples with yes and with no, found only one of them for "
                f"{', '.join(lacking)}; add samples, drop the question, or switch the weights off"
            )
        if self.form == "exclusive":
            self.weight_yes.copy_(known / (len(self.names) * yes))
            return
        self.weight_yes.copy_(known / (2 * yes))
        self.weight_no.copy_(known / (2 * (known - yes)))

    def logits(self, x: Tensor, *more: Tensor) -> Tensor:
        """The network's logits, float32 ``(B, Q)``; of ordered questions, descending."""
        raw: Tensor = self.network(x, *more).float()
        if self.form == "ordered" and raw.shape[1] > 1:
            raw = torch.cat([raw[:, :1], -F.softplus(raw[:, 1:])], dim=1).cumsum(dim=1)
        return raw

    def forward(self, x: Tensor, *more: Tensor) -> Tensor:
        """Calibrated logits ``(B, Q)``: their sigmoid (of exclusive classes their softmax) is the probabilities."""
        return self.logits(x, *more) * self.scale + self.shift

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """Cross-entropy, focal and weighted as set: a mean over the answers, or samples of a class, that are known."""
        logits, target = self.logits(*inputs_of(batch, self.input)), batch["target"].float()
        known, truth = ~target.isnan(), target.nan_to_num()
        if self.form == "exclusive":
            sure = logits.log_softmax(dim=1)
            known = known.all(dim=1, keepdim=True)
            each = -(truth * self.weight_yes * self._focus(sure) * sure).sum(dim=1, keepdim=True)
        else:
            yes, no = F.logsigmoid(logits), F.logsigmoid(-logits)
            each = -(truth * self.weight_yes * self._focus(yes) * yes)
            each = each - (1 - truth) * self.weight_no * self._focus(no) * no
        count = known.sum()
        return Loss((each * known).sum() / count.clamp(min=1), count)

    def _focus(self, sure: Tensor) -> Tensor | float:
        """How much an answer still counts of which the chance has the logarithm ``sure``."""
        if not self.focal:
            return 1.0
        # At a chance of exactly 1, the slope of a power below 1 is infinite.
        return (-torch.expm1(sure)).clamp(min=torch.finfo(sure.dtype).tiny) ** self.focal

    def predict(self, batch: Batch) -> Batch:
        """``logits`` and ``probabilities``, ``(B, Q)``, and ``target`` where the batch has it."""
        logits = self.logits(*inputs_of(batch, self.input))
        outputs = {"logits": logits, "probabilities": self._probabilities(logits)}
        return outputs | {"target": batch["target"]} if "target" in batch else outputs

    def _probabilities(self, logits: Tensor) -> Tensor:
        calibrated = logits * self.scale + self.shift
        return calibrated.softmax(dim=1) if self.form == "exclusive" else calibrated.sigmoid()

    def calibrate(self, outputs: Outputs) -> None:
        """Fit scales, shifts and thresholds on validation outputs.

        A question that the validation split does not answer both ways keeps its network's probabilities, as does one
        whose logits are no higher for yes than for no. Where a threshold parts all answers without a mistake, or all
        classes are told right, a weak prior keeps the scale near 1 (`fit_platt`, `fit_temperature`). The threshold
        stays one half where there is no sample with the answer no.
        """
        from fivefold.evaluation.operating_point import threshold_at_specificity  # noqa: PLC0415 - keeps training light

        logits, target = torch.from_numpy(np.asarray(outputs["logits"])).float(), outputs["target"]
        self._fit(logits, target)
        probabilities = self._probabilities(logits.to(self.scale.device)).cpu().numpy()
        for question in range(len(self.names)):
            truth = target[:, question]
            if (truth == 0).any():
                self.threshold[question] = threshold_at_specificity(
                    probabilities[:, question], truth, self.specificity
                )

    def _fit(self, logits: Tensor, target: Any) -> None:
        from fivefold.evaluation.calibration import fit_temperature  # noqa: PLC0415 - keeps training light
        from fivefold.evaluation.platt import fit_platt  # noqa: PLC0415 - keeps training light

        raw = logits.double().numpy()
        if self.form == "exclusive":
            known = ~np.isnan(target).any(axis=1)
            self.scale.fill_(1 / fit_temperature(raw[known], target[known].argmax(axis=1)))
            return
        if self.form == "ordered":
            found = [fit_platt(raw.reshape(-1), target.reshape(-1))] * len(self.names)
        else:
            found = [fit_platt(raw[:, one], target[:, one]) for one in range(len(self.names))]
        for question, (scale, shift) in enumerate(found):
            self.scale[question], self.shift[question] = scale, shift

    def metrics(self) -> Sequence[Metric]:
        """AUROC first; see `fivefold.evaluation.question_metrics`."""
        from fivefold.evaluation.question_metrics import question_metrics  # noqa: PLC0415 - imported where it is used

        return question_metrics(self.names)

    def tests(self, metric: Metric, outputs: Outputs, rival: Outputs) -> Sequence[PairedTest]:
        """A permutation test of AUPRC against what tells no sample from another; see `chance_tests`."""
        from fivefold.evaluation.chance_test import chance_tests  # noqa: PLC0415 - imported where it is used

        return chance_tests(outputs, rival) if metric.name == "AUPRC" and "probabilities" in rival else ()

    def said(self, probabilities: Array) -> NDArray[np.bool_]:
        """Whether the answer is yes, shape ``(B, Q)``: where the probability, ``(B, Q)``, reaches the threshold.

        Thresholds of grades, fitted each for itself, may fall from grade to grade faster than probabilities do, so
        that a higher grade reaches its own where a lower one does not. A grade is therefore a yes only where all
        lower ones are, too: a yes is taken back and none is added, so that no specificity falls below what its
        threshold was fitted for, and sensitivity falls by those samples only (raising the thresholds until they rise
        with the grades would lose many more).
        """
        # In float64, as a threshold must not be rounded to a probability.
        above: NDArray[np.bool_] = (
            np.asarray(probabilities, np.float64) >= self.threshold.cpu().double().numpy()
        )
        return np.logical_and.accumulate(above, axis=1) if self.form == "ordered" else above

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Records ``{"label", "probabilities": {question: p}, "above_threshold": {question: bool}}``.

        The label is the class: of one question by its threshold, of exclusive classes the most probable one, of
        grades the highest that is as likely as not. Where several questions are asked there is none. What is above
        its threshold is told by `said`: of grades, where all lower ones are, too. Of exclusive classes only the most
        probable one, the label, can be above, as a sample is of one class.
        """
        probabilities = np.asarray(outputs["probabilities"], np.float64)
        return [
            self._record(row, above)
            for row, above in zip(probabilities, self.said(outputs["probabilities"]), strict=True)
        ]

    def _record(self, row: Array, above: NDArray[np.bool_]) -> dict[str, Any]:
        if self.form == "exclusive":
            above = above & (np.arange(len(row)) == row.argmax())
        record: dict[str, Any] = {
            "probabilities": dict(zip(self.names, row.tolist(), strict=True)),
            "above_threshold": dict(zip(self.names, above.tolist(), strict=True)),
        }
        if not self.classes:
            return record
        if self.form == "exclusive":
            place = int(row.argmax())
        elif self.form == "ordered":
            place = int((row >= _HALF).sum())
        else:
            place = int(above[0])
        return {"label": self.classes[place], **record}

    def sections(self, evaluation: Evaluation, facts: Facts) -> list[Section]:  # noqa: ARG002 - the interface
        """Questions, DeLong's test, operating point, calibration, decision curve."""
        from fivefold.evaluation.question_sections import question_sections  # noqa: PLC0415 - imported where it is used

        return question_sections(
            evaluation,
            self.names,
            self.threshold.cpu().double().numpy(),
            self.said(evaluation.outputs["probabilities"]),
            self.specificity,
        )


def _check_names(names: Sequence[str], classes: Sequence[str], form: Form) -> None:
    if not names or len(set(names)) < len(names):
        raise ConfigError(
            f"questions must have names that differ, found {', '.join(names) or 'none'}; rename or merge the equal ones"
        )
    expected = {
        "independent": (0, 2) if len(names) == 1 else (0,),
        "exclusive": (len(names),),
        "ordered": (len(names) + 1,),
    }
    if len(classes) not in expected[form]:
        raise ConfigError(
            f"{len(names)} {form} questions expect {' or '.join(map(str, expected[form]))} classes, "
            f"found {len(classes)}"
        )
    if form == "exclusive" and len(names) < _FEWEST_CLASSES:
        raise ConfigError(f"exclusive classes must be two or more, found {', '.join(names)}")
