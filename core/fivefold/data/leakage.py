"""Search for what stands on both sides of a split: equal samples, near-equal samples, groups, time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One kind of leakage between (or repetition within) splits.

    Attributes:
        kind: what was found.
        splits: names of the two splits (the same twice for repetition within one).
        count: how many samples (or groups) are concerned.
        text: one sentence for people.
        examples: pairs of sample names, at most ten.
        severe: whether ``--strict`` fails on it.
    """

    kind: Literal["exact duplicate", "near duplicate", "group overlap", "time overlap", "conflicting labels"]
    splits: tuple[str, str]
    count: int
    text: str
    examples: tuple[tuple[str, str], ...] = ()
    severe: bool = True
