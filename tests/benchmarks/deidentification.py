"""What is left of removed values: every one of four characters or more, looked for in the bytes of the new files.

    python tests/benchmarks/deidentification.py FOLDER

FOLDER holds ``*.dcm``, such as ``data_store/data`` of pydicom-data. A value counts as removed where its attribute no
longer has it and no attribute that stays has it; numbers and dates count like texts, so that runs of digits can be
found by chance in other values.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import DataElement, Dataset
from pydicom.multival import MultiValue

from fivefold.errors import DataError
from fivefold_healthcare.dicom.deidentification import Deidentifier


def main(folder: Path) -> None:
    """De-identify every file, and print what is found again."""
    warnings.simplefilter("ignore")
    deidentifier = Deidentifier(secret=b"sixteen or more random bytes")
    written = looked_for = 0
    for file in sorted(folder.glob("*.dcm")):
        original = pydicom.dcmread(file, force=True)
        try:
            new = deidentifier.deidentify(original).dataset
        except DataError as error:
            say(f"refused: {error}")
            continue
        stream = BytesIO()
        new.save_as(stream, enforce_file_format=True)
        written += 1
        gone = removed(original, new)
        looked_for += len(gone)
        for keyword, text in sorted(gone):
            if text.encode() in stream.getvalue() or text.encode("latin-1", "ignore") in stream.getvalue():
                say(f"{file.name}: a value of {keyword}, '{text}'")
    say(f"{written} files written, {looked_for:,} removed values looked for")


def removed(original: Dataset, new: Dataset) -> set[tuple[str, str]]:
    """Keyword and text of each removed value of four characters or more."""
    after = dict(leaves(new))
    kept = {text for element in after.values() for text in texts(element)}
    return {
        (element.keyword or str(element.tag), text)
        for path, element in leaves(original)
        for text in texts(element)
        if len(text) >= 4 and text not in kept and (path not in after or text not in texts(after[path]))
    }


def leaves(
    dataset: Dataset, path: tuple[object, ...] = ()
) -> Iterator[tuple[tuple[object, ...], DataElement]]:
    """Every element that is no sequence, at any depth, with where it stands."""
    for element in dataset:
        if element.VR != "SQ":
            yield (*path, element.tag), element
            continue
        for number, item in enumerate(element.value):
            yield from leaves(item, (*path, element.tag, number))


def texts(element: DataElement) -> list[str]:
    """Its values as texts; none of bytes and binary numbers."""
    many = element.value if isinstance(element.value, MultiValue) else [element.value]
    binary = element.VR in {
        "OB",
        "OW",
        "OF",
        "OD",
        "OL",
        "OV",
        "US",
        "SS",
        "UL",
        "SL",
        "FL",
        "FD",
        "AT",
        "UV",
        "SV",
    }
    return (
        []
        if binary
        else [str(value).strip(" \0") for value in many if value is not None and not isinstance(value, bytes)]
    )


def say(text: str) -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
