from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main
from isolation import own_settings_fixture, site_fixture  # noqa: F401 - fixtures of this folder
from stub_plugins import write_plugin

WEATHER = Path(__file__).parents[2] / "contracts" / "weather_plugin"

Run = Callable[..., int]


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
