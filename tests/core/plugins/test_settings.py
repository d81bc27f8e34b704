from __future__ import annotations

from pathlib import Path

import pytest

from fivefold.errors import ConfigError, PluginError
from fivefold.plugins.settings import project_file, read_switches, selection, user_file, write_switch

INSTALLED = ("vision", "weather")


def test_nothing_is_disabled_without_settings() -> None:
    assert selection(INSTALLED).disabled == {}


def test_the_project_overrides_the_user() -> None:
    write_switch(user_file(), "vision", enabled=False, installed=INSTALLED)
    write_switch(user_file(), "weather", enabled=False, installed=INSTALLED)
    write_switch(project_file(), "vision", enabled=True, installed=INSTALLED)
    assert set(selection(INSTALLED).disabled) == {"weather"}


def test_the_nearest_file_above_is_the_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    top = Path.cwd() / "fivefold.toml"
    top.write_text("[plugins]\nweather = false\n", encoding="utf-8")
    below = Path.cwd() / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert project_file() == top
    assert str(top) in selection(INSTALLED).disabled["weather"]


@pytest.mark.parametrize(
    ("value", "left"), [("vision", {"vision"}), (" weather , vision ", set(INSTALLED)), ("", set())]
)
def test_the_variable_overrides_files(monkeypatch: pytest.MonkeyPatch, value: str, left: set[str]) -> None:
    write_switch(project_file(), "vision", enabled=False, installed=INSTALLED)
    monkeypatch.setenv("FIVEFOLD_PLUGINS", value)
    assert set(INSTALLED) - set(selection(INSTALLED).disabled) == left


def test_the_variable_must_name_plugins_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVEFOLD_PLUGINS", "visio")
    with pytest.raises(
        ConfigError, match="FIVEFOLD_PLUGINS=visio: no plugin 'visio' is installed; did you mean 'vision'"
    ):
        selection(INSTALLED)


def test_comments_and_other_settings_stay() -> None:
    path = project_file()
    path.write_text(
        "# ours\n[other]\nx = 1  # kept\n\n[plugins]\nweather = false # for now\n", encoding="utf-8"
    )
    write_switch(path, "vision", enabled=False, installed=INSTALLED)
    text = path.read_text(encoding="utf-8")
    assert "# ours" in text
    assert "x = 1  # kept" in text
    assert "# for now" in text
    assert read_switches(path) == {"weather": False, "vision": False}
    write_switch(path, "vision", enabled=True, installed=INSTALLED)
    assert read_switches(path) == {"weather": False, "vision": True}
    assert list(path.parent.iterdir()) == [path]


def test_an_unknown_plugin_writes_nothing() -> None:
    with pytest.raises(PluginError, match="no plugin 'wether' is installed; did you mean 'weather'"):
        write_switch(project_file(), "wether", enabled=False, installed=INSTALLED)
    assert not project_file().exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plugins = 3\n", "expected a table"),
        ("[plugins]\nvision = 'no'\n", "key 'plugins.vision': expected true or false, found 'no'"),
        ("[plugins\n", "not valid TOML"),
    ],
)
def test_wrong_files_are_refused(text: str, said: str) -> None:
    project_file().write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        selection(INSTALLED)


def test_a_file_that_cannot_be_read_or_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_switches(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be"):
        write_switch(tmp_path / "file" / "fivefold.toml", "vision", enabled=True, installed=INSTALLED)
