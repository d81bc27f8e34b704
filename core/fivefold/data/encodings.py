"""Files that were read in one encoding and are written in another, as far as their bytes show it."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import Path

_BLOCK = 2**20
_UTF_8 = ("utf-8", "utf-8-sig")


def misread_note(
    where: object, files: Iterable[Path], encoding: str, option: str | None = "--encoding"
) -> tuple[str, ...]:
    """A sentence on text files that were read in ``encoding`` and are UTF-8 by their bytes; none where there are none.

    Encodings such as latin-1 have a character for every byte: what is read in the wrong one is no error, and shows only
    in its letters. But bytes beyond ASCII that are valid UTF-8 are hardly ever anything else.

    Args:
        where: the files are: the source.
        files: those that were read.
        encoding: in which they were read.
        option: the one that names the encoding; None where there is none.
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError:  # which reading tells
        return ()
    found = [] if name in _UTF_8 else [file for file in files if _is_utf_8(file)]
    if not found:
        return ()
    advice = "" if option is None else f"; {option} utf-8 reads {'it' if len(found) == 1 else 'them'} so"
    if len(found) == 1:
        return (f"{found[0]} was read as {encoding}, and is valid UTF-8{advice}.",)
    first = f"{len(found):,} files (the first is {found[0].name})"
    return (f"{where}: {first} were read as {encoding}, and are valid UTF-8{advice}.",)


def _is_utf_8(file: Path) -> bool:
    """Whether the bytes hold some beyond ASCII, and are UTF-8; bounded memory, whatever the file's size."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    ascii_only = True
    try:
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                ascii_only = ascii_only and block.isascii()
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except (OSError, UnicodeDecodeError):
        return False
    return not ascii_only
