"""Tables that fit a terminal without a break inside a word."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

BESIDE = 3
"""Spaces that a column takes beside its text."""
EASY = 16
"""Characters below which no column of text is pressed, as long as it has so many."""
ELLIPSIS = "\u2026"

TOGETHER = 12
"""Rows up to which tables one below the other are read together; of more, each row stands for itself."""
INDENT = "  "
_TIED = "\u00a0"

Column = list[str]
"""The head of a column, then its cells."""


def laid_out(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[list[Column]]:
    """The columns of a table, as several tables one below the other where one is too wide.

    Cells wrap at spaces. Where words would be broken, paths lose their beginnings, if that is enough; if not, the
    columns that are left go on in a further table, which begins with the first column again.

    Args:
        head: names of the columns.
        rows: their cells.
        width: of the terminal, in characters.
    """
    columns = [[name, *(row[place] for row in rows)] for place, name in enumerate(head)]
    if _least(columns) <= width:
        return [columns]
    short = [list(column) for column in columns]
    while _least(short) > width and _shorten_longest(short):
        pass
    if _least(short) <= width or len(columns) < 3:  # noqa: PLR2004 - one column beside the first cannot be parted
        return [short]
    while _shorten_longest(columns, more_than=width // 2):
        pass
    first, *rest = columns
    tables = [[first]]
    for column in rest:
        if len(tables[-1]) > 1 and _least([*tables[-1], column]) > width:
            tables.append([first])
        tables[-1].append(column)
    return tables


def in_records(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Lines with each row for itself: its first cell, then the names and values of the others that are not empty.

    Args:
        head: names of the columns.
        rows: their cells; lines of a cell are set side by side.
        width: of the terminal, in characters; words and paths that are longer are not broken.
    """
    for first, *others in rows:
        yield " ".join(first.split())
        told = [
            f"{name}: {', '.join(cell.splitlines())}"
            for name, cell in zip(head[1:], others, strict=True)
            if cell.strip()
        ]
        # What fits a line is not parted at its spaces.
        words = [one.replace(" ", _TIED) if len(one) < width - len(INDENT) else one for one in told]
        for line in textwrap.wrap(
            "; ".join(words),
            width,
            initial_indent=INDENT,
            subsequent_indent=INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            yield line.replace(_TIED, " ")


def _least(columns: Sequence[Column]) -> int:
    """The width below which words break, or text is pressed into a very narrow column."""
    return sum(_needs(column) + BESIDE for column in columns)


def _needs(column: Column) -> int:
    longest = max(map(len, column))
    return max(_longest_word(column), min(longest, EASY))


def _longest_word(column: Column) -> int:
    return max((len(word) for cell in column for word in cell.split()), default=0)


def _shorten_longest(columns: list[Column], more_than: int = 0) -> bool:
    """Take a directory off the longest path of more characters than that; whether there was one."""
    longest = max(
        (
            (len(cell), place, row)
            for place, column in enumerate(columns)
            for row, cell in enumerate(column)
            if len(cell) > more_than and _is_path(cell)
        ),
        default=None,
    )
    if longest is None:
        return False
    _, place, row = longest
    columns[place][row] = _shorter(columns[place][row])
    return True


def _is_path(cell: str) -> bool:
    """Whether a cell is a path with a directory to take off: a name of two parts, such as a pipeline's, is none."""
    return cell.count("/") > 1 and "://" not in cell and not any(letter.isspace() for letter in cell)


def _shorter(path: str) -> str:
    """``/a/b/c`` as ``\u2026/b/c``, and that as ``\u2026/c``."""
    rest = path.removeprefix(ELLIPSIS).removeprefix("/").partition("/")[2]
    return f"{ELLIPSIS}/{rest}"
