"""Reading XML of others, element by element: no document type, no entities, bounded size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from fivefold.errors import DataError

LARGEST = 512 * 2**20
"""The most bytes that a file of a network may have; a large city has some hundred million."""

OnElement = Callable[[str, Mapping[str, str], int], None]
"""Told of an element: its name, its attributes, and its depth; the root has depth 0."""


def read_elements(file: Path, on_element: OnElement, *, largest: float = LARGEST) -> None:
    """Tell ``on_element`` of every element of the XML file, in the order in which they start.

    A document type is refused whatever the file's encoding is, and with it all entities: those could grow without
    bound, or name files to read.

    Args:
        file: what to read.
        on_element: told of each element.
        largest: the most bytes that the file may have.

    Raises:
        DataError: the file cannot be read, is too large, is no XML, or has a document type.
    """
    depth = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        on_element(name, attributes, depth)
        depth += 1

    def ended(name: str) -> None:  # noqa: ARG001 - expat calls it so
        nonlocal depth
        depth -= 1

    def refused(*declaration: object) -> NoReturn:  # noqa: ARG001 - expat calls it so
        line = parser.CurrentLineNumber
        raise DataError(
            f"{file}, line {line}: expected XML without a document type, found <!DOCTYPE>; remove it"
        )

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.StartDoctypeDeclHandler = refused
    try:
        if (size := file.stat().st_size) > largest:
            raise DataError(
                f"{file}: expected at most {largest:,} bytes, found {size:,}; cut a part out of it"
            )
        with file.open("rb") as stream:
            parser.ParseFile(stream)
    except expat.ExpatError as error:
        raise DataError(f"{file}: expected XML, found what is none ({error}); write it anew") from error
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({(error.strerror or str(error)).lower()}); check path and permission"
        ) from error
