import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import HEVCMP51, HTJ2K, JPEG2000Lossless, JPEGBaseline8Bit

from fivefold_healthcare.dicom.deidentification import Deidentifier
from fivefold_healthcare.dicom.deidentification.comments import (
    without_jpeg2000_comments,
    without_jpeg_comments,
)
from plugins.healthcare.deidentified import image

PIXELS = np.random.default_rng(0).integers(0, 255, (16, 24), np.uint8)


def jpeg() -> bytes:
    return cv2.imencode(".jpg", PIXELS)[1].tobytes()


def jpeg2000() -> bytes:
    (frame,) = generate_frames(dcmread(get_testdata_file("JPEG2000.dcm")).PixelData, number_of_frames=1)
    return frame


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def with_segment(stream: bytes, marker: int, content: bytes, at: int = 2) -> bytes:
    return stream[:at] + segment(marker, content) + stream[at:]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([0xFE, *range(0xE0, 0xF0)]), st.binary(max_size=64))
def test_foreign_segments_of_jpeg_go_and_the_picture_stays(marker: int, content: bytes) -> None:
    clean = without_jpeg_comments(jpeg())
    dirty = with_segment(jpeg(), marker, b"Nightingale" + content)
    assert without_jpeg_comments(dirty) == clean
    decoded = cv2.imdecode(np.frombuffer(clean, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(decoded, cv2.imdecode(np.frombuffer(jpeg(), np.uint8), cv2.IMREAD_UNCHANGED))


def test_segments_that_say_how_colours_are_coded_stay() -> None:
    for marker, content in ((0xEE, b"Adobe\0d\0\0\0\0\1"), (0xE8, b"mrfx\1")):
        dirty = with_segment(jpeg(), marker, content)
        assert without_jpeg_comments(dirty) == dirty


def test_thumbnail_of_jfif_goes() -> None:
    header = b"JFIF\0\1\1\0\0\1\0\1"
    dirty = with_segment(jpeg()[:2] + jpeg()[20:], 0xE0, header + b"\2\2" + b"Nightingale!")
    assert without_jpeg_comments(dirty)[:22] == jpeg()[:2] + segment(0xE0, header + b"\0\0") + jpeg()[20:22]


def test_bytes_after_the_end_and_comments_between_scans_go() -> None:
    progressive = cv2.imencode(".jpg", PIXELS, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    second = progressive.index(b"\xff\xda", progressive.index(b"\xff\xda") + 2)
    dirty = with_segment(progressive, 0xFE, b"Nightingale", at=second) + b"Nightingale"
    assert without_jpeg_comments(dirty) == progressive


def test_restart_markers_and_fill_bytes_are_no_segments() -> None:
    restarting = cv2.imencode(".jpg", PIXELS, [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])[1].tobytes()
    assert b"\xff\xd0" in restarting
    assert without_jpeg_comments(restarting) == restarting
    filled = restarting[:2] + b"\xff\xff" + restarting[2:]
    assert without_jpeg_comments(filled) == restarting


def test_comments_of_jpeg2000_go() -> None:
    stream = jpeg2000()
    at = stream.index(b"\xff\x52")  # before the coding style
    dirty = with_segment(stream, 0x64, b"\0\1Nightingale", at=at)
    assert without_jpeg2000_comments(dirty) == without_jpeg2000_comments(stream)
    assert b"Kakadu" in stream
    assert b"Kakadu" not in without_jpeg2000_comments(stream)


@pytest.mark.parametrize(
    ("clean", "stream"),
    [
        (without_jpeg_comments, b""),
        (without_jpeg_comments, b"\xff\xd8"),
        (without_jpeg_comments, b"\xff\xd8\xff"),
        (without_jpeg_comments, b"\xff\xd8\xff\xff"),
        (without_jpeg_comments, b"\xff\xd8\x00\x00"),
        (without_jpeg_comments, b"\xff\xd8\xff\xfe\x00\x01"),
        (without_jpeg_comments, b"\xff\xd8\xff\xfe\x00\x09abc"),
        (without_jpeg_comments, b"\xff\xd8\xff\xda\x00\x02abc"),
        (without_jpeg2000_comments, b"\x00\x00\x00\x0cjP"),
        (without_jpeg2000_comments, b"\xff\x4f\xff\x64\x00\x09a"),
        (without_jpeg2000_comments, b"\xff\x4f"),
    ],
)
def test_streams_that_are_none_are_refused(clean: object, stream: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        clean(stream)


def compressed(frames: list[bytes], syntax: str, content: bytes | None = None) -> Dataset:
    original = image(
        Rows=16,
        Columns=24,
        NumberOfFrames=len(frames),
        PixelData=content or encapsulate(frames),
        Modality="CT",
    )
    original.file_meta = FileMetaDataset()
    original.file_meta.TransferSyntaxUID = syntax
    return original


def test_frames_are_packed_anew_without_their_comments() -> None:
    dirty = [with_segment(jpeg(), 0xFE, text) for text in (b"Nightingale", b"Florence")]
    content, offsets, lengths = encapsulate_extended(dirty)
    original = compressed(dirty, JPEGBaseline8Bit, content)
    original.ExtendedOffsetTable, original.ExtendedOffsetTableLengths = offsets, lengths
    outcome = Deidentifier().deidentify(original)
    new = outcome.dataset
    assert "ExtendedOffsetTable" not in new
    frames = list(generate_frames(new.PixelData, number_of_frames=2))
    assert [frame.rstrip(b"\0") for frame in frames] == [jpeg()] * 2
    assert np.array_equal(new.pixel_array[0], original.pixel_array[0])
    assert [change.reason for change in outcome.changes if change.path == "PixelData"] == [
        "comments in the compressed pixels are taken out"
    ]


def test_frames_without_comments_stay_byte_for_byte() -> None:
    original = compressed([jpeg()], JPEGBaseline8Bit)
    assert Deidentifier().deidentify(original).dataset.PixelData == original.PixelData


@pytest.mark.parametrize(
    ("syntax", "message"),
    [
        (JPEG2000Lossless, "comments that cannot be taken out"),
        (HTJ2K, "comments that cannot be taken out"),
        ("1.2.840.10008.1.2.4.94", "comments that cannot be taken out"),
        (HEVCMP51, "video may hold sound"),
    ],
)
def test_streams_that_cannot_be_cleaned_are_said(syntax: str, message: str) -> None:
    (warning,) = Deidentifier().deidentify(compressed([b"no stream of this kind"], syntax)).warnings
    assert message in warning


def test_other_number_of_frames_than_stated_is_said() -> None:
    original = compressed([jpeg()], JPEGBaseline8Bit)
    original.NumberOfFrames = 3
    (warning,) = Deidentifier().deidentify(original).warnings
    assert "cannot be taken out" in warning
