"""Files whose pixels are broken or hostile: each is refused in one sentence, before memory is asked for."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.uid import (
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from fivefold.errors import DataError
from fivefold_healthcare.dicom.codestream import stated_size
from fivefold_healthcare.dicom.pixels import Pixels
from fivefold_healthcare.dicom.window import Window
from plugins.healthcare.single_images import image, item, lookup, packed, saved

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
RAMP = np.arange(6, dtype=np.uint16).reshape(2, 3)
GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)


def refused(path: Path, message: str) -> None:
    """It is refused with one sentence that names the file, whether when opened or when asked for pixels."""
    with pytest.raises(DataError, match=message) as caught:
        Pixels(path, path.name).picture()
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(path.name)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"PixelData": None}, "expected an image, found no whole pixel data in it; leave it out"),
        ({"PixelData": b""}, "expected 12 bytes of pixels for 1 frame of 2 x 3, found 0"),
        ({"PixelData": bytes(10)}, "expected 12 bytes of pixels for 1 frame of 2 x 3, found 10; the file is cut off"),
        ({"NumberOfFrames": 2}, "expected 24 bytes of pixels for 2 frames of 2 x 3, found 12"),
        ({"NumberOfFrames": 0}, "expected 'NumberOfFrames' to be a whole number from 1, found '0'"),
        ({"NumberOfFrames": -1}, "expected 'NumberOfFrames' to be a whole number from 1, found '-1'"),
        ({"NumberOfFrames": 2**31 - 1}, "expected at most a frame a byte of the file, found 2,147,483,647 frames"),
        ({"Rows": 0}, "expected 'Rows' to be a whole number from 1, found '0'"),
        ({"Rows": None}, "found a Secondary Capture Image Storage without 'Rows', which holds no picture"),
        ({"Columns": [3, 3]}, r"expected 'Columns' to be a whole number from 1, found '\[3, 3\]'"),
        ({"Rows": 65535, "Columns": 65535}, "expected frames of at most 134,217,728 values, found 1 of 65,535 x"),
        ({"Rows": 9000, "Columns": 9000}, "expected 162,000,000 bytes of pixels for 1 frame .* found 12"),
        ({"SamplesPerPixel": 2}, "expected 24 bytes of pixels"),
        ({"BitsAllocated": 7}, "found that they cannot be decoded"),
        ({"BitsStored": None}, r"cannot be decoded \(Missing required element: \(0028,0101\) 'Bits Stored'\)"),
        ({"PixelRepresentation": None}, "'Pixel Representation'"),
        ({"PhotometricInterpretation": None}, "'Photometric Interpretation'"),
        ({"PhotometricInterpretation": "SEPIA"}, "cannot be decoded"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "No suitable Palette Color Lookup Table"),
        ({"WindowCenter": 4, "WindowWidth": 0}, "Window Width must be greater than"),
        ({"ModalityLUTSequence": [item(ModalityLUTType="US")]}, "that cannot be applied"),
        ({"VOILUTSequence": [lookup("VOILUTSequence", [1] * 6, bits=20)]}, "a lookup table .* cannot be applied"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(attributes: dict[str, Any], message: str, tmp_path: Path) -> None:
    refused(saved(image(RAMP, **attributes), tmp_path), message)


def test_lookup_tables_that_are_cut_off_are_told(tmp_path: Path) -> None:
    table = lookup("ModalityLUTSequence", [1, 2, 3])
    table.LUTDescriptor = [300, 0, 8]
    found = Pixels(saved(image(RAMP, ModalityLUTSequence=[table]), tmp_path))
    try:
        assert found.values().tolist() == [[1, 2, 3], [3, 3, 3]]
    except DataError as error:
        assert "expected a lookup table" in str(error)  # noqa: PT017 - either is right, nothing else is


def test_a_transfer_syntax_without_decoder_is_told(tmp_path: Path) -> None:
    dataset = packed(image(GREY), MPEG4HP41, b"\x00\x00\x01\xb3")
    refused(
        saved(dataset, tmp_path), "found the transfer syntax MPEG-4 AVC/H.264 .* no decoder; convert the file"
    )
    path = tmp_path / "image.dcm"
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.4.102", b"1.2.840.99999.1.2.4.102"))
    refused(path, "found the transfer syntax 1.2.840.99999.1.2.4.102, for which there is no decoder")


@pytest.mark.parametrize("content", [b"\0\0\0\0", b"\xff\xd8\xff\xd9", b"no picture in here"])
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless])
def test_what_is_no_compressed_image_is_told(syntax: UID, content: bytes, tmp_path: Path) -> None:
    refused(saved(packed(image(GREY), syntax, content), tmp_path), "cannot be decoded")


# Files of a few bytes that would have a decoder ask for gigabytes.


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "JPEG")
    return buffer.getvalue()


def jpeg_2000(*, boxed: bool) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "JPEG2000", no_jp2=not boxed)
    return buffer.getvalue()


def enlarged_jpeg(side: int) -> bytes:
    content = bytearray(jpeg())
    struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, side, side)
    return bytes(content)


def enlarged_jpeg_2000(side: int, *, boxed: bool) -> bytes:
    content = bytearray(jpeg_2000(boxed=boxed))
    start = content.index(b"\xff\x4f\xff\x51")
    struct.pack_into(">II", content, start + 8, side, side)
    struct.pack_into(">II", content, start + 24, side, side)  # one tile
    return bytes(content)


def test_sizes_are_found_in_compressed_images() -> None:
    assert stated_size(jpeg()) == (8, 8, 1)
    assert stated_size(jpeg_2000(boxed=False)) == stated_size(jpeg_2000(boxed=True)) == (8, 8, 1)
    assert stated_size(enlarged_jpeg(60000)) == (60000, 60000, 1)
    assert stated_size(enlarged_jpeg_2000(60000, boxed=True)) == (60000, 60000, 1)
    colour, buffer = Image.new("RGB", (40, 30)), io.BytesIO()
    colour.save(buffer, "JPEG", progressive=True)
    assert stated_size(buffer.getvalue()) == (30, 40, 3)
    filled = jpeg().replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1)
    assert stated_size(filled) == (8, 8, 1)


@given(
    content=st.one_of(
        st.binary(max_size=40).map(lambda tail: b"\xff\xd8" + tail),
        st.binary(max_size=60).map(lambda tail: b"\xff\x4f\xff\x51" + tail),
        st.binary(max_size=60).map(lambda tail: b"\x00\x00\x00\x0cjP  \r\n\x87\n" + tail),
        st.integers(0, 400).map(lambda end: jpeg()[:end]),
        st.integers(0, 200).map(lambda end: jpeg_2000(boxed=True)[:end]),
    )
)
@settings(max_examples=200, deadline=None)
def test_broken_compressed_images_have_no_size_and_do_no_harm(content: bytes) -> None:
    found = stated_size(content)
    assert found is None or len(found) == 3


@pytest.mark.parametrize("kind", ["jpeg", "j2k", "jp2"])
def test_a_compressed_image_of_another_size_is_not_decoded(kind: str, tmp_path: Path) -> None:
    huge = enlarged_jpeg(30000) if kind == "jpeg" else enlarged_jpeg_2000(30000, boxed=kind == "jp2")
    syntax = JPEGBaseline8Bit if kind == "jpeg" else JPEG2000Lossless
    path = saved(packed(image(GREY), syntax, huge), tmp_path)
    refused(path, r"expected the compressed image to state the size 8 x 8 of 1, found 30000 x 30000 of 1\)")
    small = jpeg() if kind == "jpeg" else jpeg_2000(boxed=kind == "jp2")
    assert Pixels(saved(packed(image(GREY), syntax, small), tmp_path)).picture().shape == (8, 8)


def test_each_frame_is_looked_at(tmp_path: Path) -> None:
    dataset = packed(
        image(GREY, NumberOfFrames=2), JPEG2000Lossless, jpeg_2000(boxed=False), b"\xff\x4f\xff\x51"
    )
    pixels = Pixels(saved(dataset, tmp_path), "two.dcm")
    np.testing.assert_array_equal(pixels.values(0), GREY)
    with pytest.raises(DataError, match=r"two.dcm, frame 2: expected pixels .* found none\)"):
        pixels.values(1)


def test_what_deflates_to_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    """A file of 256 kB that is 256 MB when unpacked, in a process of its own, whose memory grows by less than 16 MB."""
    path = saved(image(RAMP), tmp_path)
    whole = pydicom.dcmread(path)
    whole.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    written = io.BytesIO()
    pydicom.dcmwrite(written, whole, enforce_file_format=True)
    head = written.getvalue()[: 144 + struct.unpack_from("<I", written.getvalue(), 140)[0]]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(b"\x09\x00\x10\x10OB\0\0" + struct.pack("<I", 2**28))
    body += b"".join(packer.compress(bytes(2**22)) for _ in range(2**6)) + packer.flush()
    path.write_bytes(head + body)
    assert path.stat().st_size < 300_000
    script = (
        "import resource, sys\nfrom pathlib import Path\nfrom fivefold.errors import DataError\n"
        "from fivefold_healthcare.dicom import files\nfiles.MOST_INFLATED = 2**26\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    files.read_header(Path(sys.argv[1]), 'bomb.dcm')\nexcept DataError as error:\n    print(error)\n"
        "print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    said, taken = done.stdout.splitlines()
    assert said == (
        "bomb.dcm: expected a file that unpacks to at most 67,108,864 bytes, found more; export it again, not deflated"
    )
    assert int(taken) < 2**24


def test_large_pixels_are_left_in_the_file_until_they_are_asked_for(tmp_path: Path) -> None:
    """Of 64 frames of 1 MB no more than one is read at a time."""
    dataset = image(np.zeros((1024, 1024), dtype=np.uint8), NumberOfFrames=64, PixelData=bytes(2**26))
    path = saved(dataset, tmp_path)
    del dataset
    import tracemalloc

    tracemalloc.start()
    try:
        Pixels(path).values(63)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**23


# Whatever is broken.


SEEDS = [
    (FILES / name).read_bytes()
    for name in ("MR_small_RLE.dcm", "JPEGLSNearLossless_08.dcm", "SC_rgb_small_odd.dcm", "rtdose_1frame.dcm")
]


def only_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "broken.dcm"
        path.write_bytes(content)
        said = ""
        try:
            pixels = Pixels(path, path.name)
            pixels.viewed()
            pixels.picture()
            pixels.picture(window=Window("percentiles", 1, 99))
        except DataError as error:
            said = str(error)
        assert not said or said.startswith("broken.dcm")
        assert "\n" not in said


@given(
    content=st.sampled_from(SEEDS),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6
    ),
)
@settings(max_examples=150, deadline=None)
def test_bytes_changed_at_random_are_read_or_refused(
    content: bytes, changes: list[tuple[float, int]]
) -> None:
    changed = bytearray(content)
    for place, value in changes:
        changed[128 + int(place * (len(content) - 128))] = value
    only_refused(bytes(changed))


@given(content=st.sampled_from(SEEDS), share=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_files_cut_off_anywhere_are_read_or_refused(content: bytes, share: float) -> None:
    only_refused(content[: int(share * len(content))])


MANY_BROKEN = """
import os, random, sys
from pathlib import Path
from fivefold.errors import DataError
from fivefold_healthcare.dicom.pixels import Pixels

content, broken = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
start, generator, told = content.rindex(bytes.fromhex("e07f1000")), random.Random(0), 0
for _ in range(150):
    changed = bytearray(content)
    for _ in range(generator.randint(1, 4)):
        changed[generator.randrange(start, len(changed))] = generator.randrange(256)
    broken.write_bytes(changed)
    try:
        Pixels(broken).picture()
    except DataError:
        told += 1
print(told)
"""


@pytest.mark.parametrize("name", ["SC_rgb_small_odd_jpeg", "JPEGLSNearLossless_08", "MR_small_RLE"])
def test_broken_compressed_images_do_not_end_the_process(name: str, tmp_path: Path) -> None:
    """GDCM would, by broken JPEG and JPEG-LS: each is decoded by another one."""
    words = [sys.executable, "-c", MANY_BROKEN, str(FILES / f"{name}.dcm"), str(tmp_path / "broken.dcm")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert int(done.stdout) > 10


def test_what_follows_the_pixels_may_be_broken(tmp_path: Path) -> None:
    path = saved(image(RAMP), tmp_path)
    path.write_bytes(path.read_bytes() + b"\xfc\xff\xfc\xffXX\x00\x00garbage")
    assert Pixels(path).values().tolist() == RAMP.tolist()
