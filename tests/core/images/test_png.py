"""PNG files with odd and broken parts: read in silence, or refused with the file's name."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from fivefold.errors import DataError
from fivefold.images.decode import decode, encode_png
from fivefold.images.png import START, plain_png

PICTURE = (np.arange(64).reshape(8, 8) * 3).astype(np.uint8)
FILE = encode_png(PICTURE)
PIXELS, END = FILE.index(b"IDAT") - 4, FILE.index(b"IEND") - 4


def chunk(name: bytes, content: bytes, checksum: bytes | None = None) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content)) if checksum is None else checksum
    return struct.pack(">I", len(content)) + name + content + checksum


def test_a_plain_file_stays_as_it_is() -> None:
    assert plain_png(FILE, "x.png") is FILE
    assert plain_png(FILE + b"behind the end", "x.png").startswith(START)


@pytest.mark.parametrize(
    "data",
    [
        FILE[:END] + chunk(b"sRGB", b"\0") + FILE[END:],
        FILE[:PIXELS] + chunk(b"iCCP", b"x\0\0zzz") + FILE[PIXELS:],
        FILE[:PIXELS] + chunk(b"gAMA", b"\0", b"1234") + FILE[PIXELS:],
        FILE[:PIXELS] + chunk(b"tRNS", b"\0\0", b"1234") + FILE[PIXELS:],
        FILE[:PIXELS] + chunk(b"tEXt", b"a\0b") + FILE[PIXELS:],
    ],
)
def test_what_does_not_concern_pixels_is_read_past_in_silence(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    np.testing.assert_array_equal(decode(data, "x.png"), PICTURE)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (FILE[: PIXELS + 14], "found one that is cut off after"),
        (FILE[:END], "found one that is cut off after"),
        (START, "found one that is cut off after 8 bytes"),
        (FILE[: END - 4] + b"abcd" + FILE[END:], "found one whose part IDAT is damaged"),
        (FILE[: PIXELS + 10] + b"\xff\xff" + FILE[PIXELS + 12 :], "found one whose part IDAT is damaged"),
    ],
)
def test_a_broken_file_is_refused_by_its_name_alone(
    data: bytes, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match=rf"^photos/x\.png: expected a whole PNG, {message}"):
        decode(data, "photos/x.png")
    assert capfd.readouterr() == ("", "")
