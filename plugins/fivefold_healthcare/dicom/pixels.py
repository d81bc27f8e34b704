"""Pixels of a DICOM file, one frame at a time: stored values, modality values, and pictures to look at.

The transformations are those of PS3.3 C.11 and PS3.4 N.2, by pydicom: modality lookup table or rescale, then
VOI lookup table or window, then inversion for MONOCHROME1. What an enhanced multi-frame object keeps in its
functional groups is found there. Nothing is decoded before the declared size has been checked, and that the
compressed image itself is of that size.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from fivefold.errors import DataError
from fivefold_healthcare.dicom.codestream import stated_size
from fivefold_healthcare.dicom.files import quiet, read_header, reason
from fivefold_healthcare.dicom.layout import find_pixels, layout
from fivefold_healthcare.dicom.window import Window, grey_levels

_PRESENTATION = (
    "BitsStored", "PixelRepresentation", "PhotometricInterpretation", "PresentationLUTShape",
    "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept",
    "VOILUTSequence", "VOILUTFunction", "WindowCenter", "WindowWidth",
)  # fmt: skip
_GROUPED = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
_PALETTE = tuple(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue", "Alpha"))
_DECODERS = {
    "pillow": (JPEGBaseline8Bit, JPEGExtended12Bit),
    "pyjpegls": (JPEGLSLossless, JPEGLSNearLossless),
    "pylibjpeg": (JPEG2000Lossless, JPEG2000),
}
"""Where pydicom would try GDCM first, which broken images can make end the process; it stays for lossless JPEG."""

_EXTENDED_OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")


class Pixels:
    """The frames of one file, decoded when they are asked for.

    Args:
        path: the file.
        name: what messages call it.
        header: as `read_header` gives it, where it is at hand.

    Raises:
        DataError: it has no pixels, declares an impossible size, is shorter than it declares, or its transfer
            syntax cannot be decoded.
    """

    def __init__(self, path: Path, name: str | None = None, header: Dataset | None = None) -> None:
        self.path = path
        self.name = name or str(path)
        self.header = read_header(path, self.name) if header is None else header
        self.layout = layout(self.header, self.name)
        self._whole: Dataset | None = None
        self._element = find_pixels(path, self.name, self.header, self.layout)

    def stored(self, frame: int = 0) -> NDArray[Any]:
        """Stored values, ``(H, W)``, or ``(H, W, 3)`` in RGB where the file has colour of its own.

        Raises:
            DataError: the pixels cannot be decoded.
        """
        try:
            with quiet():
                return self._decode(frame)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # pylibjpeg-rle panics on broken pixels, which is no Exception
            why = reason(error)
            raise DataError(
                f"{self._frame(frame)}: expected pixels in {self.layout.syntax.name}, found that they cannot "
                f"be decoded ({why}); export the image again, uncompressed"
            ) from error

    def values(self, frame: int = 0) -> NDArray[Any]:
        """Values after the modality lookup table or rescale (Hounsfield units of a CT), ``(H, W)``.

        Colour images have no such values; they come as they are stored, palettes looked up.
        """
        stored = self.stored(frame)
        if self.layout.photometric == "PALETTE COLOR":
            return self._attempt(frame, lambda: apply_color_lut(stored, self._palette()))
        if stored.ndim == 3:  # noqa: PLR2004 - colour
            return stored
        return self._attempt(frame, lambda: apply_modality_lut(stored, self.attributes(frame)))

    def viewed(self, frame: int = 0) -> NDArray[Any]:
        """Values after the VOI lookup table or window as well, in the units that these lead to."""
        values = self.values(frame)
        if not self._is_grey(values):
            return values
        return self._attempt(frame, lambda: apply_voi_lut(values, self.attributes(frame)))

    def picture(self, frame: int = 0, window: Window | None = None) -> NDArray[np.uint8]:
        """What a viewer shows: ``(H, W)`` grey, or ``(H, W, 3)`` RGB, 0 dark and 255 bright.

        Args:
            frame: which.
            window: how values become grey levels; as the file says where not given.

        Raises:
            DataError: the pixels cannot be decoded, or a lookup table is broken.
        """
        window = window or Window()
        values = self.values(frame)
        if not self._is_grey(values):
            return self._colours(values)
        attributes, inverted = self.attributes(frame), self.inverted(frame)
        if inverted:
            window = window.inverted()
        if window.kind != "auto":
            picture = grey_levels(values, *window.bounds(values))
        else:
            picture = grey_levels(self.viewed(frame), *_viewed_range(values, attributes))
        return 255 - picture if inverted else picture

    def attributes(self, frame: int = 0) -> Dataset:
        """What turns stored values of ``frame`` into a picture, wherever the object keeps it."""
        own = Dataset()
        own.file_meta = FileMetaDataset()
        own.file_meta.TransferSyntaxUID = self.layout.syntax  # it says in which order the bytes of tables are
        for name in _PRESENTATION:
            if name in self.header:
                own[name] = copy.deepcopy(self.header[name])
        shared = self.header.get("SharedFunctionalGroupsSequence") or ()
        single = self.header.get("PerFrameFunctionalGroupsSequence") or ()
        groups = [*shared[:1], *single[frame : frame + 1]]
        for item in (group[name][0] for group in groups for name in _GROUPED if group.get(name)):
            for element in item:
                if element.keyword in _PRESENTATION:
                    own[element.tag] = copy.deepcopy(element)
        return own

    def inverted(self, frame: int = 0) -> bool:
        """Whether low values are shown bright (PS3.3 C.7.6.3.1.2, C.11.6)."""
        attributes = self.attributes(frame)
        shape = str(attributes.get("PresentationLUTShape", "")).upper()
        return attributes.get("PhotometricInterpretation") == "MONOCHROME1" or shape == "INVERSE"

    def _decode(self, frame: int) -> NDArray[Any]:
        if self.layout.syntax.is_encapsulated and self.layout.syntax != RLELossless:
            self._check_codestream(frame)
        source = self.path if self._as_stated() else self._dataset()
        if (
            self.header.get("BitsAllocated") == 1
            and source is self.path
            and self.layout.syntax.is_little_endian
        ):
            return self._single_bits(frame)
        plugin = next((name for name, syntaxes in _DECODERS.items() if self.layout.syntax in syntaxes), "")
        return np.asarray(pixel_array(source, index=frame, decoding_plugin=plugin))

    def _single_bits(self, frame: int) -> NDArray[np.uint8]:
        """A frame of single bits (PS3.5 8.1.1), which need not begin with a byte, as pydicom 3.0 takes for granted."""
        size = self.layout.rows * self.layout.columns
        first = frame * size
        with self.path.open("rb") as stream:
            stream.seek(self._element.value_tell + first // 8)
            held = np.frombuffer(stream.read((first % 8 + size + 7) // 8), dtype=np.uint8)
        bits = np.unpackbits(held, bitorder="little")[first % 8 : first % 8 + size]
        return bits.reshape(self.layout.rows, self.layout.columns)

    def _as_stated(self) -> bool:
        """Whether the file is written as its transfer syntax says, so that pixels can be read from their place."""
        syntax = self.header.file_meta.get("TransferSyntaxUID")
        if syntax is None or syntax == DeflatedExplicitVRLittleEndian:
            return False
        return bool(self._element.is_implicit_VR == syntax.is_implicit_VR)

    def _check_codestream(self, frame: int) -> None:
        """Whether a compressed image is of the size that the file declares.

        Raises:
            ValueError: it is not, or states no size; the reason is told by who asks for the pixels.
        """
        tables = [self.header.get(keyword) for keyword in _EXTENDED_OFFSETS]
        with self.path.open("rb") as stream:
            stream.seek(self._element.value_tell)
            codestream = get_frame(
                stream,
                frame,
                extended_offsets=(tables[0], tables[1]) if all(tables) else None,
                number_of_frames=self.layout.frames,
            )
        declared = (self.layout.rows, self.layout.columns, self.layout.samples)
        stated = stated_size(codestream)
        if stated != declared:
            found = "none" if stated is None else "{} x {} of {}".format(*stated)
            raise ValueError(
                f"expected the compressed image to state the size {'{} x {} of {}'.format(*declared)}, found {found}"
            )

    def _dataset(self) -> Dataset:
        """The whole file, for what is not in the header's copy."""
        if self._whole is None:
            with quiet():
                self._whole = pydicom.dcmread(self.path, force=True)
            if "TransferSyntaxUID" not in self._whole.file_meta:
                self._whole.file_meta.TransferSyntaxUID = self.layout.syntax
        return self._whole

    def _palette(self) -> Dataset:
        """What holds the palette, its words little endian, as pydicom 3.0 takes all palettes to be."""
        whole = self._dataset()
        if self.layout.syntax.is_little_endian:
            return whole
        swapped = copy.deepcopy(whole.group_dataset(0x0028))
        swapped.file_meta = whole.file_meta
        for keyword in _PALETTE:
            if keyword in whole and whole[keyword].VR == "OW":
                setattr(
                    swapped, keyword, np.frombuffer(whole[keyword].value, dtype=">u2").astype("<u2").tobytes()
                )
        return swapped

    def _attempt(self, frame: int, function: Any) -> NDArray[Any]:
        try:
            with quiet():
                return np.asarray(function())
        except Exception as error:
            why = reason(error)
            raise DataError(
                f"{self._frame(frame)}: expected a lookup table or window by which to view the pixels, found "
                f"one that cannot be applied ({why}); correct the file, or export it again"
            ) from error

    def _is_grey(self, values: NDArray[Any]) -> bool:
        return values.ndim == 2  # noqa: PLR2004 - axes of a grey image

    def _colours(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        values = values[..., :3]
        if values.dtype == np.uint8 and int(self.header.get("BitsStored") or 8) >= 8:  # noqa: PLR2004 - bits of a byte
            return np.asarray(values)
        depth = int(self.header.get("BitsStored") or 8 * values.itemsize)
        if self.layout.photometric == "PALETTE COLOR":
            depth = 8 * values.itemsize
        return grey_levels(values, 0, 2**depth - 1)

    def _frame(self, frame: int) -> str:
        return self.name if self.layout.frames == 1 else f"{self.name}, frame {frame + 1}"


def _viewed_range(values: NDArray[Any], attributes: Dataset) -> tuple[float, float]:
    """The range that the file's own view leads to: of its lookup table, its window, or its bits.

    Without a view, 8 bits are shown as they are and others over the range that they fill.
    """
    tables = attributes.get("VOILUTSequence") or ()
    if tables and tables[0].get("LUTDescriptor") and tables[0].get("LUTData"):
        return 0.0, float(2 ** int(tables[0].LUTDescriptor[2]) - 1)
    bits = int(attributes.get("BitsStored") or 8 * values.itemsize)
    windowed = attributes.get("WindowCenter") is not None and attributes.get("WindowWidth") is not None
    if not windowed:
        whole = Window("full").bounds(values)
        as_it_is = bits == 8 and values.dtype == np.uint8  # noqa: PLR2004 - bits of a byte
        return (0.0, 255.0) if as_it_is else whole
    if attributes.get("ModalityLUTSequence"):
        low, high = 0.0, float(2 ** int(attributes.ModalityLUTSequence[0].LUTDescriptor[2]) - 1)
    elif attributes.get("PixelRepresentation", 0):
        low, high = float(-(2 ** (bits - 1))), float(2 ** (bits - 1) - 1)
    else:
        low, high = 0.0, float(2**bits - 1)
    slope, intercept = attributes.get("RescaleSlope"), attributes.get("RescaleIntercept")
    if slope is None or intercept is None:
        return low, high
    ends = sorted((low * float(slope) + float(intercept), high * float(slope) + float(intercept)))
    return ends[0], ends[1]
