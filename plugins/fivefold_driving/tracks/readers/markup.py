"""XML that is not trusted: no document types, no entities, bounded size and depth, a piece at a time.

Entities are what XML bombs and reads of foreign files are made of; they can only be declared in a document type,
which none of the formats here has, so that a file with one is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, iterparse
from xml.parsers import expat

from fivefold.errors import DataError

LARGEST = 2**31
"""Bytes of the largest file that is read."""

MOST = 50_000_000
"""Elements of the largest file that is read."""

DEEPEST = 64
"""Elements inside one another; the formats here need about ten."""

_LONGEST_PROLOGUE = 2**20
_CHUNK = 2**16


@dataclass(frozen=True)
class Root:
    """The outermost element of a file."""

    tag: str
    attributes: Mapping[str, str]


class _Found(Exception):  # noqa: N818 - it ends the parser's work, and is no fault
    """The root's tag was read."""


def root_of(file: Path) -> Root:
    """The outermost element, from the beginning of the file.

    Raises:
        DataError: it is no XML, too large, or has a document type.
    """
    found: list[Root] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        found.append(Root(tag, attributes))
        raise _Found

    def refuse(*_: object) -> None:
        raise DataError(
            f"{file}: expected XML without a document type, found one, which may hide an XML bomb; "
            "remove <!DOCTYPE ...> if you trust the file"
        )

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        with file.open("rb") as stream:
            if file.stat().st_size > LARGEST:
                raise DataError(
                    f"{file}: expected XML of at most {LARGEST:,} bytes, found {file.stat().st_size:,}; split it"
                )
            while stream.tell() < _LONGEST_PROLOGUE and (chunk := stream.read(_CHUNK)):
                parser.Parse(chunk)
    except _Found:
        return found[0]
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: encodings that are none
        raise _unreadable(file, error) from error
    except OSError as error:
        raise DataError(f"{file}: expected XML, found a file that cannot be read: {error}") from error
    raise DataError(f"{file}: expected XML, found no element at its beginning; name another file")


def children(file: Path) -> Iterator[Element]:
    """The elements directly below the root, each whole, one after the other; each is forgotten after the next.

    Raises:
        DataError: it is no XML, too large, too deep, or has a document type.
    """
    root_of(file)
    opened: list[Element] = []
    count = 0
    with file.open("rb") as stream:
        try:
            for event, element in iterparse(stream, events=("start", "end")):  # noqa: S314 - see `root_of`
                if event == "end":
                    opened.pop()
                    if len(opened) == 1:
                        yield element
                        opened[0].clear()
                    continue
                opened.append(element)
                count += 1
                if len(opened) > DEEPEST or count > MOST:
                    raise DataError(
                        f"{file}: expected at most {MOST:,} elements, {DEEPEST} inside one another, found more; "
                        "split the file, or name another"
                    )
        except (ParseError, LookupError, ValueError) as error:
            raise _unreadable(file, error) from error


def name_of(element: Element, file: Path) -> str:
    """The attribute ``id``.

    Raises:
        DataError: it is absent or empty.
    """
    if not element.get("id"):
        raise DataError(f"{file}, <{element.tag}>: expected an attribute 'id', found none; mend the file")
    return element.attrib["id"]


def number(element: Element, name: str, file: Path, *, default: float | None = None) -> float:
    """An attribute as a number.

    Raises:
        DataError: it is absent and has no default, or is no number.
    """
    return as_number(element.get(name), f"{file}, <{element.tag}{_known_by(element)}>, '{name}'", default)


def as_number(text: str | None, where: str, default: float | None = None) -> float:
    """``text`` as a number.

    Raises:
        DataError: it is absent and has no default, or is no number; the message begins with ``where``.
    """
    if text is None and default is not None:
        return default
    try:
        return float(text or "")
    except ValueError as error:
        raise DataError(
            f"{where}: expected a number, found {repr(text[:60]) if text else 'none'}; mend the file"
        ) from error


def _known_by(element: Element) -> str:
    return "".join(f' {key}="{element.get(key)}"' for key in ("id", "time") if key in element.attrib)


def _unreadable(file: Path, error: Exception) -> DataError:
    return DataError(f"{file}: expected XML, found something that is none ({error}); export the file again")
