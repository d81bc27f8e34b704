"""Marks texts by what spoke for an output of the network, by integrated gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.integrated_gradients import (
    SMALLEST_GAP,
    Attribution,
    Output,
    integrated_gradients,
)
from fivefold.evaluation.section import Passage
from fivefold.nn.sequence import SequenceNetwork
from fivefold.tasks.classification import Classification
from fivefold_nlp.sentiment.data import TextDataset
from fivefold_nlp.sentiment.passages import marked_passage

Marked = tuple[Passage, dict[str, Any]]
"""A marked text, and the numbers behind it."""


@dataclass(frozen=True)
class Reader:
    """Marks texts of an evaluation.

    Attributes:
        evaluation: the judgement.
        texts: its samples.
        network: what was judged.
        pad: the token whose vector says nothing.
    """

    evaluation: Evaluation
    texts: TextDataset
    network: SequenceNetwork
    pad: int

    def mark(self, index: int, output: Output, caption: str, smallest_gap: float = SMALLEST_GAP) -> Marked:
        """The text at ``index``, marked by what spoke for ``output``, and the numbers of that."""
        tokens = self.texts.encoded[index]
        found = integrated_gradients(
            self.network,
            torch.from_numpy(tokens.ids),
            output,
            baseline=self.pad,
            kept=torch.from_numpy(tokens.ends <= tokens.starts),  # marks of begin and end say nothing
            smallest_gap=smallest_gap,
        )
        passage = marked_passage(
            f"{caption}. {completeness(found)}", self.texts.texts[index], tokens, found.parts
        )
        return passage, {
            "sample": str(self.evaluation.ids[index]),
            "output": found.output,
            "baseline": found.baseline,
            "gap": found.gap,
            "points": found.points,
            "converged": found.converged,
        }


def completeness(found: Attribution) -> str:
    """By how much the parts miss the change of the output, in words."""
    change = found.output - found.baseline
    share = f" ({100 * found.gap / abs(change):.1f} %)" if found.gap < abs(change) else ""
    told = f"The parts miss the change of {change:+.3g} by {found.gap:.2g}{share}"
    return f"{told}." if found.converged else f"{told}, which is too much: take the marks with care."


def log_odds(task: Classification, code: int) -> Output:
    """What makes, of a network's logits, the log-odds of a class against all others, as calibrated."""

    def of(logits: Tensor) -> Tensor:
        calibrated = logits / task.temperature
        others = torch.cat((calibrated[:, :code], calibrated[:, code + 1 :]), dim=1)
        return calibrated[:, code] - others.logsumexp(dim=1)

    return of
