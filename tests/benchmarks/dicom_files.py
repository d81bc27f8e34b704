"""Which DICOM files are read right: ``python -m benchmarks.dicom_files FOLDER...``, run from ``tests/``.

Every file below the folders is read as ``fivefold_healthcare`` reads it and as pydicom does by itself (but for the
order of bytes in palettes of big-endian files, where pydicom 3.0 is in error). Printed is
a Markdown table of how many files agreed, by transfer syntax and photometric interpretation, then why files were
refused.
"""

from __future__ import annotations

import copy
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fivefold.errors import DataError
from fivefold_healthcare.dicom.pixels import Pixels

MOST_FRAMES = 5
"""Of files with more frames, this many are compared, the first and the last among them."""

_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_MACROS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


@dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Attributes:
        path: the file.
        syntax: name of its transfer syntax.
        photometric: its photometric interpretation.
        frames: how many were compared.
        refusal: the sentence with which it was refused; empty if it was read.
        difference: where its values are not those of pydicom; empty if they are, or it was refused.
        decodable: whether pydicom by itself reads the pixels of a file that was refused.
    """

    path: Path
    syntax: str
    photometric: str
    frames: int
    refusal: str = ""
    difference: str = ""
    decodable: bool = False


def compare(path: Path) -> Outcome:
    """Read every frame of ``path`` both ways; whatever is no `DataError` is not caught."""
    try:
        pixels = Pixels(path, path.name)
        frames = sampled(pixels.layout.frames)
        ours = [(pixels.values(frame), pixels.viewed(frame)) for frame in frames]
        for frame in frames:
            pixels.picture(frame)
    except DataError as error:
        return Outcome(path, *_described(path), 0, refusal=str(error), decodable=_decodable(path))
    dataset = opened(path)
    different = ""
    for frame, (values, viewed) in zip(frames, ours, strict=True):
        expected, shown = by_pydicom(dataset, frame)
        if not np.array_equal(values, expected, equal_nan=True):
            different = different or f"frame {frame + 1}: {_apart(values, expected)} after the modality table"
        if not np.array_equal(viewed, shown, equal_nan=True):
            different = different or f"frame {frame + 1}: {_apart(viewed, shown)} after the window"
    return Outcome(path, *_described(path), len(frames), difference=different)


def sampled(frames: int) -> list[int]:
    """Numbers of the frames to compare, from 0."""
    count = min(frames, MOST_FRAMES)
    return np.linspace(0, frames - 1, count).astype(int).tolist()


def opened(path: Path) -> Dataset:
    """The file as pydicom reads it, its transfer syntax guessed by pydicom where it is not stated."""
    with warnings.catch_warnings(action="ignore"):
        dataset = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            implicit, little = dataset.original_encoding
            explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset


def by_pydicom(dataset: Dataset, frame: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values of a frame after the modality lookup table, and after the VOI lookup table, by pydicom alone."""
    with warnings.catch_warnings(action="ignore"):
        stored = pixel_array(dataset, index=frame)
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            coloured = apply_color_lut(stored, _palette_in_order(dataset))
            return coloured, coloured
        if stored.ndim == 3:
            return stored, stored
        own = dataset
        for name, number in zip(_GROUPS, (0, frame), strict=True):
            for group in list(dataset.get(name) or ())[number : number + 1]:
                for item in (group[macro][0] for macro in _MACROS if group.get(macro)):
                    own = _merged(own, item)
        values = apply_modality_lut(stored, own)
        return values, apply_voi_lut(values, own)


def _palette_in_order(dataset: Dataset) -> Dataset:
    """Words of palettes as they are meant in big-endian files, where pydicom 3.0 reads their bytes the wrong way."""
    if dataset.file_meta.TransferSyntaxUID != ExplicitVRBigEndian:
        return dataset
    ordered = copy.deepcopy(dataset.group_dataset(0x0028))
    ordered.file_meta = dataset.file_meta
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTableData"
        if name in dataset:
            words = np.frombuffer(dataset[name].value, dtype=np.uint16)
            setattr(ordered, name, words.byteswap().tobytes())
    return ordered


def _merged(dataset: Dataset, item: Dataset) -> Dataset:
    merged = Dataset({element.tag: element for element in dataset if element.tag.group == 0x0028})
    merged.update(item)
    return merged


def _apart(found: NDArray[Any], expected: NDArray[Any]) -> str:
    if found.shape != expected.shape:
        return f"shape {found.shape}, not {expected.shape}"
    return f"up to {np.abs(found.astype(float) - expected.astype(float)).max():g} apart"


def _described(path: Path) -> tuple[str, str]:
    try:
        dataset = opened(path)
        return dataset.file_meta.TransferSyntaxUID.name, str(dataset.get("PhotometricInterpretation", "none"))
    except Exception:  # noqa: BLE001 - what is no DICOM fails in pydicom in every way
        return "no DICOM", "none"


def _decodable(path: Path) -> bool:
    try:
        by_pydicom(opened(path), 0)
    except Exception:  # noqa: BLE001 - broken files fail in pydicom in every way
        return False
    return True


def files_below(folders: Iterable[Path]) -> Iterator[Path]:
    """Every file, those included that are no DICOM."""
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def reason_of(outcome: Outcome) -> str:
    """The refusal without what is peculiar to its file, so that like ones can be counted."""
    text = outcome.refusal.removeprefix(outcome.path.name)
    text = re.sub(r"^, frame \d+|^: ", "", text).removeprefix(": ")
    return re.sub(r"[\d,]*\d", "N", text).partition(";")[0]


def table(outcomes: Iterable[Outcome]) -> str:
    """Counts as Markdown."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    reasons: Counter[str] = Counter()
    for one in outcomes:
        what = "refused" if one.refusal else "different" if one.difference else "equal"
        counts.setdefault((one.syntax, one.photometric), Counter())[what] += 1
        if one.refusal:
            reasons[reason_of(one)] += 1
    kinds = ("equal", "different", "refused")
    lines = [
        "| Transfer syntax | Photometric interpretation | Equal to pydicom | Different | Refused |",
        "|---|---|---:|---:|---:|",
    ]
    for (syntax, photometric), found in sorted(counts.items()):
        lines.append(f"| {syntax} | {photometric} | {' | '.join(str(found[kind]) for kind in kinds)} |")
    total: Counter[str] = sum(counts.values(), Counter())
    lines.append(f"| all | | {' | '.join(str(total[kind]) for kind in kinds)} |")
    lines += ["", "Refused:", ""]
    lines += [f"- {count}: {reason}" for reason, count in reasons.most_common()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Compare and print."""
    outcomes = [compare(path) for path in files_below(map(Path, sys.argv[1:]))]
    sys.stdout.write(table(outcomes))
    for one in outcomes:
        if one.difference or (one.refusal and one.decodable):
            sys.stdout.write(f"\n{one.path}: {one.difference or f'pydicom reads it ({one.refusal})'}\n")


if __name__ == "__main__":
    main()
