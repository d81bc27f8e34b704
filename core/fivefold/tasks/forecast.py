"""Forecasts of the next steps of series: points or quantiles, with intervals that cover what they promise.

Shapes: ``B`` batch, ``L`` look-back, ``H`` horizon, ``F`` columns of the past, the first ``K`` of which are the
targets, ``C`` covariates known ahead, ``S`` static codes, ``Q`` quantiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.table import Array
from fivefold.errors import ConfigError
from fivefold.tasks.base import Loss, Outputs, Task
from fivefold.tasks.conformal import conformal_margin, outside
from fivefold.tasks.moments import Moments
from fivefold.tasks.reading import in_batches

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Evaluation
    from fivefold.evaluation.metric import Metric
    from fivefold.evaluation.paired_test import PairedTest
    from fivefold.evaluation.section import Section

PointLoss = Literal["mse", "mae", "huber"]

_HALF = 0.5
_LOSSES: dict[PointLoss, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
}


class Forecast(Task):
    """Forecasts in the data's units, from a network that works in standardised ones.

    Batches hold ``input`` ``(B, L, F)`` and ``target`` ``(B, H, K)``, and where the data have such ``known``
    ``(B, H, C)`` and ``static``, int64 ``(B, S)``. Every column is standardised by mean and deviation of the training
    split: the facts ``column_mean`` and ``column_scale`` (``F`` numbers each) where the data state them, else those
    over all steps of the training windows.

    Outputs are ``prediction``, ``lower`` and ``upper``, each ``(B, H, K)``, of quantile forecasts ``quantiles``
    ``(B, H, K, Q)``, and what the batch has of ``target``, ``last``, ``naive_error`` and ``time``. The prediction is
    the median of quantile forecasts. Quantiles never cross: they are put in order (Chernozhukov, Fernandez-Val and
    Galichon 2010, Econometrica 78), which never raises their loss.

    The interval is made to cover ``level`` of the validation split, for each step and target: by split conformal
    prediction around points, and by conformalised quantile regression around quantiles (see `conformal`). Without
    that, the bounds of points are nan, and those of quantiles the quantiles nearest to the level's. Series drift, so
    that they are not exchangeable and the promise holds only approximately.
    """

    given: ClassVar[tuple[str, ...]] = ("target", "last", "naive_error", "time")

    mean: Tensor
    scale: Tensor
    known_mean: Tensor
    known_scale: Tensor
    margin: Tensor
    levels: Tensor

    def __init__(
        self,
        network: nn.Module,
        facts: Facts,
        *,
        quantiles: Sequence[float] = (),
        loss: PointLoss = "mse",
        level: float = 0.9,
    ) -> None:
        """Settings.

        Args:
            network: ``(B, L, F)``, known or None, static or None to ``(B, H, K, Q)``; see `build_forecaster`.
            facts: ``features``, ``targets`` (names), ``horizon``, and where there are such ``known`` (names).
            quantiles: which to forecast, rising, with 0.5 and at least one on either side of it; none forecasts points.
            loss: of point forecasts; of quantiles it is the pinball loss.
            level: share that intervals are to cover.

        Raises:
            ConfigError: quantiles that are not as stated.
        """
        super().__init__()
        _check_quantiles(quantiles)
        self.network = network
        self.names = tuple(facts.targets)
        self.quantiles = tuple(quantiles)
        self.point_loss = _LOSSES[loss]
        self.level = level
        self.target_level = facts.get("level", "levels")
        known = len(facts.get("known", ()))
        self.register_buffer("mean", torch.zeros(facts.features))
        self.register_buffer("scale", torch.ones(facts.features))
        self.register_buffer("known_mean", torch.zeros(known))
        self.register_buffer("known_scale", torch.ones(known))
        margin = torch.full((facts.horizon, len(self.names)), 0.0 if quantiles else torch.nan)
        self.register_buffer("margin", margin)
        self.register_buffer("levels", torch.tensor(self.quantiles), persistent=False)

    def prepare(self, train: Dataset) -> None:
        """Set means and scales; a column that never varies is only shifted.

        Raises:
            DataError: a value of the training split is missing or infinite.
        """
        columns, known, targets = Moments("input"), Moments("known"), Moments("target")
        for indices, batch in in_batches(train):
            columns.add(batch["input"], indices, train)
            targets.add(batch["target"], indices, train)  # so that a missing one is told before training
            if "known" in batch:
                known.add(batch["known"], indices, train)
        facts = train.facts
        self.mean.copy_(torch.tensor(facts["column_mean"]) if "column_mean" in facts else columns.mean)
        self.scale.copy_(torch.tensor(facts["column_scale"]) if "column_scale" in facts else columns.scale)
        if len(self.known_mean):
            self.known_mean.copy_(known.mean)
            self.known_scale.copy_(known.scale)

    @property
    def target_scale(self) -> NDArray[np.float64]:
        """The standard deviation of each target in the training split, ``(K,)``."""
        scale: NDArray[np.float64] = self.scale[: len(self.names)].cpu().double().numpy()
        return scale

    def standardised(self, x: Tensor, known: Tensor | None = None, static: Tensor | None = None) -> Tensor:
        """Forecasts in standardised units, float32 ``(B, H, K, Q)``; quantiles in order."""
        if known is not None:
            known = (known - self.known_mean) / self.known_scale
        raw: Tensor = self.network((x - self.mean) / self.scale, known, static).float()
        return raw.sort(dim=-1).values if self.quantiles else raw

    def forward(self, x: Tensor, known: Tensor | None = None, static: Tensor | None = None) -> Tensor:
        """Forecasts in the data's units, ``(B, H, K, Q)``."""
        targets = len(self.names)
        mean, scale = self.mean[:targets, None], self.scale[:targets, None]
        return self.standardised(x, known, static) * scale + mean

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """The mean loss over steps and targets, and quantiles, in standardised units."""
        forecast = self.standardised(*_inputs(batch))
        targets = len(self.names)
        wanted = ((batch["target"] - self.mean[:targets]) / self.scale[:targets]).float()[..., None]
        if not self.quantiles:
            return Loss(self.point_loss(forecast, wanted), len(wanted))
        error = wanted - forecast
        return Loss(torch.maximum(self.levels * error, (self.levels - 1) * error).mean(), len(wanted))

    def predict(self, batch: Batch) -> Batch:
        """``prediction``, ``lower``, ``upper``, ``quantiles`` where forecast, and what is `given`."""
        forecast = self(*_inputs(batch))
        outputs = {"quantiles": forecast} if self.quantiles else {}
        if self.quantiles:
            prediction, low, high = (forecast[..., place] for place in self._places())
        else:
            prediction = low = high = forecast[..., 0]
        # A margin below 0 narrows an interval, but not past its own prediction.
        lower, upper = low - self.margin, high + self.margin
        if self.quantiles:
            lower, upper = torch.minimum(lower, prediction), torch.maximum(upper, prediction)
        outputs |= {"prediction": prediction, "lower": lower, "upper": upper}
        return outputs | {name: batch[name] for name in self.given if name in batch}

    def calibrate(self, outputs: Outputs) -> None:
        """Set the margins of intervals from validation outputs, for each step and target."""
        low = high = outputs["prediction"]
        if self.quantiles:
            _, below, above = self._places()
            low, high = (outputs["quantiles"][..., place] for place in (below, above))
        margin = conformal_margin(outside(outputs["target"], low, high), self.level)
        self.margin.copy_(torch.from_numpy(margin))

    def _places(self) -> tuple[int, int, int]:
        """Among the quantiles, the median, and those nearest to the bounds of an interval of `level`."""
        middle = self.quantiles.index(_HALF)
        tail = (1 - self.level) / 2
        below = min(range(middle), key=lambda place: abs(self.quantiles[place] - tail))
        above = min(
            range(middle + 1, len(self.quantiles)),
            key=lambda place: abs(self.quantiles[place] - (1 - tail)),
        )
        return middle, below, above

    def metrics(self) -> Sequence[Metric]:
        """See `fivefold.evaluation.forecast_metrics`."""
        from fivefold.evaluation.forecast_metrics import forecast_metrics  # noqa: PLC0415 - keeps training light

        return forecast_metrics(self.target_scale, self.target_level, self.quantiles, self.level)

    def tests(self, metric: Metric, outputs: Outputs, rival: Outputs) -> Sequence[PairedTest]:
        """Tests of equal accuracy that an advantage over a rival must pass as well."""
        from fivefold.evaluation.forecast_tests import forecast_tests  # noqa: PLC0415 - imported where it is used

        return forecast_tests(metric, outputs, rival, len(self.margin), self.target_scale)

    def sections(self, evaluation: Evaluation, facts: Facts) -> list[Section]:
        """See `fivefold.evaluation.forecast_sections`."""
        from fivefold.evaluation.forecast_sections import forecast_sections  # noqa: PLC0415 - imported where it is used

        return forecast_sections(evaluation, facts, self.target_scale)

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Records ``{"forecast": [{"step": 1, "target": name, "prediction", "lower", "upper"}, ...]}``.

        Quantile forecasts have ``quantiles`` as well, by their share as text. A bound that is not finite is None.
        """
        return [{"forecast": self._steps(outputs, sample)} for sample in range(len(outputs["prediction"]))]

    def _steps(self, outputs: Outputs, sample: int) -> list[dict[str, Any]]:
        values = {name: outputs[name][sample] for name in ("prediction", "lower", "upper")}
        steps: list[dict[str, Any]] = []
        for step in range(len(self.margin)):
            for place, name in enumerate(self.names):
                record: dict[str, Any] = {"step": step + 1, "target": name}
                record |= {key: _plain(array[step, place]) for key, array in values.items()}
                if self.quantiles:
                    row: Array = outputs["quantiles"][sample, step, place]
                    record["quantiles"] = {
                        f"{share:g}": float(value) for share, value in zip(self.quantiles, row, strict=True)
                    }
                steps.append(record)
        return steps


def _inputs(batch: Batch) -> tuple[Tensor, Tensor | None, Tensor | None]:
    return batch["input"], batch.get("known"), batch.get("static")


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _check_quantiles(quantiles: Sequence[float]) -> None:
    found = list(quantiles)
    rising = all(low < high for low, high in pairwise(found))
    inside = all(0 < share < 1 for share in found)
    if found and not (rising and inside and _HALF in found[1:-1]):
        raise ConfigError(
            "quantiles: expected rising shares between 0 and 1 with 0.5 and at least one on either side of it, such as "
            f"0.05, 0.5, 0.95, found {', '.join(f'{share:g}' for share in found)}"
        )
