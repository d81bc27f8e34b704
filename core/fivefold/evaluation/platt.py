"""Platt's (1999) scale and shift of a question's logits, given answers and a weak prior on the scale.

Where a threshold parts every yes from every no, or nearly does, the likelihood grows with the scale without an end, or
nearly so, and would turn all probabilities into 0 and 1. Platt smooths the answers against that; here the scale has the
prior of temperature scaling instead (`fivefold.evaluation.calibration.fit_temperature`), so that both behave alike. The
shift needs none: with a yes and a no, and a finite scale, it is finite.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, special

from fivefold.data.table import Array
from fivefold.evaluation.calibration import LIMIT, SPREAD, penalty
from fivefold.evaluation.metric import Values


def fit_platt(logits: Array, truth: Array) -> tuple[float, float]:
    """The most probable scale and shift of logits (maximum a posteriori).

    Args:
        logits: shape ``(N,)``.
        truth: 1 is yes, 0 is no, nan is not known and takes no part, shape ``(N,)``.

    Returns:
        ``scale`` and ``shift`` of ``expit(scale * logit + shift)``; 1 and 0 where an answer is missing, or logits are
        no higher for yes than for no on the mean, which no scale above zero mends.
    """
    known = ~np.isnan(truth)
    logits, yes = np.asarray(logits, dtype=np.float64)[known], np.asarray(truth)[known] == 1
    if not yes.any() or yes.all() or logits[yes].mean() <= logits[~yes].mean():
        return 1.0, 0.0

    # Shifted by the middle between yes and no, scale and shift hardly depend on each other.
    middle = (logits[yes].mean() + logits[~yes].mean()) / 2
    centred = logits - middle

    def surprise(parameters: Values) -> tuple[float, Values]:
        log_scale, shift = parameters
        scaled = np.exp(log_scale) * centred
        linear = scaled + shift
        lost = float(np.logaddexp(0, np.where(yes, -linear, linear)).sum())
        missed = special.expit(linear) - yes
        slope = float(missed @ scaled) + log_scale / SPREAD**2
        return lost + penalty(float(log_scale)), np.array([slope, float(missed.sum())])

    bound = float(np.log(LIMIT))
    found = optimize.minimize(
        surprise, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-bound, bound), (None, None)],
        options={"ftol": 1e-14, "gtol": 1e-9},
    )  # fmt: skip
    scale = float(np.exp(found.x[0]))
    return scale, float(found.x[1]) - scale * float(middle)
