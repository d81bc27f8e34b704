"""The program sumo: looked for, run, and what is said where it is missing, another one, too old or too slow."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from fivefold.errors import DataError, DependencyError
from fivefold_driving.simulate import sumo
from fivefold_driving.simulate.networks import read_network
from fivefold_driving.simulate.simulation import simulate
from fivefold_driving.simulate.sumo import Settings
from plugins.driving.roads import folder_of


def hide(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setitem(sys.modules, "sumo", None)  # as if eclipse-sumo were not installed
    monkeypatch.delenv("SUMO_HOME", raising=False)
    monkeypatch.setenv("PATH", str(place))


def script(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def test_a_missing_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, tmp_path)
    with pytest.raises(DependencyError, match=r'needs the program sumo.*pip install "fivefold\[simulate\]"'):
        sumo.find_sumo()
    network = read_network(folder_of(tmp_path))
    with pytest.raises(DependencyError, match="needs the program sumo"):
        simulate(network, tmp_path / "out", Settings())
    assert not (tmp_path / "out").exists()


def test_where_the_program_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = script(tmp_path / "path" / "sumo", "")
    hide(monkeypatch, on_path.parent)
    monkeypatch.setenv("SUMO_HOME", str(tmp_path / "nowhere"))
    assert sumo.find_sumo() == on_path
    (tmp_path / "home").mkdir()
    at_home = script(tmp_path / "home" / "bin" / "sumo", "")
    monkeypatch.setenv("SUMO_HOME", str(tmp_path / "home"))
    assert sumo.find_sumo() == at_home
    (tmp_path / "site" / "sumo").mkdir(parents=True)
    (tmp_path / "site" / "sumo" / "__init__.py").write_text("raise RuntimeError('is not imported')")
    installed = script(tmp_path / "site" / "sumo" / "bin" / "sumo", "")
    monkeypatch.delitem(sys.modules, "sumo")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert sumo.find_sumo() == installed


@pytest.mark.parametrize(
    ("text", "said"),
    [("echo SuperMotor 3", "found a program that says: SuperMotor 3"), ("exit 1", "says: nothing")],
)
def test_another_program_of_this_name(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match=said):
        sumo.version(script(tmp_path / "sumo", text))


def test_a_program_that_does_not_run(tmp_path: Path) -> None:
    broken = tmp_path / "sumo"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    with pytest.raises(DependencyError, match=r"sumo: does not run \(.*; install eclipse-sumo anew"):
        sumo.version(broken)
    with pytest.raises(DependencyError, match="does not run"):
        sumo.run(broken, [], tmp_path, limit=9, name="town")


def test_a_simulation_that_takes_too_long(tmp_path: Path) -> None:
    endless = script(tmp_path / "sumo", "exec tail -f /dev/null")
    with pytest.raises(DataError, match=r"town: .* within 0\.2 seconds.*fewer --seconds"):
        sumo.run(endless, [], tmp_path, limit=0.2, name="town")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'echo "Warning: w" >&2; echo "Error: No edge x. " >&2; echo "Error: b" >&2; exit 1',
            "cannot: No edge x;",
        ),
        ("exit 3", "ended with code 3 and no message"),
        ("kill -9 $$", "ended with code -9 and no message"),
    ],
)
def test_what_the_program_says_becomes_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        sumo.run(script(tmp_path / "sumo", text), [], tmp_path, limit=9, name="town")


def test_a_program_that_is_too_old(tmp_path: Path) -> None:
    text = """echo "Error: On processing option '--language': No option with the name 'language' exists." >&2; exit 1"""
    with pytest.raises(
        DependencyError, match=r"expected SUMO 1\.28 or newer.*--language.*upgrade eclipse-sumo"
    ):
        sumo.run(script(tmp_path / "sumo", text), [], tmp_path, limit=9, name="town")
