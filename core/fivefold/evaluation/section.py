"""Parts of a report, as plain values: text, tables, figures, galleries, marked texts. `report.py` renders them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Grid:
    """A table to print: a caption, column heads, and rows of cells (strings or numbers)."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A picture: ``image`` holds SVG or PNG bytes; ``caption`` says what to see, ``alt`` stands in for it."""

    caption: str
    image: bytes
    kind: str = "svg+xml"
    alt: str = ""


@dataclass(frozen=True)
class Passage:
    """A text whose pieces are marked by what they spoke for.

    Attributes:
        caption: what to see.
        pieces: each part of the text, in order, with its weight from -1 (against) to 1 (for); 0 is unmarked.
    """

    caption: str
    pieces: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Section:
    """A titled part of the report.

    Attributes:
        title: heading.
        text: paragraphs of plain text, separated by blank lines.
        grids: tables.
        figures: pictures, full width.
        gallery: small pictures set side by side.
        passages: marked texts.
        facts: numbers for ``report.json`` under this section's ``key``.
        key: name in ``report.json``.
    """

    title: str
    text: str = ""
    grids: tuple[Grid, ...] = ()
    figures: tuple[Figure, ...] = ()
    gallery: tuple[Figure, ...] = ()
    passages: tuple[Passage, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    key: str = ""
