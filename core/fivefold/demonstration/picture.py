"""A picture out of a report, to show elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path


@dataclass(frozen=True)
class Picture:
    """A picture of a report: ``source`` is a data address, ``alt`` its words, ``kind`` drawing or photo."""

    source: str
    alt: str
    kind: str


def first_picture(report: Path, section: str = "") -> Picture | None:
    """The first picture of a section of ``report.html``, or of the page; None where there is none.

    Args:
        report: a page that `fivefold.evaluation.report.write_report` wrote.
        section: its heading; empty takes the page's first picture.
    """
    reader = _Pictures(section)
    reader.feed(report.read_text(encoding="utf-8"))
    return reader.found


class _Pictures(HTMLParser):
    def __init__(self, section: str) -> None:
        super().__init__()
        self.found: Picture | None = None
        self._section = section
        self._in_heading = False
        self._heading = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "h2":
            self._in_heading, self._heading = True, ""
        if tag == "img" and self.found is None and self._section in {"", self._heading}:
            values = {name: value or "" for name, value in attrs}
            self.found = Picture(values["src"], values["alt"], values["class"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "h2":
            self._in_heading = False

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self._heading += data
