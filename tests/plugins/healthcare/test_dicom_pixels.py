"""Pixels of DICOM: values against pydicom's own over all its files, and pictures against hand computation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels import apply_windowing
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from benchmarks.dicom_files import Outcome, by_pydicom, compare, files_below, opened, table
from fivefold_healthcare.dicom.files import read_header
from fivefold_healthcare.dicom.pixels import Pixels
from fivefold_healthcare.dicom.window import Window
from plugins.healthcare.single_images import image, item, lookup, saved

INSTALLED = Path(pydicom.__file__).parent / "data"
FILES = INSTALLED / "test_files"
RAMP = np.arange(6, dtype=np.uint8).reshape(2, 3)


def agrees(outcome: Outcome) -> None:
    """Read as pydicom reads it, or refused in one sentence that names the file."""
    assert outcome.difference == ""
    if outcome.refusal:
        assert outcome.refusal.startswith(outcome.path.name)
        assert "\n" not in outcome.refusal
        assert not outcome.decodable, f"pydicom by itself reads it, here: {outcome.refusal}"
    else:
        assert outcome.frames > 0


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [compare(path) for path in files_below([INSTALLED])]


def test_every_file_of_pydicom_is_read_as_pydicom_reads_it_or_refused(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        agrees(outcome)
    read = {one.path.name for one in outcomes if not one.refusal}
    assert len(read) > 80
    assert {"MR_small_bigendian.dcm", "image_dfl.dcm", "SC_rgb_jpeg.dcm", "liver_1frame.dcm"} <= read
    said = table(outcomes)
    assert "| Explicit VR Big Endian | MONOCHROME2 | " in said
    assert f" 0 | {len(outcomes) - sum(not one.refusal for one in outcomes)} |\n\nRefused:" in said
    assert "- 8: expected an image, found a Color Palette Storage without 'Rows'" in said


def test_files_with_pixels_that_are_refused_are_those_that_are_broken(outcomes: list[Outcome]) -> None:
    refusals = {one.path.name: one.refusal for one in outcomes if one.refusal and one.photometric != "none"}
    assert set(refusals) == {
        "JPEG-lossy.dcm",
        "JPGExtended.dcm",
        "JPEG2000-embedded-sequence-delimiter.dcm",
        "MR_truncated.dcm",
        "badVR.dcm",
        "chrJapMulti.dcm",
        "chrJapMultiExplicitIR6.dcm",
        "chrKoreanMulti.dcm",
    }
    assert "with 12-bit precision" in refusals["JPEG-lossy.dcm"]
    assert (
        "expected 8,192 bytes of pixels for 1 frame of 64 x 64, found 8,130" in refusals["MR_truncated.dcm"]
    )
    assert "expected 'NumberOfFrames' to be a whole number from 1, found '1A'" in refusals["badVR.dcm"]


def test_every_file_of_pydicom_data_is_read_as_pydicom_reads_it_or_refused(pydicom_data: Path) -> None:
    found = [compare(path) for path in files_below([pydicom_data])]
    for outcome in found:
        agrees(outcome)
    refusals = {one.path.name: one.refusal for one in found if one.refusal and one.syntax != "no DICOM"}
    assert set(refusals) == {"emri_small_jpeg_2k_lossless_too_short.dcm"}
    assert "found no whole pixel data in it" in refusals["emri_small_jpeg_2k_lossless_too_short.dcm"]


TWINS = [
    ("MR_small", "MR_small_RLE"),
    ("MR_small", "MR_small_bigendian"),
    ("MR_small", "MR_small_implicit"),
    ("MR_small", "MR_small_jp2klossless"),
    ("MR_small", "MR_small_jpeg_ls_lossless"),
    ("rtdose", "rtdose_expb"),
    ("rtdose", "rtdose_rle"),
    ("liver_1frame", "liver_expb_1frame"),
    ("693_UNCR", "693_J2KR"),
    ("MR2_UNCR", "MR2_J2KR"),
    ("US1_UNCR", "US1_J2KR"),
    ("RG3_UNCR", "RG3_J2KR"),
    ("SC_rgb", "SC_rgb_rle"),
    ("SC_rgb_2frame", "SC_rgb_rle_2frame"),
    ("SC_rgb_16bit_2frame", "SC_rgb_rle_16bit_2frame"),
    ("SC_rgb_32bit_2frame", "SC_rgb_rle_32bit_2frame"),
    ("SC_rgb_16bit", "SC_rgb_expb_16bit"),
    ("SC_rgb_dcmtk_ebcr_dcmd", "SC_rgb_dcmtk_+eb+cr"),
    ("SC_rgb_gdcm2k_uncompressed", "SC_rgb_gdcm_KY"),
    ("OBXXXX1A_2frame", "OBXXXX1A_rle_2frame"),
    ("OBXXXX1A", "OBXXXX1A_expb"),
    ("gdcm-US-ALOKA-16", "gdcm-US-ALOKA-16_big"),
    ("liver", "liver_expb"),
    ("emri_small", "emri_small_RLE"),
    ("emri_small", "emri_small_big_endian"),
    ("emri_small", "emri_small_jpeg_2k_lossless"),
    ("emri_small", "emri_small_jpeg_ls_lossless"),
]


@pytest.mark.parametrize(("plain", "compressed"), TWINS)
def test_twins_show_the_same_picture(plain: str, compressed: str, request: pytest.FixtureRequest) -> None:
    def located(name: str) -> Path:
        own = FILES / f"{name}.dcm"
        return own if own.is_file() else request.getfixturevalue("pydicom_data") / own.name

    first, second = Pixels(located(plain)), Pixels(located(compressed))
    assert first.layout.frames == second.layout.frames
    for frame in {0, first.layout.frames - 1}:
        np.testing.assert_array_equal(first.stored(frame), second.stored(frame))
        np.testing.assert_array_equal(first.picture(frame), second.picture(frame))


@pytest.mark.parametrize("name", ["CT_small", "MR_small", "liver_1frame", "rtdose", "JPEG2000"])
def test_automatic_pictures_are_the_views_of_pydicom_scaled(name: str) -> None:
    """Windowed to the range of its bits by pydicom; without a window over the range that the values fill."""
    pixels = Pixels(FILES / f"{name}.dcm")
    dataset = opened(pixels.path)
    values, viewed = by_pydicom(dataset, 0)
    windowed = "WindowCenter" in dataset
    if windowed:
        signed = dataset.PixelRepresentation * 2 ** (dataset.BitsStored - 1)
        ends = np.array([0, 2**dataset.BitsStored - 1]) - signed
        low, high = ends * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    elif values.dtype == np.uint8 and dataset.BitsStored == 8:
        low, high = 0, 255
    else:
        low, high = values.min(), values.max()
    expected = np.rint((viewed.astype(float) - low) / (high - low) * 255)
    np.testing.assert_array_equal(pixels.picture(), expected)


# Hand computation.


def picture(dataset: pydicom.Dataset, folder: Path, window: str = "auto") -> list[list[Any]]:
    return Pixels(saved(dataset, folder)).picture(window=Window.parse(window)).tolist()


def test_eight_bits_are_shown_as_they_are(tmp_path: Path) -> None:
    assert picture(image(RAMP), tmp_path) == [[0, 1, 2], [3, 4, 5]]
    assert picture(image(RAMP), tmp_path, "full") == [[0, 51, 102], [153, 204, 255]]


def test_low_values_of_monochrome1_are_bright(tmp_path: Path) -> None:
    dataset = image(RAMP, PhotometricInterpretation="MONOCHROME1")
    assert picture(dataset, tmp_path) == [[255, 254, 253], [252, 251, 250]]
    assert picture(dataset, tmp_path, "full") == [[255, 204, 153], [102, 51, 0]]
    assert picture(image(RAMP, PresentationLUTShape="INVERSE"), tmp_path, "full")[1] == [102, 51, 0]


def test_signed_values_are_shown_over_their_range(tmp_path: Path) -> None:
    dataset = image(np.array([[-100, 0], [50, 155]], dtype=np.int16))
    assert picture(dataset, tmp_path) == [[0, 100], [150, 255]]


def test_twelve_bits_in_sixteen_are_signed_by_their_own_highest_bit(tmp_path: Path) -> None:
    dataset = image(np.array([[0x0FFF, 0x0800], [0, 0x07FF]], dtype=np.uint16))
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 1
    pixels = Pixels(saved(dataset, tmp_path))
    assert pixels.values().tolist() == [[-1, -2048], [0, 2047]]
    assert pixels.picture().tolist() == [[127, 0], [128, 255]]  # (2047, 0, 2048, 4095) / 4095 * 255


def test_one_bit_a_pixel(tmp_path: Path) -> None:
    dataset = image(RAMP, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=bytes((0b00101010, 0)))
    pixels = Pixels(saved(dataset, tmp_path))
    assert pixels.values().tolist() == [[0, 1, 0], [1, 0, 1]]
    assert pixels.picture(window=Window("full")).tolist() == [[0, 255, 0], [255, 0, 255]]


def test_frames_of_single_bits_start_within_a_byte(tmp_path: Path) -> None:
    dataset = image(RAMP, BitsAllocated=1, BitsStored=1, HighBit=0, NumberOfFrames=2)
    dataset.PixelData = bytes((0b11000001, 0b00001000))
    pixels = Pixels(saved(dataset, tmp_path))
    assert pixels.values(0).tolist() == [[1, 0, 0], [0, 0, 0]]
    assert pixels.values(1).tolist() == [[1, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_way_of_writing_gives_the_same_values(syntax: Any, tmp_path: Path) -> None:
    stored = np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000
    dataset = image(stored)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = stored.astype(">u2").tobytes()
    pixels = Pixels(saved(dataset, tmp_path))
    assert pixels.header.file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(pixels.values(), stored)


@pytest.mark.parametrize(("implicit", "little"), [(True, True), (False, True), (False, False)])
@pytest.mark.parametrize("meta", [True, False])
def test_a_transfer_syntax_that_is_not_stated_is_found(
    implicit: bool, little: bool, meta: bool, tmp_path: Path
) -> None:
    stored = np.arange(60, 96, dtype=np.uint16).reshape(6, 6) * 300
    dataset = image(stored, PixelData=stored.astype("<u2" if little else ">u2").tobytes())
    dataset.PatientComments = "long enough for a preamble" * 6
    del dataset.file_meta.TransferSyntaxUID
    if not meta:
        del dataset.file_meta
    path = tmp_path / "image.dcm"
    dataset.save_as(path, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    np.testing.assert_array_equal(Pixels(path).values(), stored)


def test_a_file_written_otherwise_than_it_states_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Its pixels are 4 bytes before where its transfer syntax would have them."""
    stored = np.arange(16, dtype=np.uint16).reshape(4, 4)
    path = saved(image(stored), tmp_path)
    with path.open("rb+") as stream:
        meta = pydicom.dcmread(path, stop_before_pixels=True).file_meta
        stream.seek(132 + 12 + meta.FileMetaInformationGroupLength)
        stream.truncate()
        pydicom.filewriter.write_dataset(_writer(stream), _plain(stored))
        stream.write(bytes(4))
    np.testing.assert_array_equal(Pixels(path).values(), stored)


