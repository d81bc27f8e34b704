"""The test that a forecast must pass, beside the interval of its advantage, to be said to beat a baseline."""

from __future__ import annotations

from collections.abc import Sequence

from fivefold.data.table import Array
from fivefold.evaluation.diebold_mariano import NAME, diebold_mariano, in_words
from fivefold.evaluation.forecast_metrics import LOSSES, Outputs
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.paired_test import PairedTest, told_p_value


def forecast_tests(
    metric: Metric, outputs: Outputs, rival: Outputs, horizon: int, scale: Array
) -> Sequence[PairedTest]:
    """The Diebold-Mariano test of the losses that ``metric`` averages; none for other metrics than MSE and MAE.

    Args:
        metric: one of `fivefold.evaluation.forecast_metrics`.
        outputs: the model's.
        rival: the baseline's on the same samples.
        horizon: steps ahead, ``H``.
        scale: standard deviation of each target in the training split, shape ``(K,)``.
    """
    loss = LOSSES.get(metric.name)
    if loss is None:
        return ()
    found = diebold_mariano(loss(outputs, scale), loss(rival, scale), outputs["time"], horizon)
    words = f"{in_words(found).removesuffix('.')} (p {told_p_value(found.p_value)})."
    return (PairedTest(NAME, found.statistic, found.p_value, words),)
