"""How the report tells of the test for copies of training images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fivefold.evaluation.figures import BLUE, GREY, ORANGE, canvas, finish
from fivefold.evaluation.memorisation import Memorisation, told
from fivefold.evaluation.numbers import number
from fivefold.evaluation.section import Figure, Grid, Section

MOST_POINTS = 400
"""Drawn of each curve."""

WHAT_IS_TESTED = (
    "Held-out images were not trained on, so how near they lie to training images is what nearness comes of itself; a "
    "generator that copies lies nearer. The test sees copies in the space named, and says nothing of what the network "
    "knows without showing it. Training images that stand in the held-out set, too, make it more lenient."
)
PICTURES = "Pictures: a generated image, then its nearest training images by features, then by pixels."


def memorisation_section(found: Sequence[Memorisation], pictures: Sequence[Figure] = ()) -> Section:
    """The test for copies, first in the space whose verdict counts, then in others.

    Args:
        found: one for each space.
        pictures: generated images beside their nearest training images, the most suspicious first.
    """
    return Section(
        title="Memorisation",
        text="\n\n".join(
            [
                " ".join(one.sentence() for one in found),
                WHAT_IS_TESTED,
                *([PICTURES] if pictures else []),
            ]
        ),
        grids=(_memorisation_grid(found),),
        figures=(*(_distance_figure(one) for one in found), *pictures),
        facts={"passed": found[0].passed, "spaces": [told(one) for one in found]},
        key="memorisation",
    )


def _memorisation_grid(found: Sequence[Memorisation]) -> Grid:
    return Grid(
        caption="Distances to the nearest training image",
        head=("Space", "Generated, median", "Held out, median", "z", "Share very near", "Expected", "Test"),
        rows=tuple(
            (
                one.space,
                number(float(np.median(one.generated.distances[:, 0]))),
                number(float(np.median(one.held_out.distances[:, 0]))),
                f"{one.statistic:+.2f}",
                f"{100 * one.share:.2f} %",
                f"{100 * one.expected:.2f} %",
                "passed" if one.passed else "failed",
            )
            for one in found
        ),
    )  # fmt: skip


def _distance_figure(found: Memorisation) -> Figure:
    with canvas(6.4, 3.0) as drawn:
        axes = drawn.subplots()
        for name, near, colour in (("held out", found.held_out, GREY), ("generated", found.generated, BLUE)):
            ordered = np.sort(near.distances[:, 0])
            shown = np.linspace(0, len(ordered) - 1, min(len(ordered), MOST_POINTS)).astype(np.int64)
            axes.plot(ordered[shown], (shown + 1) / len(ordered), color=colour, label=name, linewidth=1.6)
        axes.axvline(found.threshold, color=ORANGE, linewidth=1, linestyle="--")
        axes.set_xlabel(f"Distance to the nearest training image ({found.space})")
        axes.set_ylabel("Share nearer")
        axes.legend()
        return finish(
            drawn,
            caption=(
                f"How near generated and held-out images lie to training, in {found.space}; copies would lift the blue "
                "line above the grey one at its left end. Dashed: the nearest hundredth of held-out images."
            ),
            alt=found.sentence(),
        )
