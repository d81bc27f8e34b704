"""The picture of a range test."""

from __future__ import annotations

from pathlib import Path

from fivefold.evaluation.figures import BLUE, GREEN, GREY, ORANGE, canvas
from fivefold.files import written_aside
from fivefold.finding.learning_rate import RangeTest


def draw_range_test(test: RangeTest, path: Path) -> None:
    """Draw loss over learning rate, with the rates proposed, as a PNG at ``path``.

    Raises:
        StorageError: the file cannot be written.
    """
    rates = [point.rate for point in test.points]
    averaged = [point.averaged for point in test.points]
    with canvas() as drawn:
        axes = drawn.subplots()
        axes.plot(rates, [point.loss for point in test.points], color=GREY, linewidth=0.7, label="a batch")
        axes.plot(rates, averaged, color=BLUE, linewidth=1.8, label=f"averaged over {test.width} steps")
        for name, rate, colour in (
            ("safer", test.proposal.safer, GREEN),
            ("steepest", test.proposal.rate, ORANGE),
        ):
            if rate is not None:
                axes.axvline(rate, color=colour, linestyle="--", linewidth=1.2, label=f"{name}: {rate:.2g}")
        axes.set_xscale("log")
        if averaged:
            # The end of a diverging test would press the rest of the curve flat.
            low, first = min(averaged), averaged[0]
            room = max(first - low, 0.05 * abs(first)) or 1.0
            axes.set_ylim(low - 0.1 * room, first + room)
        axes.set_xlabel("Learning rate")
        axes.set_ylabel("Loss")
        axes.legend()
        with written_aside(path) as part:
            drawn.savefig(part, format="png", metadata={"Software": None})
