"""Metrics of language models, from ``nats`` (sums), ``tokens`` and ``target`` (characters), each ``(N,)``.

Rates are sums over sums, so that samples count by their length. Bits per character compares models of any tokens;
perplexity per token compares models of the same tokens only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.metric import Metric, Values

Outputs = Mapping[str, Array]


def language_metrics() -> tuple[Metric, ...]:
    """Bits per character (the headline), nats per character, and perplexity per token."""
    return (
        Metric.from_sums(
            "bits per character",
            _of_characters,
            lambda sums, _: sums[:, 0] / sums[:, 1] / math.log(2),
            higher_is_better=False,
            headline=True,
        ),
        Metric.from_sums(
            "nats per character",
            _of_characters,
            lambda sums, _: sums[:, 0] / sums[:, 1],
            higher_is_better=False,
        ),
        Metric.from_sums(
            "perplexity per token",
            lambda outputs: _pair(outputs, "tokens"),
            lambda sums, _: np.exp(sums[:, 0] / sums[:, 1]),
            higher_is_better=False,
        ),
    )


def _of_characters(outputs: Outputs) -> Values:
    return _pair(outputs, "target")


def _pair(outputs: Outputs, unit: str) -> Values:
    """Nats, and what they are counted by, as float64 ``(N, 2)``."""
    return np.stack([np.asarray(outputs[name], dtype=np.float64) for name in ("nats", unit)], axis=1)
