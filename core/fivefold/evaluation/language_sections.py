"""What the report of every language model shows: how well each stretch of the split was predicted."""

from __future__ import annotations

import math

import numpy as np

from fivefold.data.dataset import Facts
from fivefold.data.table import Array
from fivefold.evaluation.baselines.ngrams import HasSpans
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.figures import BLUE, GREY, ORANGE, canvas, finish
from fivefold.evaluation.metric import Values
from fivefold.evaluation.section import Figure, Section

MOST_BLOCKS = 400
"""Points drawn at most; of a longer split, neighbouring blocks are taken together."""
SHOWN = 20
"""Unknown characters named."""


def language_sections(evaluation: Evaluation, facts: Facts) -> list[Section]:
    """Bits per character along the split, with what context tokens had and which characters were unknown."""
    text, numbers = _scored(evaluation, facts)
    rivals = evaluation.baseline_outputs
    best = min(rivals, key=lambda name: float(rivals[name]["nats"].sum()), default=None)
    own = _along(evaluation, evaluation.outputs["nats"])
    other = None if best is None else _along(evaluation, rivals[best]["nats"])
    return [
        Section(
            title="Along the text",
            text=text,
            figures=(_curve(own, other, best or ""),),
            facts={**numbers, "blocks": len(own), "hardest": float(np.nanmax(own))},
            key="along",
        )
    ]


def _scored(evaluation: Evaluation, facts: Facts) -> tuple[str, dict[str, int]]:
    """What was scored, in words and numbers."""
    characters = int(evaluation.outputs["target"].sum())
    tokens = int(evaluation.outputs["tokens"].sum())
    words = f"Each of {tokens:,} tokens ({characters:,} characters) was scored once"
    if "context" in facts and "stride" in facts:
        least = facts["context"] - facts["stride"]
        words += (
            f", from windows of {facts['context']:,} tokens: with at least {least:,} tokens before it, where the "
            f"text has as many, and {facts['context'] - 1:,} at most"
        )
    numbers = {"characters": characters, "tokens": tokens}
    if not isinstance(evaluation.samples, HasSpans) or "alphabet" not in facts:
        return words + ".", numbers
    known = set(facts["alphabet"])
    unknown: dict[str, int] = {}
    for document in evaluation.samples.documents:
        for character in set(document) - known:
            unknown[character] = unknown.get(character, 0) + document.count(character)
    numbers["unknown"] = sum(unknown.values())
    if not unknown:
        return f"{words}. Every character occurs in the training split.", numbers
    named = " ".join(repr(character) for character in sorted(unknown, key=lambda one: -unknown[one])[:SHOWN])
    return (
        (
            f"{words}.\n\n{numbers['unknown']:,} characters never occur in the training split ({named}); the "
            "baselines take them all for one unknown character, and so does a model whose tokens are characters."
        ),
        numbers,
    )


def _along(evaluation: Evaluation, nats: Array) -> Values:
    """Bits per character of each block of the split, in order."""
    units = evaluation.units if evaluation.units is not None else np.arange(len(nats))
    block = np.unique(units, return_inverse=True)[1].reshape(-1)
    block = block * min(MOST_BLOCKS, block.max() + 1) // (block.max() + 1)
    sums = np.bincount(block, weights=nats)
    characters = np.bincount(block, weights=evaluation.outputs["target"])
    return np.where(characters > 0, sums / np.maximum(characters, 1) / math.log(2), np.nan)


def _curve(own: Values, other: Values | None, name: str) -> Figure:
    with canvas(7.2, 3.2) as drawn:
        axes = drawn.subplots()
        if other is not None:
            axes.plot(other, color=ORANGE, linewidth=1, label=name)
        axes.plot(own, color=BLUE, linewidth=1.4, label="the model")
        axes.axhline(float(np.nanmean(own)), color=GREY, linewidth=1, linestyle="--")
        axes.set_xlabel("Stretch of the split, in order")
        axes.set_ylabel("Bits per character")
        axes.legend()
        return finish(
            drawn,
            caption="Bits per character along the split; dashed is the model's mean over stretches.",
            alt=(
                f"Bits per character of {len(own)} stretches, from {np.nanmin(own):.3g} to {np.nanmax(own):.3g}."
            ),
        )
