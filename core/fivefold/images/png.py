"""PNG files without what their decoder, libpng, would complain of on the terminal, where no file is named.

See the Portable Network Graphics specification (W3C, third edition), 5.3 chunk layout.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from fivefold.errors import DataError

START = b"\x89PNG\r\n\x1a\n"

_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_KEPT = _CRITICAL | {b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"}
"""Chunks that say which pixels are to be seen; colour profiles, texts and times do not."""
_FRAME = 12  # bytes of a chunk beside its content: length, name, checksum


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    whole: memoryview
    sound: bool


def plain_png(data: bytes, name: str) -> bytes:
    """The file ``data``, which messages call ``name``, with those chunks alone that decoding needs.

    Raises:
        DataError: it is cut off, or pixels are damaged.
    """
    found = list(_chunks(data))
    broken = next((chunk for chunk in found if chunk.name in _CRITICAL and not chunk.sound), None)
    if broken is not None:
        raise DataError(
            f"{name}: expected a whole PNG, found one whose part {broken.name.decode()} is damaged (its checksum is "
            "wrong); restore or remove it"
        )
    if not found or found[-1].name != b"IEND":
        raise DataError(
            f"{name}: expected a whole PNG, found one that is cut off after {len(data):,} bytes; restore or remove it"
        )
    if all(chunk.name in _KEPT and chunk.sound for chunk in found):
        return data
    return b"".join([START, *(chunk.whole for chunk in found if chunk.name in _KEPT and chunk.sound)])


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Whole chunks, up to the end of the picture or of the file."""
    view = memoryview(data)
    place = len(START)
    while place + _FRAME <= len(data):
        end = place + _FRAME + int.from_bytes(view[place : place + 4], "big")
        if end > len(data):
            return
        name = bytes(view[place + 4 : place + 8])
        sound = zlib.crc32(view[place + 4 : end - 4]) == int.from_bytes(view[end - 4 : end], "big")
        yield _Chunk(name, view[place:end], sound)
        if name == b"IEND":
            return
        place = end
