"""The tests that ``docs/how-to/write-a-plugin.md`` shows pass as they stand there, beside the plugin that it shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stub_plugins import write_plugin

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "write-a-plugin.md"
PLUGIN = ROOT / "tests" / "contracts" / "weather_plugin"
TESTS = re.compile(r"^```\{code-block\} python\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_tests_on_the_page_pass(tmp_path: Path) -> None:
    (tests,) = TESTS.findall(PAGE.read_text(encoding="utf-8"))
    site, own = tmp_path / "site", tmp_path / "fivefold-weather" / "tests"
    shutil.copytree(PLUGIN, site, ignore=shutil.ignore_patterns("__pycache__"))
    write_plugin(site, "weather", "", target="weather_nowcast")
    own.mkdir(parents=True)
    (own / "test_nowcast.py").write_text(tests, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", own.parent, own],
        cwd=own.parent,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_page_names_the_files_that_there_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for path in (
        PLUGIN / "pyproject.toml",
        PLUGIN / "weather_nowcast" / "__init__.py",
        PLUGIN / "weather_nowcast" / "seattle-weather.yaml",
    ):
        assert f"{{literalinclude}} ../../{path.relative_to(ROOT)}" in page
