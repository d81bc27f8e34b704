"""Addresses of data elsewhere, wherever a command takes data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fivefold.cli.main import main
from fivefold.data.addresses import is_address, source_terms
from fivefold.data.catalog import resolve
from fivefold.errors import DataError, PluginError
from fivefold.plugins.spec import DatasetSpec, SourceSpec
from fivefold.runs import new_directory
from stub_plugins import write_plugin

WEATHER = Path(__file__).parents[2] / "contracts" / "weather_plugin"
STATIONS = SourceSpec(
    "stations",
    "Weather of stations",
    target="stub_stations:fetch",
    example="stations:LOWW",
    terms="ask the station before you publish",
)
PLUGIN = """
import datetime

from fivefold.errors import DataError
from fivefold.plugins import SourceSpec

@hookimpl
def fivefold_sources():
    return [SourceSpec(
        "stations", "Weather of stations", target="stub_stations:fetch", example="stations:LOWW",
        terms="ask the station before you publish",
    )]

def fetch(address, folder, notify):
    if not address:
        raise DataError("stations: expected a station, found none")
    notify(f"station {address} was asked")
    path = folder / "rain.csv"
    lines = ["date,precipitation,temp_max,temp_min,wind,weather"]
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(number) for number in range(150)]
    lines += [f"{day},{day.day % 7},{day.day},1,2,rain" for day in days]
    path.write_text("\\n".join(lines) + "\\n", encoding="utf-8")
    return path
"""


@pytest.fixture(autouse=True)
def stations(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin with a source, installed beside one with a pipeline that reads what it fetches."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("FIVEFOLD_PLUGINS", "stations,weather")
    monkeypatch.setenv("COLUMNS", "200")
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.syspath_prepend(str(WEATHER))
    write_plugin(site, "stations", PLUGIN)
    write_plugin(site, "weather", "", target="weather_nowcast")
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)


def test_an_address_is_fetched_into_a_folder_of_its_source(cache: Path) -> None:
    told: list[str] = []
    path, dataset = resolve("stations:LOWW", [], [STATIONS], notify=told.append)
    assert path == cache / "sources" / "stations" / "rain.csv"
    assert path.is_file()
    assert dataset is None
    assert told == [source_terms(STATIONS), "station LOWW was asked"]
    assert told[0] == "stations: Weather of stations\n  Terms: ask the station before you publish"


def test_terms_are_told_once(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for station in ("LOWW", "LOWI:2020"):
        resolve(f"stations:{station}", [], [STATIONS])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("Terms:") == 1
    assert "station LOWI:2020 was asked" in err


def test_a_path_wins_over_an_address() -> None:
    Path("stations:LOWW").write_text("mine", encoding="utf-8")
    assert resolve("stations:LOWW", [], [STATIONS]) == (Path("stations:LOWW"), None)


@pytest.mark.parametrize(
    ("data", "expected"),
    [("stations:LOWW", True), ("ab:", True), (r"C:\rain.csv", False), ("rain.csv", False), (":x", False)],
)
def test_addresses_have_a_prefix_of_two_letters_or_more(data: str, *, expected: bool) -> None:
    assert is_address(data) is expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "station:LOWW",
            (
                r"^station:LOWW: no such file or folder, and no enabled plugin knows addresses that begin "
                r"with 'station:'; did you mean stations:\? there are stations:LOWW \(fivefold data list\)$"
            ),
        ),
        ("STATIONS:LOWW", r"did you mean stations:\?"),
        ("https://example.com/rain.csv", r"begin with 'https:'; there are stations:LOWW"),
        ("stations:", r"^stations: expected a station, found none$"),
    ],
)
def test_what_no_source_knows_is_said(data: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        resolve(data, [DatasetSpec("digits", "x", "nowhere:digits.yaml")], [STATIONS])


def test_without_sources_there_are_none() -> None:
    with pytest.raises(DataError, match=r"begin with 'stations:'; there are none \(fivefold data list\)"):
        resolve("stations:LOWW", [])


def test_names_come_without_an_example_too() -> None:
    bare = SourceSpec("archive", "x", target="stub_stations:fetch")
    with pytest.raises(DataError, match=r"there are archive:\.\.\. \("):
        resolve("stations:LOWW", [], [bare])
    assert source_terms(bare) == "archive: x"


def test_a_source_that_cannot_be_imported_is_its_plugins_fault() -> None:
    with pytest.raises(PluginError, match="has no 'nothing', which target"):
        resolve("far:x", [], [SourceSpec("far", "x", target="stub_stations:nothing")])


def test_list_and_info_tell_of_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    err = capsys.readouterr().err
    assert "Addresses of data elsewhere may stand wherever a name may:" in err
    assert "stations:LOWW" in err
    assert main(["data", "list", "--json"]) == 0
    listed = {one["prefix"]: one for one in json.loads(capsys.readouterr().out)["sources"]}
    assert listed["stations"]["terms"] == STATIONS.terms
    assert listed["stations"]["owner"]["distribution"] == "fivefold-stations"
    assert main(["data", "info", "stations:LOWW"]) == 0
    assert "Terms: ask the station" in capsys.readouterr().err
    assert main(["data", "info", "stations:LOWW", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == listed["stations"]
    assert main(["plugins", "list"]) == 0
    assert "stations" in capsys.readouterr().err


def test_get_fetches_and_copies(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("stations:LOWW").write_text("a file of that name is not the address", encoding="utf-8")
    assert main(["data", "get", "stations:LOWW", "--json", "--to", "mine.csv"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["path"] == "mine.csv"
    assert "station LOWW was asked" in captured.err
    assert Path("mine.csv").read_bytes() == (cache / "sources" / "stations" / "rain.csv").read_bytes()
    assert main(["data", "get", "nowhere:LOWW"]) == 2
    assert "no enabled plugin knows addresses that begin with 'nowhere:'" in capsys.readouterr().err


def test_doctor_tries_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = PLUGIN.replace("stub_stations:fetch", "stub_further:gone").replace('"stations"', '"further"')
    write_plugin(tmp_path / "site", "further", broken)
    monkeypatch.setenv("FIVEFOLD_PLUGINS", "further")
    assert main(["plugins", "doctor"]) == 2
    assert "stub_further has no 'gone'" in capsys.readouterr().err


def test_check_train_evaluate_and_predict_take_addresses(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "stations:LOWW?from=2020"
    assert main(["data", "check", address]) == 0
    assert f"Next: fivefold weather nowcast train '{address}'" in capsys.readouterr().err
    words = ["train", address, "--epochs", "1", "--hidden", "4", "--out", "runs/rain"]
    assert main(["weather", "nowcast", *words]) == 0
    run = json.loads(Path("runs/rain/run.json").read_text(encoding="utf-8"))
    # The file, not the address: what was trained on can be read again when the address stands for other data.
    assert run["data"]["source"] == str(cache / "sources" / "stations" / "rain.csv")
    assert main(["weather", "nowcast", "evaluate", "runs/rain", address]) == 0
    assert Path("runs/rain/evaluations/rain/report.json").is_file()
    assert main(["weather", "nowcast", "predict", "runs/rain", address, "--json"]) == 0
    assert capsys.readouterr().err.count("station LOWW?from=2020 was asked") >= 1


def test_a_runs_folder_has_no_characters_of_addresses() -> None:
    name = new_directory("weather/nowcast", "stations:LOWW,LOWI?from=2020&to=*").name
    assert name.endswith("-stations-LOWW-LOWI-from-2020-to-")
    assert new_directory("weather/nowcast", "my rain (2).csv").name.endswith("-my rain (2)")
