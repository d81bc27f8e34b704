"""What a compressed image says of its own size, before anything is decoded.

A decoder makes room for the size that the compressed image states, whatever the header of its file states, so
that a file of a few bytes could fill the memory. Read here are the frame header of JPEG and JPEG-LS (ISO/IEC
10918-1, B.2.2; 14495-1, C.2.2) and the SIZ marker of JPEG 2000 (ISO/IEC 15444-1, A.5.1), by itself or in a JP2
file.
"""

from __future__ import annotations

import struct

_JPEG = b"\xff\xd8"
_JPEG_2000 = b"\xff\x4f\xff\x51"
_JP2 = b"\x00\x00\x00\x0cjP  "
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})  # among C0 to CF: tables, and a reserved one
_JPEG_LS = 0xF7
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_ENDS = frozenset({0xD9, 0xDA})  # end of image, start of scan: no frame header comes any more


def stated_size(codestream: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and values a pixel of a JPEG, JPEG-LS or JPEG 2000 image; None where it states none."""
    try:
        if codestream.startswith(_JPEG):
            return _of_jpeg(codestream)
        if codestream.startswith(_JP2):
            return _of_jpeg_2000(codestream[_inside(codestream) :])
        return _of_jpeg_2000(codestream)
    except (struct.error, IndexError):  # cut off
        return None


def _of_jpeg(codestream: bytes) -> tuple[int, int, int] | None:
    at = len(_JPEG)
    while codestream[at] == 0xFF:  # noqa: PLR2004 - what markers start with
        marker = codestream[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - filling
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _ENDS:
            return None
        elif marker == _JPEG_LS or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME):  # noqa: PLR2004 - SOF0 to SOF15
            rows, columns, samples = struct.unpack_from(">HHB", codestream, at + 5)
            return rows, columns, samples
        else:
            at += 2 + struct.unpack_from(">H", codestream, at + 2)[0]
    return None


def _of_jpeg_2000(codestream: bytes) -> tuple[int, int, int] | None:
    if not codestream.startswith(_JPEG_2000):
        return None
    right, bottom, left, top = struct.unpack_from(">4I", codestream, 8)
    (samples,) = struct.unpack_from(">H", codestream, 40)
    return bottom - top, right - left, samples


def _inside(boxes: bytes) -> int:
    """Where the image begins in a JP2 file."""
    at = 0
    while at < len(boxes):
        length, kind = struct.unpack_from(">I4s", boxes, at)
        if kind == b"jp2c":
            return at + (16 if length == 1 else 8)
        if length < 8:  # noqa: PLR2004 - a box without end, or of 64 bits of length, stands for the image only
            break
        at += length
    return len(boxes)
