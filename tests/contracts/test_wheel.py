"""The wheel carries what the program needs, and works where the repository is not."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from contracts.conftest import ROOT, Fivefold
from stub_plugins import BUILT_IN, FIRST_PIPELINE

pytestmark = pytest.mark.package_index


def test_the_wheel_holds_every_file_of_the_packages(wheels: Path) -> None:
    with zipfile.ZipFile(next(wheels.glob("fivefold-*.whl"))) as wheel:
        inside = set(wheel.namelist())
    expected = set()
    plugins = [("plugins", f"fivefold_{name}") for name in BUILT_IN]
    for root, package in (("core", "fivefold"), *plugins, ("data", "fivefold_data")):
        files = (ROOT / root / package).rglob("*")
        expected |= {
            str(f.relative_to(ROOT / root)) for f in files if f.is_file() and "__pycache__" not in f.parts
        }
    assert expected - inside == set()
    assert "fivefold/py.typed" in inside
    assert "fivefold_data/datasets/digits.yaml" in inside
    assert not any(name.startswith("tests/") for name in inside)


def test_it_works_in_an_empty_directory(installed: Fivefold) -> None:
    python = Path(installed.command[0]).with_name("python")
    where = subprocess.run(
        [python, "-c", "import fivefold; print(fivefold.__file__)"],
        cwd=installed.folder,
        env=installed.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(python.parents[1]))
    assert FIRST_PIPELINE.replace("/", " ") in installed("--help").stdout
    listed = json.loads(installed("data", "list", "--json").stdout)["datasets"]
    assert all("error" not in dataset for dataset in listed)
    plugins = json.loads(installed("plugins", "list", "--json").stdout)["plugins"]
    assert [(plugin["plugin"], plugin["status"]) for plugin in plugins] == [
        (name, "enabled") for name in (*BUILT_IN, "weather")
    ]
    assert (
        "expected a YAML file"
        in installed(*FIRST_PIPELINE.split("/"), "config", "--config", "no.yaml", expect=2).stderr
    )
    installed("plugins", "doctor")
