from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from fivefold.data.catalog import resolve, terms
from fivefold.data.manifest import load_manifest
from fivefold.data.progress import DownloadBar
from fivefold.errors import DataError
from fivefold.plugins.spec import DatasetSpec

DIGITS = DatasetSpec("digits", "handwritten digits", "fivefold_data:datasets/digits.yaml")
OTHERS = [DatasetSpec(name, name, f"nowhere:{name}.yaml") for name in ("mnist", "fashion-mnist")]


def test_a_path_wins_over_a_name(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    assert resolve("digits", [DIGITS]) == (Path("digits"), None)


def test_a_name_is_fetched_and_its_terms_are_told_once(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    steps: list[tuple[str, int, int]] = []
    path, dataset = resolve(
        "digits", [*OTHERS, DIGITS], notify=told.append, progress=lambda *step: steps.append(step)
    )
    assert dataset == DIGITS
    assert path == cache / "datasets" / "digits" / "digits.csv.gz"
    assert path.is_file()
    (text,) = told
    assert "Licence: CC-BY-4.0" in text
    assert "Please cite: Alpaydin" in text
    assert resolve("digits", [DIGITS], notify=told.append) == (path, DIGITS)
    assert len(told) == 1
    assert capsys.readouterr() == ("", "")


def test_terms_go_to_stderr(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    resolve("digits", [DIGITS])
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("digits: 1,797 handwritten digits")


def test_terms_name_conditions() -> None:
    manifest = load_manifest(DIGITS.manifest).model_copy(update={"terms": "not for sale", "homepage": ""})
    assert terms(manifest).splitlines()[-1] == "  Terms: not for sale"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "fashionmnist",
            r"fashionmnist: neither a path nor the name of a dataset; did you mean fashion-mnist",
        ),
        (
            "qqq",
            r"qqq: neither a path nor the name of a dataset; 'fivefold data list' lists the datasets",
        ),
        ("mnst", r"mnst: neither a path nor the name of a dataset; did you mean mnist\? 'fivefold"),
        ("fashion", r"did you mean fashion-mnist\? 'fivefold data list'"),
        ("midnight", r"midnight: neither a path nor the name of a dataset; 'fivefold data list'"),
        ("photos/train", "photos/train: no such file or folder; check the path; 'fivefold data list' lists"),
        ("data.csv", r"data\.csv: no such file or folder"),
        ("", "empty name: no such file or folder"),
    ],
)
def test_what_is_neither_is_said(cache: Path, data: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        resolve(data, [DIGITS, *OTHERS])


def test_without_datasets_there_are_none() -> None:
    with pytest.raises(
        DataError, match=r"digits: neither a path nor the name of a dataset; 'fivefold data list'"
    ):
        resolve("digits", [])


def test_the_bar_shows_what_is_here() -> None:
    console = Console(force_terminal=True, width=100, record=True, file=None, quiet=False, stderr=True)
    with DownloadBar(console) as bar:
        bar("digits.csv.gz", 500, 1000)
        bar("digits.csv.gz", 1000, 1000)
        bar("rain.csv", 0, 10)
    assert "digits.csv.gz" in console.export_text()
