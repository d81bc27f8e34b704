"""Bright means the same whatever a file's photometric interpretation: values are inverted when they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

from fivefold_healthcare.diagnose.medical import read_medical
from fivefold_healthcare.dicom.pixels import Pixels
from fivefold_healthcare.dicom.window import Window
from plugins.healthcare.diagnose_cases import (
    dicom_image,
    dicom_series,
    dicom_table,
    pictures,
    predicted,
    train,
)
from plugins.healthcare.single_images import image, saved

HIGHEST = 4095
INVERTED: dict[str, dict[str, str]] = {
    "MONOCHROME1": {"PhotometricInterpretation": "MONOCHROME1"},
    "inverse lookup table": {"PresentationLUTShape": "INVERSE"},
    "both, as of digital radiography": {
        "PhotometricInterpretation": "MONOCHROME1",
        "PresentationLUTShape": "INVERSE",
    },
}
"""Attributes by which low values are shown bright (PS3.3 C.7.6.3.1.2, C.11.6)."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has only seen MONOCHROME2."""
    folder = tmp_path_factory.mktemp("bright")
    train(dicom_table(folder / "data", 24), folder / "run")
    return folder / "run"


def probabilities(capsys: pytest.CaptureFixture[str], run: Path, *sources: Path) -> list[float]:
    return [record["probabilities"]["ill"] for record in predicted(capsys, run, *sources)]


@pytest.mark.parametrize("attributes", INVERTED.values(), ids=INVERTED)
def test_inverted_values_are_predicted_alike(
    attributes: dict[str, str], run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, pixels in enumerate(pictures([0, 1, 0, 1], seed=7).astype(np.int16)):
        dicom_image(tmp_path / f"plain {number}.dcm", pixels)
        dicom_image(tmp_path / f"twin {number}.dcm", pixels.max() - pixels, **attributes)
        dicom_image(tmp_path / f"negative {number}.dcm", pixels.max() - pixels)
    plain, twins, negatives = (
        np.array(probabilities(capsys, run, *sorted(tmp_path.glob(f"{kind} *"))))
        for kind in ("plain", "twin", "negative")
    )
    np.testing.assert_allclose(twins, plain, atol=1e-3)  # a level may be rounded otherwise
    assert np.abs(negatives - plain).max() > 1e-2


def test_grey_in_three_channels_is_predicted_alike(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dicom_image(tmp_path / "grey.dcm", pictures([1], seed=7)[0])
    shown = Pixels(tmp_path / "grey.dcm").picture()
    coloured = saved(image(np.repeat(shown[..., None], 3, axis=2)), tmp_path)
    grey, colour = probabilities(capsys, run, tmp_path / "grey.dcm", coloured)
    assert colour == pytest.approx(grey, abs=1e-6)


def window_of(centre: float) -> dict[str, float]:
    return {"WindowCenter": centre, "WindowWidth": 1000}


def shown(dataset: Dataset, folder: Path, window: str) -> NDArray[np.int64]:
    picture, volume = read_medical(str(saved(dataset, folder)), Window.parse(window))
    assert not volume
    return picture.astype(np.int64)


@pytest.mark.parametrize(
    ("window", "view", "mirrored"),
    [
        ("auto", {}, {}),
        # The window of PS3.3 C.11.2.1.2 lies about its centre less a half, and so does the inverted one.
        ("auto", window_of(1500), window_of(HIGHEST + 1 - 1500)),
        ("full", {}, {}),
        ("1%,99%", {}, {}),
        ("5%,70%", {}, {}),
    ],
)
def test_every_view_of_inverted_values_is_the_same_picture(
    window: str, view: dict[str, float], mirrored: dict[str, float], tmp_path: Path
) -> None:
    values = np.random.default_rng(0).integers(0, HIGHEST + 1, (40, 30)).astype(np.uint16)
    values[:20] //= 3  # more dark than bright, so that the ends differ
    bits = {"BitsStored": 12, "HighBit": 11}
    plain = shown(image(values, **bits, **view), tmp_path, window)
    twin = image(HIGHEST - values, PhotometricInterpretation="MONOCHROME1", **bits, **mirrored)
    assert len(np.unique(plain)) > 100
    assert (
        np.abs(plain - shown(twin, tmp_path, window)).max() <= 1
    )  # a half is rounded up in one, down in the other


@pytest.mark.parametrize("window", ["auto", "full", "5%,70%"])
def test_a_series_of_inverted_values_is_the_same_volume(window: str, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, HIGHEST + 1, (4, 6, 5)).astype(np.int16)
    values[:2] //= 3
    dicom_series(tmp_path / "plain", values)
    dicom_series(tmp_path / "twin", HIGHEST - values, **INVERTED["MONOCHROME1"])
    volumes = []
    for folder in ("plain", "twin"):
        files = "\n".join(str(path) for path in (tmp_path / folder).glob("*.dcm"))
        volume, whole = read_medical(files, Window.parse(window))
        assert whole
        volumes.append(volume.astype(int))
    assert len(np.unique(volumes[0])) > 50
    assert np.abs(volumes[0] - volumes[1]).max() <= 1
