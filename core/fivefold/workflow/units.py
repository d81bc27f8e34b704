"""What of the samples judged is independent."""

from __future__ import annotations

import numpy as np

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array


def units_judged(samples: Dataset, exact: Array | None) -> Array | None:
    """The independent unit of each sample, shape ``(N,)``; None where each stands for itself.

    Samples that stand more than once are one unit together, where the data name no units: their copies tell nothing
    new, and counted as if they did, they would make intervals too narrow.

    Args:
        samples: those that are judged.
        exact: `fivefold.data.fingerprint.Fingerprints.exact` of their rows, if known.
    """
    if samples.units is not None or exact is None or len(exact) != len(samples):
        return samples.units
    first: dict[object, int] = {}
    units = np.array([first.setdefault(key, row) for row, key in enumerate(exact)])
    return units if len(first) < len(units) else None
