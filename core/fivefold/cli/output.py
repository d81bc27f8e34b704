"""Output: one JSON object on stdout for machines, everything for people through rich on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from fivefold.cli.layout import TOGETHER, in_records, laid_out


@cache
def console() -> Console:
    """Where people read."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str, style: str = "") -> None:
    """A line for people; what stands in brackets is text, not markup."""
    console().print(Text(text, style=style))


def emit(value: Mapping[str, Any]) -> None:
    """The one JSON object on stdout; paths become strings and numbers that JSON lacks become null."""
    sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def grid(head: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table for people; where the terminal is narrow, paths are shortened and columns go on below.

    Where that would part the cells of many rows, each row stands for itself.
    """
    texts = [[cell_text(cell) for cell in row] for row in rows]
    tables = laid_out(head, texts, console().width)
    if len(tables) > 1 and len(texts) > TOGETHER:
        for line in (*([title] if title else []), *in_records(head, texts, console().width)):
            say(line)
        return
    for number, columns in enumerate(tables):
        table = Table(
            *(Column(column[0], overflow="fold") for column in columns),
            title=title if title and not number else None,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        for row in zip(*(column[1:] for column in columns), strict=True):
            table.add_row(*(Text(cell) for cell in row))
        console().print(table, soft_wrap=False)


def cell_text(value: object) -> str:
    """A cell's text: numbers to four digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def size(count: int) -> str:
    """``30.9 MB`` for a number of bytes."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"
