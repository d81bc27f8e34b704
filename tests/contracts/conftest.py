from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = Path(__file__).parent / "weather_plugin"


@dataclass(frozen=True)
class Fivefold:
    """The real command, in an environment of a test's own."""

    command: tuple[str, ...]
    folder: Path
    environment: dict[str, str]

    def __call__(self, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.command, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expect, f"fivefold {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done


def clean_environment(folder: Path, **more: str) -> dict[str, str]:
    """This environment without settings of fivefold's or Python's, at home in ``folder``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FIVEFOLD", "PYTHON", "COV"))
    }
    return {
        **kept,
        "XDG_CONFIG_HOME": str(folder / "config"),
        "FIVEFOLD_CACHE": str(folder / "cache"),
        "COLUMNS": "200",
        **more,
    }


@pytest.fixture
def stubbed(tmp_path: Path) -> Callable[[Path], Fivefold]:
    """``python -m fivefold`` of this environment, with a folder of stub plugins on its path."""

    def make(site: Path) -> Fivefold:
        here = tmp_path / "here"
        here.mkdir(exist_ok=True)
        environment = clean_environment(tmp_path, PYTHONPATH=str(site))
        return Fivefold((sys.executable, "-m", "fivefold"), here, environment)

    return make


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels of fivefold and of the stranger's plugin, built as their users would."""
    folder = tmp_path_factory.mktemp("wheels")
    # A copy, so that nothing that building leaves behind lands in the repository.
    plugin = folder / "source"
    shutil.copytree(PLUGIN, plugin, ignore=shutil.ignore_patterns("__pycache__"))
    for source in (ROOT, plugin):
        words = [
            "pip",
            "wheel",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--wheel-dir",
            folder,
            source,
        ]
        subprocess.run([sys.executable, "-m", *words], check=True)
    return folder


@pytest.fixture(scope="session")
def installed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Fivefold:
    """A fresh environment with both wheels; only their dependencies come from this one.

    The ``.pth`` file puts this environment's packages behind the fresh one's. Python does not follow ``.pth``
    files in such a folder, so the editable installation of this repository is not seen.
    """
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install = [
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([sys.executable, "-m", *install, *sorted(wheels.glob("*.whl"))], check=True)
    packages = next((folder / "venv" / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    empty = folder / "empty"
    empty.mkdir()
    return Fivefold((str(folder / "venv" / "bin" / "fivefold"),), empty, clean_environment(folder))
