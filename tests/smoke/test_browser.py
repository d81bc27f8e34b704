"""The browser that opens reports complains of what it is there to find, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import BROWSER, DESK, PHONE, Browser, opened_browser

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs Chromium; without it no report of the smoke tests is opened either"
)
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5Erkjg"
    "gg=="
)
HEAD = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>page</title>'
GOOD = f'<h1>Fine</h1><img src="{DOT}" alt="dot"><script>console.log("as it should be")</script>'


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def page(folder: Path, text: str) -> Path:
    path = folder / "page.html"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_good_page_is_not_complained_of(browser: Browser, tmp_path: Path, width: int) -> None:
    seen = browser.look_at(page(tmp_path, GOOD), width)
    assert (seen.complaints, seen.requests, seen.broken, seen.images) == ([], [], [], 1)
    assert seen.overflow <= 0


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('went', 'wrong')", "went wrong"),
        ("console.warn('nearly wrong')", "nearly wrong"),
        ("undefinedFunction()", "undefinedFunction is not defined"),
        ("Promise.reject(new Error('left alone'))", "left alone"),
    ],
)
def test_what_the_console_says_is_found(
    browser: Browser, tmp_path: Path, script: str, complaint: str
) -> None:
    (said,) = browser.look_at(page(tmp_path, f"{GOOD}<script>{script}</script>"), DESK).complaints
    assert complaint in said


def test_a_request_outside_the_file_is_found(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "beside.css").write_text("h1 { color: red }", encoding="utf-8")
    text = f'{GOOD}<link rel="stylesheet" href="beside.css">'
    assert browser.look_at(page(tmp_path, text), DESK).requests == [(tmp_path / "beside.css").as_uri()]


@pytest.mark.parametrize(
    "wide",
    [
        '<div style="width: 500px">wide</div>',
        '<details><summary>folded</summary><div style="width: 500px">wide</div></details>',
    ],
)
def test_what_is_too_wide_for_a_phone_is_found(browser: Browser, tmp_path: Path, wide: str) -> None:
    path = page(tmp_path, f"<style>body {{ margin: 0 }}</style>{wide}")
    seen = browser.look_at(path, PHONE)
    assert seen.overflow == pytest.approx(500 - PHONE, abs=2)  # the browser zooms out, and rounds
    assert "500px" in seen.widest
    assert browser.look_at(path, DESK).overflow == 0


def test_a_page_not_made_for_phones_is_found(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text('<!doctype html><meta charset="utf-8"><h1>Small</h1>', encoding="utf-8")
    assert browser.look_at(path, PHONE).overflow > 0


def test_an_image_that_cannot_be_shown_is_found(browser: Browser, tmp_path: Path) -> None:
    cut = f'<img src="{DOT[:60]}" alt="cut off" loading="lazy">'
    seen = browser.look_at(page(tmp_path, GOOD + cut), DESK)
    assert (seen.broken, seen.images) == (["cut off"], 2)
