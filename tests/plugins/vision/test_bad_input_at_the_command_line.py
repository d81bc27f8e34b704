"""Bad input as a user meets it: one sentence that names the file, exit code 2, nothing half-written."""

from __future__ import annotations

import errno
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from fivefold.cli.main import main
from fivefold.data.unpack import unpack
from fivefold.errors import ArchiveError
from plugins.vision.pictures import image_folder, picture, save

QUICK = ("--epochs", "1", "--model.width", "4", "--evaluation.resamples", "100")


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(picture(1, 64, 64)).save(buffer, "JPEG")
    return buffer.getvalue()


def listing(root: Path, text: str) -> Path:
    image_folder(root / "images", each=4)
    (root / "labels.csv").write_text(text)
    return root / "labels.csv"


def absent(root: Path) -> tuple[Path, str]:
    return root / "nowhere", "nowhere"


def empty(root: Path) -> tuple[Path, str]:
    (root / "photos").mkdir()
    return root / "photos", "photos"


def one_class(root: Path) -> tuple[Path, str]:
    return image_folder(root / "photos", ["cat"]), "cat"


def text_named_jpg(root: Path) -> tuple[Path, str]:
    image_folder(root / "photos")
    (root / "photos" / "cat" / "notes.jpg").write_text("no image at all")
    return root / "photos", "notes.jpg"


def truncated(root: Path) -> tuple[Path, str]:
    image_folder(root / "photos")
    (root / "photos" / "dog" / "cut.jpg").write_bytes(jpeg()[:-200])
    return root / "photos", "cut.jpg"


def missing_column(root: Path) -> tuple[Path, str]:
    return listing(root, "path,kind\nimages/cat/0.png,cat\nimages/dog/0.png,dog\n"), "labels.csv"


def outside(root: Path) -> tuple[Path, str]:
    save(root / "secret.png", picture())
    (root / "photos").mkdir()
    return listing(root / "photos", "path,label\n../secret.png,cat\nimages/dog/0.png,dog\n"), "../secret.png"


def row_without_file(root: Path) -> tuple[Path, str]:
    return listing(root, "path,label\nimages/cat/0.png,cat\nimages/dog/99.png,dog\n"), "99.png"


BAD = [absent, empty, one_class, text_named_jpg, truncated, missing_column, outside, row_without_file]


@pytest.mark.parametrize("make", BAD, ids=[make.__name__ for make in BAD])
def test_a_sentence_and_nothing_written(
    make: Callable[[Path], tuple[Path, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, named = make(tmp_path)
    before = set(tmp_path.rglob("*"))
    code = main(["vision", "classify", "train", str(source), *QUICK, "--out", str(tmp_path / "run")])
    said = capsys.readouterr().err.strip()
    assert code == 2
    assert said.startswith("error: ")
    assert len(said.splitlines()) == 1
    assert named in said
    assert set(tmp_path.rglob("*")) == before


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on cats and dogs, beside the photos."""
    folder = tmp_path_factory.mktemp("trained")
    photos = image_folder(folder / "photos", each=12)
    assert main(["vision", "classify", "train", str(photos), *QUICK, "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_an_unknown_label_is_named(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = image_folder(tmp_path / "other", ["cat", "horse"], each=2)
    assert main(["vision", "classify", "evaluate", str(run), str(other)]) == 2
    said = capsys.readouterr().err.strip()
    assert "horse" in said
    assert "cat, dog" in said


def test_a_run_of_a_newer_format_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    info = json.loads((run / "run.json").read_text())
    (newer / "run.json").write_text(json.dumps({**info, "format": 99}))
    assert main(["vision", "classify", "predict", str(newer), str(run)]) == 2
    said = capsys.readouterr().err
    assert "run.json: expected a run of format 1 or older, found format 99; upgrade fivefold" in said


def test_a_text_file_to_predict_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "poem.jpg").write_text("roses")
    out = tmp_path / "predictions.csv"
    assert (
        main(["vision", "classify", "predict", str(run), str(tmp_path / "poem.jpg"), "--out", str(out)]) == 2
    )
    assert "poem.jpg" in capsys.readouterr().err
    assert not out.exists()


def test_unusual_images_are_predicted(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    colours = Pillow.fromarray(picture(3))
    colours.convert("CMYK").save(tmp_path / "cmyk.jpg")
    colours.convert("P").save(tmp_path / "palette.png")
    deep = picture(4, grey=True).astype(np.uint16) * 257
    Pillow.fromarray(deep).save(tmp_path / "deep.png")
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    assert main(["vision", "classify", "predict", str(run), *files, "--json"]) == 0
    records = json.loads(capsys.readouterr().out)["predictions"]
    assert len(records) == 3
    assert all(abs(sum(record["probabilities"].values()) - 1) < 1e-5 for record in records)


def test_a_config_with_an_unknown_key_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("epochs: 1\noptimiser: {lr: 0.1}\n")
    photos = str(run.parent / "photos")
    out = tmp_path / "run"
    assert main(["vision", "classify", "train", photos, "--config", str(settings), "--out", str(out)]) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert "settings.yaml" in said
    assert "optimiser" in said
    assert "optimizer" in said
    assert not out.exists()


def test_a_full_disk_is_a_sentence_and_leaves_no_half_checkpoint(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fivefold.training.saving.checkpoint.write_file", full)
    out = tmp_path / "run"
    assert main(["vision", "classify", "train", str(run.parent / "photos"), *QUICK, "--out", str(out)]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: ")
    assert "no space left" in said.lower()
    assert list((out / "checkpoints").iterdir()) == []
    assert not (out / "model.safetensors").exists()


def test_an_archive_that_escapes_its_folder_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../escaped.txt", "out")
    with pytest.raises(ArchiveError, match=r"evil\.zip"):
        unpack(tmp_path / "evil.zip", tmp_path / "inside", max_bytes=1000)
    assert {path.name for path in tmp_path.iterdir()} == {"evil.zip"}


def test_a_checksum_that_differs_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = tmp_path / "mirror" / "mnist"
    mirror.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (mirror / f"{name}-ubyte.gz").write_bytes(b"not what the manifest names")
    monkeypatch.setenv("FIVEFOLD_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("fivefold.data.manifest.ManifestFile.ways", ())
    assert main(["data", "get", "mnist"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "expected SHA-256" in said
    assert "train-images-idx3-ubyte.gz" in said
    assert not [path for path in (tmp_path / "cache").rglob("*.gz*") if path.is_file()]
