"""What a reader of texts may be told, and what every reader checks alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fivefold.config import StrictModel
from fivefold.errors import DataError

if TYPE_CHECKING:
    from fivefold.data.table import Problem


class ColumnsConfig(StrictModel):
    """Names of the columns of a table."""

    text: str = "text"
    """The text."""
    label: str = "label"
    """Its class or rating."""
    group: str = "group"
    """The author, product or document it comes from; such texts stay in one split."""
    time: str = "time"
    """When it was written, dates or numbers; texts are then split by time, unless a group or split column says how."""
    split: str = "split"
    """train, val or test."""


@dataclass(frozen=True)
class ReadOptions:
    """What the configuration says about reading.

    Attributes:
        columns: names of the columns of a table.
        ratings: whether labels are numbers on a scale.
        encoding: of text files.
        most_characters: of the longest text that is taken for one.
        max_bad_share: of texts that may have no text, label or time; they are left out and listed.
        named: columns that the user named and that must therefore be there: option to column.
    """

    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    ratings: bool = False
    encoding: str = "utf-8"
    most_characters: int = 1_000_000
    max_bad_share: float = 0.0
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Labelled:
    """A text as it was read: where it stood, and what it carries.

    Attributes:
        name: of the text, for messages and reports: ``reviews.csv row 17``, or a file's name.
        text: itself.
        where: it stands, as messages name it: the file, and its row.
        label: as written; None where it has none.
        units: what columns that may hold the author, product or document say, an empty text where nothing.
        time: when it was written, as the source has it; None where it does not say so.
        split: the split that the source puts it in, if any.
    """

    name: str
    text: str
    where: str = ""
    label: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    time: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class Unusable:
    """A text that cannot be used.

    Attributes:
        name: of the text.
        where: it stands, as messages name it.
        error: a sentence that begins with ``where``.
    """

    name: str
    where: str
    error: str

    @property
    def problem(self) -> Problem:
        """For a message that stands alone."""
        from fivefold.data.table import Problem  # noqa: PLC0415 - imports numpy, which help texts do without

        return Problem(self.name, self.error)

    @property
    def listed(self) -> Problem:
        """For a list, which names the text itself."""
        from fivefold.data.table import Problem  # noqa: PLC0415 - imports numpy, which help texts do without

        return Problem(self.name, self.error.removeprefix(self.where).lstrip(":, "))


def checked_text(text: object, where: str, options: ReadOptions) -> str:
    """``text`` where it is one that can be read.

    Args:
        text: a cell, a line, or a file's content.
        where: the file and row, as messages name them.
        options: the bound on its length.

    Raises:
        DataError: it is missing, no string, blank, too long, or holds a NUL.
    """
    if text is None:
        raise DataError(f"{where}: expected a text, found none; fill it in or remove the row")
    if not isinstance(text, str):
        raise DataError(f"{where}: expected a text, found {type(text).__name__}; write it as a string")
    if not text.strip():
        raise DataError(f"{where}: expected a text, found only white space; fill it in or remove the row")
    if len(text) > options.most_characters:
        raise DataError(
            f"{where}: expected a text of at most {options.most_characters:,} characters, found {len(text):,}; "
            "is a quote or line break missing? Cut it in parts, or raise --most-characters"
        )
    if "\x00" in text:
        raise DataError(f"{where}: expected text, found a NUL character; the data are damaged, remove it")
    return text.strip()


def rating(label: str, where: str) -> float:
    """``label`` as a number.

    Raises:
        DataError: it is none, or not finite.
    """
    try:
        value = float(label)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"{where}: expected a rating, a finite number, found '{label}'; mend it, or leave --task ratings away"
        )
    return value
