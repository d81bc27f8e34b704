import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from fivefold.errors import DataError
from fivefold.images import decode as decoding
from fivefold.images.decode import decode, encode_png, fit_image, is_image, read_image
from plugins.vision.pictures import encoded, picture

RGB = picture(3)
GREY = picture(3, grey=True)


def close(found: np.ndarray, expected: np.ndarray, tolerance: float = 3.0) -> bool:
    return found.shape == expected.shape and float(np.abs(found.astype(float) - expected).mean()) < tolerance


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_exactly(form: str) -> None:
    assert np.array_equal(decode(encoded(Pillow.fromarray(RGB), form), "x"), RGB)
    assert np.array_equal(decode(encoded(Pillow.fromarray(GREY), form), "x"), GREY)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
@pytest.mark.parametrize("progressive", [False, True])
def test_lossy_formats_come_back_nearly(form: str, progressive: bool) -> None:
    data = encoded(
        Pillow.fromarray(RGB), form, quality=95, **({"progressive": progressive} if form == "JPEG" else {})
    )
    assert close(decode(data, "x"), RGB)


def test_a_palette_gives_its_colours() -> None:
    palette = Pillow.fromarray(RGB).quantize(16)
    expected = np.asarray(palette.convert("RGB"))
    assert np.array_equal(decode(encoded(palette, "PNG"), "x"), expected)
    assert np.array_equal(decode(encoded(palette, "GIF"), "x"), expected)


def test_two_colours_become_black_and_white() -> None:
    assert set(np.unique(decode(encoded(Pillow.fromarray(GREY).convert("1"), "PNG"), "x"))) <= {0, 255}


def test_sixteen_bits_keep_their_range() -> None:
    values = np.array([[0, 256, 257, 32768, 65535]], dtype=np.uint16)
    for form in ("PNG", "TIFF"):
        assert decode(encoded(Pillow.fromarray(values), form), "x").tolist() == [[0, 1, 1, 128, 255]]


def test_cmyk_gives_the_colours_of_print() -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:8] = (0, 255, 255, 0)  # red
    inks[8:] = (255, 0, 255, 0)  # green
    found = decode(encoded(Pillow.fromarray(inks, "CMYK"), "JPEG", quality=95), "x")
    assert close(found[2], np.tile([255, 0, 0], (16, 1)))
    assert close(found[13], np.tile([0, 255, 0], (16, 1)))


def test_transparent_pixels_are_laid_on_white() -> None:
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0] = [(200, 0, 0, 0), (200, 0, 0, 255), (200, 0, 0, 51)]
    assert decode(encoded(Pillow.fromarray(pixels), "PNG"), "x").tolist() == [
        [[255, 255, 255], [200, 0, 0], [244, 204, 204]]
    ]


def test_transparent_grey_stays_grey_in_value() -> None:
    found = decode(encoded(Pillow.new("LA", (2, 2), (80, 255)), "PNG"), "x")
    assert (found == 80).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(form: str) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turned a quarter: what is stored as 24x32 is seen as 32x24
    data = encoded(Pillow.fromarray(RGB), form, exif=exif, **({"quality": 95} if form != "TIFF" else {}))
    assert close(decode(data, "x"), np.rot90(RGB, -1), 4.0)


