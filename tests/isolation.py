"""A test's own folders: settings, working directory, and a place to install plugins into."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture(name="own_settings", autouse=True)
def own_settings_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.fixture(name="site")
def site_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on Python's path to install plugins into."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder
