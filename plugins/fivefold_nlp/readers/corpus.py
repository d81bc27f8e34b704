"""Corpora: running text to learn from, one row a document."""

from __future__ import annotations

from pathlib import Path

from fivefold.data.encodings import misread_note
from fivefold.data.labels import texts
from fivefold.data.records import opened
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_nlp.readers.folders import TEXT_ENDINGS, text_files


def recognise_corpus(source: Path) -> str | None:
    """In words what ``source`` is, or None where it is no text file or folder of them."""
    if source.is_dir():
        files = text_files(source)
        return f"a folder of {len(files)} text files" if files else None
    return "a text file" if source.is_file() and source.suffix.lower() in TEXT_ENDINGS else None


def read_corpus(source: Path, encoding: str = "utf-8", *, wanted: str = "text to learn from") -> Table:
    """The documents of ``source``, a text file or a folder of them (by path): columns ``id`` and ``text``.

    Args:
        source: the file or folder.
        encoding: of the files.
        wanted: what the documents are for, as messages say it.

    Raises:
        DataError: there is none, or one is empty or cannot be read.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected a text file, or a folder of text files")
    files = text_files(source) if source.is_dir() else [source]
    if not files:
        raise DataError(f"{source}: expected text files (.txt or .md), found none in this folder")
    names = [file.relative_to(source).as_posix() if source.is_dir() else file.name for file in files]
    return Table(
        {"id": texts(names), "text": texts([_document(file, encoding, wanted) for file in files])},
        source=str(source),
        notes=misread_note(source, files, encoding),
    )


def _document(file: Path, encoding: str, wanted: str) -> str:
    with opened(file, encoding) as lines:
        text = "".join(lines)
    if not text.strip():
        raise DataError(f"{file}: expected {wanted}, found an empty file; fill it or remove it")
    return text.replace("\r\n", "\n")