def test_a_text_file_named_jpg(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_text("this is no picture", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"cat\.jpg: expected an image, found text; restore or remove the file"
    ):
        read_image(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg(tmp_path: Path, share: float, progressive: bool) -> None:
    data = encoded(Pillow.fromarray(picture(1, 200, 200)), "JPEG", progressive=progressive)
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(
        DataError, match=r"cut\.jpg: expected a whole JPEG, found one that is cut off after [\d,]+ bytes"
    ):
        read_image(path)


def test_the_end_of_a_preview_is_not_the_end_of_the_picture() -> None:
    exif = Pillow.Exif()
    exif[0x010E] = "preview \xff\xd9".encode("latin-1").decode("latin-1")
    data = encoded(Pillow.fromarray(RGB), "JPEG")
    # An application segment that holds a whole JPEG, as cameras write their previews.
    segment = b"\xff\xe2" + (len(data) + 2).to_bytes(2, "big") + data
    with_preview = data[:2] + segment + data[2:]
    assert close(decode(with_preview, "x"), RGB, 8.0)
    with pytest.raises(DataError, match="cut off"):
        decode(with_preview[:-40], "x")


def test_bytes_after_the_end_do_no_harm() -> None:
    data = encoded(Pillow.fromarray(RGB), "JPEG", quality=95)
    assert close(decode(data + b"\x00" * 100, "x"), RGB)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_other_truncated_formats(form: str) -> None:
    data = encoded(Pillow.fromarray(picture(1, 200, 200)), form)
    with pytest.raises(
        DataError, match=r"^x: expected (an image|a whole PNG), found one that is (damaged, )?cut off"
    ):
        decode(data[: len(data) // 2], "x")


def test_a_damaged_png() -> None:
    data = bytearray(encoded(Pillow.fromarray(picture(1, 200, 200)), "PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(DataError, match="damaged"):
        decode(bytes(data), "x")


def test_an_empty_file_and_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError, match=r"a\.png: expected an image, found an empty file"):
        read_image(tmp_path / "a.png")
    with pytest.raises(
        DataError, match=r"b\.png: expected an image file, found none that can be opened \(No such file"
    ):
        read_image(tmp_path / "b.png")


def test_values_without_a_known_range() -> None:
    data = encoded(Pillow.fromarray(np.random.default_rng(0).random((4, 4)).astype(np.float32)), "TIFF")
    with pytest.raises(DataError, match="8 or 16 bits a channel, found float32"):
        decode(data, "x")


def test_a_picture_that_would_fill_the_memory(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0))
    path = tmp_path / "bomb.png"
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
    # In a process of its own: OpenCV reads its limit once, when it is first imported by anyone.
    program = (
        "import pathlib, sys\n"
        "from fivefold.images.decode import read_image\n"
        "read_image(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert (
        "bomb.png: expected an image of at most 134,217,728 pixels, found a larger one; scale it down"
        in done.stderr
    )


@pytest.mark.parametrize(("fit", "size"), [("crop", (10, 10)), ("squash", (10, 10)), ("pad", (40, 40))])
def test_every_fit_gives_the_size(fit: decoding.Fit, size: tuple[int, int]) -> None:
    for image in (RGB, GREY):
        for channels in (1, 3):
            shape = size if channels == 1 else (*size, 3)
            assert fit_image(image, size, channels, fit).shape == shape


def test_a_crop_keeps_the_centre_and_the_proportions() -> None:
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 20:40] = 200
    assert (fit_image(wide, (20, 20), 1, "crop") == 200).all()
    assert (fit_image(wide, (20, 20), 1, "squash")[:, :5] == 0).all()
    padded = fit_image(np.full((20, 60), 9, np.uint8), (60, 60), 1, "pad")
    assert (padded[:20] == 0).all()
    assert (padded[20:40] == 9).all()
    assert (padded[40:] == 0).all()


def test_shrinking_averages() -> None:
    checks = (np.indices((16, 16)).sum(0) % 2 * 200).astype(np.uint8)
    assert (fit_image(checks, (4, 4), 1) == 100).all()


def test_grey_and_colour() -> None:
    assert np.array_equal(fit_image(GREY, GREY.shape, 3)[:, :, 1], GREY)
    expected = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
    assert np.array_equal(fit_image(RGB, RGB.shape[:2], 1), expected)


def test_png_round_trip() -> None:
    for image in (RGB, GREY):
        assert np.array_equal(decode(encode_png(image), "x"), image)


def test_names_of_images() -> None:
    assert is_image(Path("a.JPG"))
    assert not is_image(Path("a.txt"))
    assert not is_image(Path(".a.jpg"))
