"""What is predicted of a pipeline's example: one input, and the same input first among many.

By kind of the example, never by the name of the pipeline, so that a new pipeline needs no line here unless its example
is of a new kind, which is refused.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import pytest

from fivefold.pipeline import Pipeline

PICTURES = {".png", ".jpg", ".jpeg", ".dcm"}
MANY = 5


@dataclass(frozen=True)
class Asked:
    """Words behind ``predict RUN``.

    Attributes:
        kind: what the inputs are.
        one: for one input.
        many: for several, of which the first is that one.
    """

    kind: str
    one: list[str]
    many: list[str]


def questions(kind: type[Pipeline], example: Path, folder: Path) -> list[Asked]:
    """What to ask a run of the pipeline that was trained on ``example``.

    Args:
        kind: the pipeline.
        example: the file or folder.
        folder: where files can be written.
    """
    asked = []
    if kind.inputs_optional:
        short = ["--length", "20"] if "length" in kind.Prediction.model_fields else []
        asked = [Asked("nothing", ["--count", "1", *short], ["--count", "3", *short])]
        if example.suffix != ".txt":
            return asked
    paths = _paths(kind, example, folder)
    return [*asked, Asked("inputs", *(list(map(str, some)) for some in paths))]


def _paths(kind: type[Pipeline], example: Path, folder: Path) -> tuple[list[Path], list[Path]]:
    if example.is_dir():
        files = sorted(path for path in example.rglob("*") if path.is_file())
        pictures = [path for path in files if path.suffix in PICTURES]
        parts = pictures[:MANY] or [path for path in sorted(example.iterdir()) if path.is_dir()]
        if len(parts) > 1:
            return parts[:1], parts
    elif example.suffix == ".txt":
        return _files(folder, ["To be, or not", "Good night, sweet"], ".txt")
    elif "lookback" in kind.Config.model_fields:
        # The whole of a series is one sample, whose end is predicted.
        return _files(folder, [_opened(example)] * 2, "".join(example.suffixes).removesuffix(".gz"))
    elif ".csv" in example.suffixes:
        return _rows(example, folder)
    pytest.fail(f"{example}: say in {__file__} what one input and many are of data of this kind")


def _files(folder: Path, texts: list[str], suffix: str) -> tuple[list[Path], list[Path]]:
    paths = [folder / f"input-{number}{suffix}" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths[:1], paths


def _rows(table: Path, folder: Path) -> tuple[list[Path], list[Path]]:
    """A table of the first row, and one of the first rows, both of the same name."""
    rows = list(csv.reader(_opened(table).splitlines()))
    heads = 0 if all(_is_number(cell) for cell in rows[0]) else 1
    paths = []
    for count in (1, MANY):
        path = folder / str(count) / table.name.removesuffix(".gz")
        path.parent.mkdir()
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows[: heads + count])
        paths.append([path])
    return paths[0], paths[1]


def _opened(path: Path) -> str:
    packed = path.read_bytes()
    return (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode("utf-8")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