def _plain(stored: NDArray[Any]) -> pydicom.Dataset:
    dataset = image(stored)
    del dataset.file_meta
    return dataset


def _writer(stream: Any) -> Any:
    made = pydicom.filebase.DicomIO(stream)
    made.is_implicit_VR = made.is_little_endian = True
    return made


def test_colours_stay_and_deeper_ones_are_scaled(tmp_path: Path) -> None:
    stored = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20
    assert picture(image(stored), tmp_path) == stored.tolist()
    assert picture(image(stored), tmp_path, "40,400") == stored.tolist()
    deep = stored.astype(np.uint16) * 257
    assert picture(image(deep), tmp_path) == stored.tolist()
    planes = image(stored, PlanarConfiguration=1, PixelData=stored.transpose(2, 0, 1).tobytes())
    assert picture(planes, tmp_path) == stored.tolist()


def test_luminance_and_colour_differences_become_red_green_and_blue(tmp_path: Path) -> None:
    """PS3.3 C.7.6.3.1.2: R = Y + 1.402 (Cr - 128), G = Y - 0.344 (Cb - 128) - 0.714 (Cr - 128), ..."""
    stored = np.array([[[100, 128, 128], [100, 128, 178]]], dtype=np.uint8)
    shown = picture(image(stored, PhotometricInterpretation="YBR_FULL"), tmp_path)
    assert shown == [[[100, 100, 100], [170, 64, 100]]]
    halved = image(stored, PhotometricInterpretation="YBR_FULL_422", PixelData=bytes((100, 60, 128, 178)))
    assert picture(halved, tmp_path) == [[[170, 64, 100], [130, 24, 60]]]


