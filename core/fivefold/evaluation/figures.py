"""Figures as SVG, drawn with matplotlib's objects, in colours that colour-blind readers tell apart.

Text stays text: the file is small, and class names in any script are drawn by the browser's fonts.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fivefold.evaluation.section import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#767676"
"""From Okabe and Ito's palette."""

MANY_POINTS = 500
"""From here on, points are drawn as one embedded picture, not as a shape each."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fivefold",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.grid": True,
    "axes.axisbelow": True,
    # Values near each other are written out, and not as what is to be added to a number at the axis' end ("+1").
    "axes.formatter.useoffset": False,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.dpi": 150,
}


@contextmanager
def canvas(width: float = 6.4, height: float = 3.6) -> Iterator[Canvas]:
    """A figure of that size in inches, in the report's style, valid (with `finish`) inside the block."""
    from matplotlib import rc_context  # noqa: PLC0415 - costs half a second, needed for reports only
    from matplotlib.figure import Figure as NewCanvas  # noqa: PLC0415 - imported where it is used

    with rc_context(_STYLE):
        yield NewCanvas(figsize=(width, height), layout="constrained")


def finish(drawn: Canvas, *, caption: str, alt: str) -> Figure:
    """The figure as SVG bytes, the same bytes for the same drawing."""
    from matplotlib.text import Text  # noqa: PLC0415 - imported where it is used

    for text in drawn.findobj(Text):
        # Names are the user's: a "$" in them is a dollar, not mathematics.
        text.set_parse_math(False)
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The measuring font lacks some scripts; the browser, which draws the text, has them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        drawn.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Figure(caption=caption, image=stream.getvalue(), alt=alt)


def shortened(name: str, length: int = 18) -> str:
    """``name``, cut with an ellipsis where it is longer than ``length`` characters."""
    return name if len(name) <= length else name[: length - 1] + "…"


def identity_line(axes: Axes, low: float, high: float) -> None:
    """The dashed diagonal on which both coordinates are equal."""
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle="--")
