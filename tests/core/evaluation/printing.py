"""Pages printed by Chromium, and the text that stands on them: just enough of PDF to read what Chromium writes."""

from __future__ import annotations

import re
import subprocess
import zlib
from pathlib import Path
from types import SimpleNamespace

from browser import BROWSER


def printed_lines(pdf: bytes) -> list[list[tuple[float, str]]]:
    """Of each page of a PDF that Chromium made, its lines from the top: height of the baseline in points, and text."""
    objects = {
        int(found[1]): found[2] for found in re.finditer(rb"(\d+) 0 obj\n?(.*?)endobj", pdf, re.DOTALL)
    }
    return [_lines(objects, page) for page in _pages(objects)]


def _pages(objects):
    """Contents of pages in order, through the tree that holds them."""
    (root,) = (
        number for number, body in objects.items() if b"/Type /Pages" in body and b"/Parent" not in body
    )
    waiting = [root]
    while waiting:
        body = objects[waiting.pop(0)]
        if b"/Type /Pages" in body:
            kids = re.search(rb"/Kids \[(.*?)\]", body, re.DOTALL)[1]
            waiting = [int(kid) for kid in re.findall(rb"(\d+) 0 R", kids)] + waiting
        else:
            yield body


def _stream(objects, number):
    body = objects[number]
    start = body.index(b"stream") + len(b"stream")
    return zlib.decompress(body[start : body.rindex(b"endstream")].lstrip(b"\r\n")).decode("latin-1")


def _letters(objects, font):
    """Glyph to text of one font."""
    found = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    table = _stream(objects, int(found[1])) if found else ""
    letters = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, text in re.findall(r"<(\w+)>\s*<(\w+)>", block):
            letters[int(glyph, 16)] = bytes.fromhex(text).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, text in re.findall(r"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
            for glyph in range(int(first, 16), int(last, 16) + 1):
                letters[glyph] = chr(int(text, 16) + glyph - int(first, 16))
    return letters


def _lines(objects, page):
    fonts = {name: _letters(objects, int(font)) for name, font in re.findall(rb"/(F\d+) (\d+) 0 R", page)}
    content = _stream(objects, int(re.search(rb"/Contents (\d+) 0 R", page)[1]))
    lines = {}
    state = SimpleNamespace(scale=1.0, shift=0.0, kept=[], line=0.0, letters={}, waiting=[])
    for token in re.findall(r"<[0-9A-Fa-f]*>|\((?:\\.|[^\\)])*\)|/\S+|[^\s\[\]<>/()]+", content):
        if token[0] in "</(" or re.fullmatch(r"[-+.\d]+", token):
            state.waiting.append(token)
            continue
        _obey(token, state, fonts, lines)
        state.waiting = []
    return sorted(((height, text) for height, text in lines.items()), reverse=True)


def _obey(operator, state, fonts, lines):
    """One operator of a page's content, as far as upright text needs it."""
    given = state.waiting
    if operator == "q":
        state.kept.append((state.scale, state.shift))
    elif operator == "Q":
        state.scale, state.shift = state.kept.pop()
    elif operator == "cm":
        state.shift += state.scale * float(given[5])
        state.scale *= float(given[3])
    elif operator == "Tf":
        state.letters = fonts.get(given[0][1:].encode(), {})
    elif operator == "Tm":
        state.line = float(given[5])
    elif operator in {"Tj", "TJ"}:
        glyphs = "".join(part[1:-1] for part in given if part[0] == "<")
        text = "".join(
            state.letters.get(int(glyphs[at : at + 4], 16), "?") for at in range(0, len(glyphs), 4)
        )
        height = round(state.shift + state.scale * state.line, 1)
        lines[height] = lines.get(height, "") + text


def printed(page: Path) -> list[list[tuple[float, str]]]:
    """The report, printed by Chromium."""
    pdf = page.with_suffix(".pdf")
    profile = page.with_suffix(".profile")
    subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", page.as_uri(),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return printed_lines(pdf.read_bytes())
