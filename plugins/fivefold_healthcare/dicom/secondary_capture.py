"""Results as a picture that every viewer shows: a DICOM secondary capture image (PS3.3 A.8.1).

Below the picture stands a strip with the notice and the results, in the pixels: what a viewer or a printer makes
of the attributes cannot part them from the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from highdicom.sc import SCImage
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from fivefold.errors import DataError
from fivefold_healthcare.dicom.files import quiet
from fivefold_healthcare.dicom.generated import (
    Origin,
    Result,
    add_patient_and_study,
    copy_known,
    cut,
    identity,
    reference,
    require_results,
)

SMALLEST_WIDTH = 384
"""Pixels across; narrower pictures get a black margin on their right, or the text below could not be read."""

_LARGEST_SIDE = 65535
_CHANNELS = 3
_LONGEST_ST, _LONGEST_LT = 1024, 10240
_LONGEST_BURNED = 120
"""Bytes of a label in the strip."""
_LONGEST_ANSWER = 60
"""Bytes of a line in Image Comments that are not the label, and are never left out."""
_SHORTEST_LABEL = 16
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SMALLEST_SCALE = 0.4
_LINE = 30
"""Pixels from line to line at scale 1."""
_WHITE = (255, 255, 255)
_KEPT = (
    "BodyPartExamined", "Laterality", "ImageLaterality",
    "BurnedInAnnotation", "RecognizableVisualFeatures",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip


@quiet()
def secondary_capture(
    source: Dataset, picture: NDArray[np.uint8], results: Sequence[Result], origin: Origin
) -> Dataset:
    """A secondary capture image of ``picture`` and ``results``, in the source's study and a series of its own.

    The results are in Image Comments, too. Burned In Annotation says whether the pixels identify the patient
    (PS3.3 C.7.6.1), which the strip does not: it is the source's, and absent where the source does not say.

    Args:
        source: the object that the results are for; it is left as it is.
        picture: the image to show, shape ``(H, W, 3)``, RGB.
        results: one or more.
        origin: where they come from.

    Returns:
        The image, with file meta information, to be saved by `save_dicom`.

    Raises:
        DataError: the source lacks an identifier, there is no result, or the picture has another shape or kind,
            or is too large for DICOM with its strip.
    """
    identified = reference(source)
    require_results(results)
    pixels = with_strip(picture, results, origin.notice)
    image = SCImage(
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "P"),
        study_instance_uid=identified.StudyInstanceUID,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **identity(source, origin, "picture"),
    )
    image.PatientOrientation = None  # highdicom asks for one, but how the picture lies is not known here
    image.DateOfSecondaryCapture = image.ContentDate
    image.TimeOfSecondaryCapture = image.ContentTime
    add_patient_and_study(image, source, origin)
    copy_known(image, source, _KEPT)
    image.SourceImageSequence = [_source_image(identified)]
    image.DerivationDescription = cut(
        f"{origin.notice} Picture of what {origin.model} (fivefold {origin.software_version}) predicts from the "
        "source image, with a strip of text below.",
        _LONGEST_ST,
    )
    image.ImageComments = _comments(results, origin.notice)
    return image


def with_strip(picture: NDArray[np.uint8], results: Sequence[Result], notice: str) -> NDArray[np.uint8]:
    """``picture``, its pixels where they were, above a strip with ``notice`` and ``results``.

    Lines are numbered as in Image Comments, because OpenCV before 5.0 draws characters beyond ASCII as question
    marks.

    Args:
        picture: shape ``(H, W, 3)``, RGB.
        results: one line each, or more where it is wide.
        notice: the first line.

    Returns:
        Shape ``(H + strip, max(W, SMALLEST_WIDTH), 3)``.

    Raises:
        DataError: the picture has another shape or kind, or is too large for DICOM with its strip.
    """
    if (
        picture.dtype != np.uint8
        or picture.ndim != _CHANNELS
        or picture.shape[2] != _CHANNELS
        or not picture.size
    ):
        raise DataError(
            f"picture to write as DICOM: expected uint8 of shape (H, W, 3), found {picture.dtype} of shape "
            f"{picture.shape}"
        )
    height, width = picture.shape[0], max(picture.shape[1], SMALLEST_WIDTH)
    scale = max(_SMALLEST_SCALE, width / 1000)
    step = round(_LINE * scale)
    texts = [notice, *_lines(results, _LONGEST_BURNED)]
    lines = [line for text in texts for line in _wrapped(text, scale, width - step)]
    total = height + step * len(lines) + step // 2
    if max(total, width) > _LARGEST_SIDE:
        raise DataError(
            f"picture to write as DICOM: expected at most {_LARGEST_SIDE} pixels a side, found {total} rows and "
            f"{width} columns with the text of {len(results)} results; write fewer, or a smaller picture"
        )
    canvas = np.zeros((total, width, _CHANNELS), dtype=np.uint8)
    canvas[:height, : picture.shape[1]] = picture
    strip = np.zeros((total - height, width, _CHANNELS), dtype=np.uint8)
    for number, line in enumerate(lines, start=1):
        place = (step // 2, number * step)
        cv2.putText(strip, line, place, _FONT, scale, _WHITE, max(1, round(scale)), cv2.LINE_AA)
    canvas[height:] = strip
    return canvas


def _comments(results: Sequence[Result], notice: str) -> str:
    """Notice and results; many results have to do with shorter labels each, to leave none out."""
    share = (_LONGEST_LT - len(notice.encode())) // len(results) - _LONGEST_ANSWER
    return cut("\r\n".join((notice, *_lines(results, max(share, _SHORTEST_LABEL)))), _LONGEST_LT)


def _lines(results: Sequence[Result], longest_label: int) -> list[str]:
    return [
        f"{number}. {cut(result.label, longest_label)}: {result.answer}"
        for number, result in enumerate(results, start=1)
    ]


def _wrapped(text: str, scale: float, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` pixels, broken at blanks, or within a word that is wider."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if _width(joined, scale) <= width:
            lines[-1] = joined
            continue
        lines.append("")
        for character in word:
            if _width(lines[-1] + character, scale) > width:
                lines.append("")
            lines[-1] += character
    return [line for line in lines if line]


def _width(text: str, scale: float) -> int:
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, max(1, round(scale)))
    return int(width)


def _source_image(identified: Dataset) -> Dataset:
    """An item that refers to the source (PS3.3 C.7.6.1.1.4)."""
    item = Dataset()
    item.ReferencedSOPClassUID = identified.SOPClassUID
    item.ReferencedSOPInstanceUID = identified.SOPInstanceUID
    purpose = codes.DCM.SourceImageForImageProcessingOperation
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(purpose)]
    return item
