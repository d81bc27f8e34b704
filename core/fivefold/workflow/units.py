"""What of the samples judged is independent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fivefold.data.dataset import Dataset
from fivefold.data.leakage import Finding
from fivefold.data.table import Array, Table
from fivefold.pipeline import Pipeline


def units_judged(
    samples: Dataset, table: Table, findings: Sequence[Finding], pipeline: Pipeline
) -> Array | None:
    """The independent unit of each sample, shape ``(N,)``; None where each stands for itself.

    Samples that stand more than once are one unit together, where the data name no units: their copies tell nothing
    new, and counted as if they did, they would make intervals too narrow.

    Args:
        samples: those that are judged.
        table: their rows.
        findings: of a leakage search that looked at the same rows, as ``test`` or ``judged``.
        pipeline: tells equal rows.
    """
    within = {("test", "test"), ("judged", "judged")}
    repeated = any(one.kind == "exact duplicate" and one.splits in within for one in findings)
    if samples.units is not None or not repeated or len(samples) != len(table):
        return samples.units
    first: dict[object, int] = {}
    return np.array(
        [first.setdefault(key, row) for row, key in enumerate(pipeline.fingerprints(table).exact)]
    )
