"""Every command shown in the documentation runs as written, page by page, each in a folder of its own."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from fivefold.cli.main import main
from stub_plugins import BUILT_IN

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```(?P<language>console|python)\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> list[tuple[str, str]]:
    """The console and Python blocks of a page, in order."""
    return [(match["language"], match["body"]) for match in BLOCK.finditer(page.read_text(encoding="utf-8"))]


TAKEN_OUT = {path.name.removeprefix("fivefold_") for path in (ROOT / "plugins").glob("fivefold_*")} - {
    *BUILT_IN
}
"""Domains that lie in the repository, and not in pyproject.toml: their pages cannot run."""


def brought(plugin: str) -> set[str]:
    """The words that a page has where it needs ``plugin``: its name and those of its data sets."""
    datasets = getattr(import_module(f"fivefold_{plugin}.plugin"), "fivefold_datasets", list)()
    return {plugin, *(one.name for one in datasets)}


SHOWN = [page for page in PAGES if "generated" not in page.parts and blocks(page)]


@pytest.mark.slow
@pytest.mark.parametrize("page", SHOWN, ids=[str(page.relative_to(ROOT)) for page in SHOWN])
def test_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = "".join(body for _, body in blocks(page))
    words = set(re.findall(r"[\w-]+", shown))
    without = sorted(name for name in TAKEN_OUT if not brought(name).isdisjoint(words))
    if without:
        pytest.skip(f"shows commands of {' and '.join(without)}, taken out of pyproject.toml")
    monkeypatch.chdir(tmp_path)
    for language, body in blocks(page):
        if language == "python":
            exec(compile(body, str(page), "exec"), {})  # noqa: S102 - our own page, which promises to run
            continue
        for line in body.strip().splitlines():
            assert line.startswith("$ fivefold "), f"{page.name}: a console block shows commands only: {line}"
            assert main(shlex.split(line)[2:]) == 0, line


def test_there_are_commands_to_run() -> None:
    assert len(SHOWN) > 5
