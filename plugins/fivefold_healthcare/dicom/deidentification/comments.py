"""Comments inside compressed pictures: segments of JPEG, JPEG-LS and JPEG 2000 that may carry text.

Marker syntax is that of ISO 10918-1 Annex B (JPEG), ISO 14495-1 Annex C (JPEG-LS) and ISO 15444-1 Annex A (JPEG 2000).
Nothing that a decoder needs is touched: of the application segments of JPEG those stay that say how colours are coded.
"""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = 0xFF
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_COMMENT: Final = 0xFE
_APPLICATION: Final = range(0xE0, 0xF0)
_JFIF: Final = 0xE0
_LONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_AFTER_SCAN: Final = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_COLOURS: Final = {_JFIF: b"JFIF\0", 0xE8: b"mrfx", 0xEE: b"Adobe"}
"""Application segments that stay, by what they begin with: JFIF, the colour transform of JPEG-LS, and Adobe's."""

_LENGTH_OF_LENGTH: Final = 2
_JFIF_LENGTH: Final = 16
_J2K_START, _J2K_TILE, _J2K_COMMENT = 0x4F, 0x90, 0x64


def without_jpeg_comments(stream: bytes) -> bytes:
    """A JPEG or JPEG-LS stream without comments, foreign application segments, or bytes after its end.

    Raises:
        ValueError: it is no such stream.
    """
    if stream[:2] != bytes((_MARK, _START)):
        raise ValueError("expected a JPEG stream")
    kept, position = [stream[:2]], 2
    while True:
        position = _next_marker(stream, position)
        marker = stream[position + 1]
        if marker == _END:
            kept.append(stream[position : position + 2])
            return b"".join(kept)
        if marker in _LONE:
            kept.append(stream[position : position + 2])
            position += 2
            continue
        segment = _segment(stream, position)
        kept.append(_kept(marker, segment))
        position += len(segment)
        if marker == _SCAN:
            end = _end_of_scan(stream, position)
            kept.append(stream[position:end])
            position = end


def without_jpeg2000_comments(stream: bytes) -> bytes:
    """A JPEG 2000 code stream without the comments of its main header.

    Raises:
        ValueError: it is no bare code stream.
    """
    if stream[:2] != bytes((_MARK, _J2K_START)):
        raise ValueError("expected a JPEG 2000 code stream")
    kept, position = [stream[:2]], 2
    while (marker := _marker(stream, position)) != _J2K_TILE:
        segment = _segment(stream, position)
        if marker != _J2K_COMMENT:
            kept.append(segment)
        position += len(segment)
    return b"".join((*kept, stream[position:]))


def _kept(marker: int, segment: bytes) -> bytes:
    """What stays of a segment: all, nothing, or a JFIF segment without its thumbnail."""
    if marker != _COMMENT and marker not in _APPLICATION:
        return segment
    if marker not in _COLOURS or not segment[4:].startswith(_COLOURS[marker]):
        return b""
    if marker == _JFIF and len(segment) > _JFIF_LENGTH + 2:
        return segment[:2] + _JFIF_LENGTH.to_bytes(2) + segment[4:_JFIF_LENGTH] + bytes(2)
    return segment


def _next_marker(stream: bytes, position: int) -> int:
    """Where the next marker begins; fill bytes 0xFF before it are skipped."""
    _marker(stream, position)
    while stream[position + 1] == _MARK:
        position += 1
        _marker(stream, position)
    return position


def _marker(stream: bytes, position: int) -> int:
    if position + 1 >= len(stream) or stream[position] != _MARK:
        raise ValueError("expected a marker")
    return stream[position + 1]


def _segment(stream: bytes, position: int) -> bytes:
    length = int.from_bytes(stream[position + 2 : position + 4])
    segment = stream[position : position + 2 + length]
    if length < _LENGTH_OF_LENGTH or len(segment) != length + 2:
        raise ValueError("expected a whole segment")
    return segment


def _end_of_scan(stream: bytes, position: int) -> int:
    """Where the coded data of a scan end: at the next marker that is neither a restart nor a stuffed byte.

    JPEG stuffs a zero byte after 0xFF, JPEG-LS a zero bit, so that there a byte below 0x80 follows.
    """
    found = _AFTER_SCAN.search(stream, position)
    if found is None:
        raise ValueError("expected an end of the coded data")
    return found.start()
