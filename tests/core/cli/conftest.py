from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main
from stub_plugins import write_plugin

WEATHER = Path(__file__).parents[2] / "contracts" / "weather_plugin"

Run = Callable[..., int]


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but those that a test writes, and no stub module left from another test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FIVEFOLD_PLUGINS", "")
    monkeypatch.delenv("FIVEFOLD_PLUGINS")
    monkeypatch.setenv("COLUMNS", "200")
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    for name in [name for name in sys.modules if name.startswith("stub_") and name != "stub_plugins"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on Python's path to install plugins into."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def weather(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plugin of the contract tests, installed, and a series for it in the working directory."""
    monkeypatch.syspath_prepend(str(WEATHER))
    write_plugin(site, "weather", "", target="weather_nowcast")
    return write_series(Path("rain.csv"), 150)


def write_series(path: Path, days: int) -> Path:
    """Weather that never was, in the plugin's format."""
    generator = np.random.default_rng(0)
    dates = np.datetime64("2020-01-01") + np.arange(days)
    numbers = np.round(generator.gamma(1.0, 3.0, (days, 4)), 2)
    lines = ["date,precipitation,temp_max,temp_min,wind,weather"]
    lines += [f"{date},{','.join(map(str, row))},rain" for date, row in zip(dates, numbers, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a run was trained, to copy from."""
    folder = tmp_path_factory.mktemp("trained")
    site = folder / "site"
    site.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(site))
        patch.syspath_prepend(str(WEATHER))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "user"))
        write_plugin(site, "weather", "", target="weather_nowcast")
        write_series(Path("rain.csv"), 150)
        words = ["train", "rain.csv", "--epochs", "1", "--out", "runs/rain", "--hidden", "4"]
        assert main(["weather", "nowcast", *words]) == 0
    return folder


@pytest.fixture
def trained(weather: Path, trained_once: Path) -> Path:
    """A finished run on that series."""
    shutil.copytree(trained_once / "runs", "runs")
    return Path("runs/rain")