def test_palettes_are_looked_up(tmp_path: Path) -> None:
    dataset = image(np.array([[0, 1, 2]], dtype=np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour, entries in {"Red": (0, 65535, 257), "Green": (0, 0, 25700), "Blue": (0, 0, 51400)}.items():
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [3, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", np.array(entries, "<u2").tobytes())
    assert picture(dataset, tmp_path) == [[[0, 0, 0], [255, 0, 0], [1, 100, 200]]]


def test_rescaled_values_and_a_given_window(tmp_path: Path) -> None:
    dataset = image(
        np.array([[0, 1000, 1200, 2000]], dtype=np.uint16), RescaleSlope=1, RescaleIntercept=-1024
    )
    pixels = Pixels(saved(dataset, tmp_path))
    assert pixels.values().tolist() == [[-1024, -24, 176, 976]]
    assert pixels.picture(window=Window.parse("40,400")).tolist() == [[0, 87, 214, 255]]  # from -160 to 240


def test_percentiles_bound_the_grey_levels(tmp_path: Path) -> None:
    dataset = image(np.arange(101, dtype=np.uint16).reshape(1, 101))
    shown = np.array(picture(dataset, tmp_path, "10%,90%"))[0]
    assert (shown[:11] == 0).all()
    assert (shown[90:] == 255).all()
    assert shown[50] == 128


def test_the_files_own_window_is_the_one_of_the_standard(tmp_path: Path) -> None:
    """PS3.3 C.11.2.1.2: ((x - (c - 0.5)) / (w - 1) + 0.5), from the first of several windows."""
    dataset = image(
        np.array([[0, 100, 128, 150, 255]], dtype=np.uint8), WindowCenter=[128, 1], WindowWidth=[101, 9]
    )
    expected = [0, *(round(((value - 127.5) / 100 + 0.5) * 255) for value in (100, 128, 150)), 255]
    assert picture(dataset, tmp_path) == [expected]
    shown = apply_windowing(np.array([[0, 100, 128, 150, 255]], dtype=np.uint8), dataset)
    assert np.rint(shown).tolist() == [expected]
    linear = image(RAMP, WindowCenter=2.5, WindowWidth=5, VOILUTFunction="LINEAR_EXACT")
    assert picture(linear, tmp_path) == [[0, 51, 102], [153, 204, 255]]


def test_lookup_tables_of_modality_and_view(tmp_path: Path) -> None:
    modality = image(RAMP, ModalityLUTSequence=[lookup("ModalityLUTSequence", [50, 40, 30, 20, 10, 0])])
    assert Pixels(saved(modality, tmp_path)).values().tolist() == [[50, 40, 30], [20, 10, 0]]
    viewed = image(RAMP, VOILUTSequence=[lookup("VOILUTSequence", [0, 255, 7], first=2)])
    assert picture(viewed, tmp_path) == [[0, 0, 0], [255, 7, 7]]
    wide = image(RAMP, VOILUTSequence=[lookup("VOILUTSequence", [0, 1023, 512], first=2, bits=10)])
    assert picture(wide, tmp_path) == [[0, 0, 0], [255, 128, 128]]


def test_frames_of_enhanced_objects_have_their_own_rescale_and_window(tmp_path: Path) -> None:
    stored = np.array([[0, 100], [0, 100]], dtype=np.uint16)
    dataset = image(stored, Rows=1, NumberOfFrames=2)
    dataset.SharedFunctionalGroupsSequence = [
        item(FrameVOILUTSequence=[item(WindowCenter=50, WindowWidth=100, VOILUTFunction="LINEAR_EXACT")])
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(
            PixelValueTransformationSequence=[
                item(RescaleSlope=slope, RescaleIntercept=-10, RescaleType="US")
            ]
        )
        for slope in (1, 0.8)
    ]
    pixels = Pixels(saved(dataset, tmp_path))
    assert [pixels.values(frame).tolist() for frame in (0, 1)] == [[[-10, 90]], [[-10, 70]]]
    assert [pixels.picture(frame, Window("given", 40, 100)).tolist() for frame in (0, 1)] == [
        [[0, 255]],
        [[0, 204]],
    ]
    low, high = -10, 65535 * 0.8 - 10  # what the window leads to: the range of 16 bits, rescaled
    expected = [low, (70 - 50) / 100 * (high - low) + 0.5 * (high - low) + low]
    np.testing.assert_allclose(pixels.viewed(1).ravel(), expected, rtol=1e-6)


def test_the_header_is_left_as_it_is(tmp_path: Path) -> None:
    path = saved(image(RAMP, SamplesPerPixel=None, PhotometricInterpretation=None), tmp_path)
    header = read_header(path, path.name)
    before = set(header.keys())
    Pixels(path, path.name, header)
    assert set(header.keys()) == before


@pytest.mark.parametrize("little", [True, False])
def test_words_of_palettes_and_tables_are_read_in_the_order_of_the_file(little: bool, tmp_path: Path) -> None:
    order = "<u2" if little else ">u2"
    entries = np.array([0, 258, 65535], dtype=order)
    coloured = image(np.array([[0, 1, 2]], dtype=np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(coloured, f"{colour}PaletteColorLookupTableDescriptor", [3, 0, 16])
        setattr(coloured, f"{colour}PaletteColorLookupTableData", entries.tobytes())
    table = lookup("VOILUTSequence", [0, 258, 65535], bits=16)
    table["LUTData"].VR = "OW"
    table.LUTData = entries.tobytes()
    viewed = image(np.array([[0, 1, 2]], dtype=np.uint8), VOILUTSequence=[table])
    for dataset in (coloured, viewed):
        dataset["PixelData"].VR = "OB"
        if not little:
            dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    assert Pixels(saved(viewed, tmp_path)).viewed().tolist() == [[0, 258, 65535]]
    for _ in range(2):
        pixels = Pixels(saved(coloured, tmp_path))
        assert pixels.values()[0, :, 0].tolist() == pixels.values()[0, :, 1].tolist() == [0, 258, 65535]


def test_floating_point_pixels(tmp_path: Path) -> None:
    values = np.array([[0.0, 0.5], [np.nan, 1.0]], dtype=np.float32)
    dataset = image(values, PixelData=None, BitsStored=None, HighBit=None, PixelRepresentation=None)
    dataset.FloatPixelData = values.tobytes()
    pixels = Pixels(saved(dataset, tmp_path))
    np.testing.assert_array_equal(pixels.values(), values)
    assert pixels.picture().tolist() == [[0, 128], [0, 255]]
