"""Long texts as tables: rows are passages of some hundred characters, of which each split has whole runs.

So the leakage search, which compares rows, finds a passage that stands in two splits, while a short line that is
said again and again (a speaker's name) is no finding.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fivefold.data.labels import texts
from fivefold.data.splits import Splits, by_group
from fivefold.data.table import Array, Table
from fivefold.errors import DataError

LEAST, MOST = 300, 1200
"""Characters of a passage, the last of a text aside."""
ONE_IN = 4
"""Of so many lines one may end a passage."""
FEW = 3
"""Documents from which each split can have whole ones."""


@dataclass(frozen=True)
class Part:
    """A run of characters of a document, and where it begins in it."""

    document: str
    text: str
    start: int = 0


def passages(parts: Iterable[Part], source: str) -> Table:
    """One row a passage, with the columns ``id``, ``text``, ``document`` and ``start``."""
    rows = [row for part in parts for row in _cut(part)]
    return Table(
        {
            "id": texts([f"{row.document} at character {row.start:,}" for row in rows]),
            "text": texts([row.text for row in rows]),
            "document": texts([row.document for row in rows]),
            "start": np.array([row.start for row in rows], dtype=np.int64),
        },
        source=source,
    )


def parts_of(table: Table) -> list[Part]:
    """The runs of text that a table of passages makes up, a new one where something is missing in between."""
    found: list[list[Part]] = []
    for row in np.lexsort((table["start"], _codes(table["document"]))):
        part = Part(str(table["document"][row]), str(table["text"][row]), int(table["start"][row]))
        last = found[-1][-1] if found else None
        if last and (last.document, last.start + len(last.text)) == (part.document, part.start):
            found[-1].append(part)
        else:
            found.append([part])
    return [Part(run[0].document, "".join(part.text for part in run), run[0].start) for run in found]


def split_passages(table: Table, *, fractions: Sequence[float], seed: int) -> Splits:
    """Whole documents to each split where there are three or more, else each document cut in order.

    A document that is cut gives its end to the test split and its beginning to the validation split: what stands
    directly before the test split is most like it, and so belongs to training.

    Args:
        table: passages.
        fractions: shares of training, validation and test, which sum to 1: of the passages, approximated, where
            whole documents go to each split, else of each document's characters.
        seed: of the choice of documents.

    Raises:
        DataError: a document is too short to be cut.
    """
    parts = parts_of(table)
    if len({part.document for part in parts}) >= FEW:
        splits = by_group(table, "document", seed=seed, fractions=fractions)
        counts = [len(np.unique(_codes(one["document"]))) for one in (splits.train, splits.val, splits.test)]
        how = (
            f"Whole documents went to each split (seed {seed}): {counts[0]:,} to training, {counts[1]:,} to "
            f"validation, {counts[2]:,} to test."
        )
        return Splits(splits.train, splits.val, splits.test, how)
    cut = [_cut_in_order(part, fractions, table.source) for part in parts]
    train, val, test = (
        replace(passages(some, table.source), problems=table.problems, notes=table.notes)
        for some in zip(*cut, strict=True)
    )
    how = (
        f"The text was cut in order: its first {100 * fractions[1]:.3g} % to validation, its last "
        f"{100 * fractions[2]:.3g} % to test, and what lies between to training."
    )
    return Splits(train, val, test, how)


def _cut_in_order(part: Part, fractions: Sequence[float], source: str) -> tuple[Part, Part, Part]:
    _, val, test = fractions
    begin, end = _whole(len(part.text) * val), _whole(len(part.text) * (1 - test))
    if not 0 < begin < end < len(part.text):
        raise DataError(
            f"{source}, {part.document}: expected a text long enough to be cut into training, validation and test, "
            f"found {len(part.text)} characters; add text"
        )
    return (
        Part(part.document, part.text[begin:end], part.start + begin),
        Part(part.document, part.text[:begin], part.start),
        Part(part.document, part.text[end:], part.start + end),
    )


def _whole(characters: float) -> int:
    """The whole characters of a share; a product that floats leave just below a whole number is that number."""
    return int(round(characters, 6))


def _cut(part: Part) -> Iterable[Part]:
    """Passages of a run of text, which end with a line that ends one wherever it stands.

    So the passages of a text that stands in another one, too, soon fall into step with those there.
    """
    text, start = part.text, 0
    while start < len(text):
        end = _end(text, start)
        yield Part(part.document, text[start:end], part.start + start)
        start = end


def _end(text: str, start: int) -> int:
    limit = min(len(text), start + MOST)
    line = text.rfind("\n", start, start + LEAST) + 1 or start
    while True:
        end = text.find("\n", max(line, start + LEAST - 1), limit) + 1
        if not end:
            return limit
        if zlib.crc32(text[line:end].encode(errors="surrogatepass")) % ONE_IN == 0:
            return end
        line = end


def _codes(names: Array) -> Array:
    """A number for each name, in the order in which names first come."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(str(name), len(numbers)) for name in names], dtype=np.int64)
