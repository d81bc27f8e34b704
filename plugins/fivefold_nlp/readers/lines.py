"""Texts in lines, with the label first: ``1 a fine film``, ``pos<TAB>a fine film``, ``__label__pos a fine film``.

Before a space only a number is taken for a label: any other first word may belong to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from fivefold.data.records import ENDINGS, opened
from fivefold.data.splits import SPLIT_NAMES
from fivefold.errors import DataError
from fivefold_nlp.readers.options import Labelled, ReadOptions, Unusable, checked_text

Form = Literal["prefix", "tab", "number"]
"""How a label is known: by fastText's prefix, by the tab behind it, or as a number before a space."""

_PREFIX = "__label__"
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_EXPECTED = {
    "prefix": f"a label such as {_PREFIX}good before the text",
    "tab": "a label and a tab before the text",
    "number": "a number as label before the text",
}
_BEGINNING = 2**20  # bytes by which a file is recognised
_LOOKED_AT = 200  # lines of them
_SHARE = 0.9  # of the lines that must have a label; reading names the others
_ALONE = 20  # lines from which one label that all have is taken for one: files may be sorted by label
_MOST_LABELS = 50  # different ones from which they are taken for text
_REPEATS = 3  # lines that each label must have on average


def find(source: Path, options: ReadOptions) -> list[tuple[Path, str | None]]:
    """Files of labelled lines at ``source``, each with its split; a folder must name its files by split."""
    if source.is_file():
        return [(source, None)] if _are_labelled(_beginning(source, options)) else []
    if not source.is_dir():
        return []
    beginnings = {
        file: _beginning(file, options)
        for file in sorted(source.iterdir())
        if file.is_file() and split_of(file) is not None
    }
    labelled = [file for file, lines in beginnings.items() if _are_labelled(lines)]
    known = {label for file in labelled if split_of(file) == "train" for label in _labels(beginnings[file])}
    # A few lines do not show by themselves that they begin with labels; those of the training file do.
    found: list[tuple[Path, str | None]] = [
        (file, split_of(file))
        for file, lines in beginnings.items()
        if file in labelled or (lines and known.issuperset(_labels(lines) or {None}))
    ]
    splits = [split for _, split in found]
    return found if "train" in splits and len(set(splits)) == len(splits) else []


def split_of(file: Path) -> str | None:
    """The split that a file's name says: ``train.txt``, ``x.train``, ``x-train.txt``."""
    parts = file.name.lower().replace("-", ".").replace("_", ".").split(".")
    names = {SPLIT_NAMES[part] for part in parts if part in SPLIT_NAMES}
    return names.pop() if len(names) == 1 else None


def recognise(source: Path, options: ReadOptions) -> str | None:
    """In words what ``source`` is, or None where it holds no lines with a label first."""
    found = find(source, options)
    if not found:
        return None
    names = ", ".join(file.name for file, _ in found)
    return f"lines of text with their label first ({names})"


def read(
    file: Path, split: str | None, options: ReadOptions, blank: list[int] | None = None
) -> Iterator[Labelled | Unusable]:
    """The texts of the file, in order; a line that lacks its text or label is a problem.

    Args:
        file: the file.
        split: the one that its texts are in.
        options: how it is read.
        blank: gains the numbers of blank lines, which are then passed over; None where they are problems, too.

    Raises:
        DataError: the file cannot be read; the message names the row.
    """
    form = _form(_beginning(file, options)) or "number"
    with opened(file, options.encoding) as lines:
        for row, line in enumerate(lines, start=1):
            if blank is not None and not line.strip():
                blank.append(row)
                continue
            name, where = f"{file.name} row {row}", f"{file}, row {row}"
            try:
                label, text = _label_and_text(line, form, where, options)
            except DataError as error:
                yield Unusable(name, where, str(error))
            else:
                yield Labelled(name, text, where, label, split=split)


def _label_and_text(line: str, form: Form, where: str, options: ReadOptions) -> tuple[str, str]:
    if not line.strip():
        raise DataError(f"{where}: expected a label and a text, found an empty line; remove it")
    label, text = _cut(line, form)
    if not label:
        raise DataError(f"{where}: expected {_EXPECTED[form]}, found none; write it first")
    if not text.strip():
        raise DataError(
            f"{where}: expected a text behind the label '{label}', found none; fill it in or remove the line"
        )
    if form == "prefix" and text.lstrip().startswith(_PREFIX):
        raise DataError(f"{where}: expected one label, found several; keep the one that counts")
    return label, checked_text(text, where, options)


def _cut(line: str, form: Form) -> tuple[str, str]:
    """Label and text of a line; the label is empty where there is none of this form."""
    if form == "tab":
        label, tab, text = line.partition("\t")
        return (label.strip(), text) if tab else ("", line)
    label, text = (*line.split(maxsplit=1), "", "")[:2]
    if form == "prefix":
        return (label.removeprefix(_PREFIX), text) if label.startswith(_PREFIX) else ("", line)
    return (label, text) if _NUMBER.fullmatch(label) else ("", line)


def _beginning(file: Path, options: ReadOptions) -> list[str]:
    """The first lines of a file, without blank ones; none where it is of another kind.

    Bytes of another encoding are passed over here: reading refuses them with the row where they stand.
    """
    if file.suffix.lower() in {*ENDINGS, ".yaml", ".yml", ".json", ".md"}:
        return []
    try:
        with file.open("rb") as stream:
            text = stream.read(_BEGINNING).decode(options.encoding, errors="replace")
    except (OSError, LookupError, UnicodeError):
        return []
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return list(islice((line for line in lines if line.strip()), _LOOKED_AT))


def _form(lines: list[str]) -> Form | None:
    """The form in which nearly all lines have a label; None where there is none."""
    for form in ("prefix", "tab", "number"):
        if lines and sum(bool(_cut(line, form)[0]) for line in lines) >= _SHARE * len(lines):
            return form
    return None


def _labels(lines: list[str]) -> set[str]:
    form = _form(lines)
    return {_cut(line, form)[0] for line in lines} - {""} if form else set()


def _are_labelled(lines: list[str]) -> bool:
    """Whether the lines begin with labels: by their prefix, or a few that come again and again."""
    labels = _labels(lines)
    if _form(lines) == "prefix":
        return True
    several = len(labels) > 1 or (labels and len(lines) >= _ALONE)
    return bool(several) and len(labels) <= min(_MOST_LABELS, len(lines) / _REPEATS)
