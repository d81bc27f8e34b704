"""Make the pictures of reports that the documentation shows. Run by hand: ``python docs/make_pictures.py [NAME ...]``.

Each picture is a real report, or the page of the demonstration, made by the commands that stand beside its name in
`PICTURES`. They run in ``docs/_build/pictures``; a run that is there already is not trained again. Headless Chromium
then draws the page without the parts that the picture leaves out, and Pillow cuts off what is empty below.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

HERE = Path(__file__).parent
PICTURES_FOLDER = HERE / "_static"
WORK = HERE / "_build" / "pictures"
COLOURS = 96
"""Colours of a picture: enough for text and curves, and a third of the size of all of them."""
TALLEST = 6000
"""Height of the browser's window; what is empty below is cut off."""
MARGIN = 16
"""Empty rows left below, in pixels of the page."""

FEWER = ".gallery figure:nth-child(n+3):not(:nth-child(7)):not(:nth-child(8))"
"""Of a gallery, the first two pictures and two of the second half stay."""
TOP = ("header", "main", ".caution", ".verdict")
"""Parts of a report that every picture shows: the title, the cautions, and the verdict with its score."""


@dataclass(frozen=True)
class Picture:
    """A picture and how it is made.

    Attributes:
        commands: that make the run, as the tutorials have them; the last one trains into `run`.
        run: folder that the commands make.
        page: the page that is drawn, in that folder.
        shown: parts of the page that are shown, as CSS selectors; empty shows all of them.
        section: heading of the section of the report that is shown as well.
        hidden: parts of what is shown that are left out.
        width: of the browser's window, in pixels of the page.
        scale: pixels of the picture for each pixel of the page.
        tallest: where the picture ends at the latest, in pixels of the page.
    """

    commands: tuple[str, ...]
    run: str
    page: str = "report.html"
    shown: tuple[str, ...] = TOP
    section: str = ""
    hidden: tuple[str, ...] = ()
    width: int = 440
    scale: float = 1.6
    tallest: int = TALLEST


VISION = (
    "fivefold data get fashion-sample --to photos",
    "fivefold vision classify train photos --preset quick --epochs 8 --out runs/first",
)
PICTURES = {
    "demo": Picture(
        ("fivefold demo --out demo",),
        "demo",
        "index.html",
        shown=(),
        hidden=("dl", "dl ~ p", "pre", "article:nth-child(2) .caution"),
        width=1200,
        scale=1.2,
    ),
    "vision": Picture(VISION, "runs/first", section="Where the model looked", hidden=(FEWER,)),
    "nlp": Picture(
        (
            "fivefold data get reviews --to reviews.csv",
            "fivefold nlp sentiment train reviews.csv --preset quick --out runs/lstm",
        ),
        "runs/lstm",
        section="Texts of the most confident mistakes",
        hidden=(".passage ~ .passage ~ .passage",),
    ),
    "healthcare": Picture(
        (
            "fivefold data get chest --to chest",
            "fivefold healthcare diagnose train chest --preset quick --out runs/chest",
        ),
        "runs/chest",
        section="Where the model looked",
        hidden=(".gallery figure:not(:nth-child(1)):not(:nth-child(7))",),
    ),
    "driving": Picture(
        (
            "fivefold data get traffic --to traffic",
            "fivefold driving predict train traffic --preset quick --epochs 2 --out runs/traffic",
        ),
        "runs/traffic",
        section="Examples",
        hidden=(FEWER,),
    ),
    "finance": Picture(
        (
            "fivefold data get demand --to town.csv",
            (
                "fivefold finance forecast train town.csv --targets demand --preset quick --horizon 24 "
                "--lookback 72 --epochs 20 --out runs/town"
            ),
        ),
        "runs/town",
        section="Forecasts",
        hidden=(".figures figure + figure",),
    ),
    "verdict": Picture(
        VISION,
        "runs/first",
        shown=(*TOP, "[aria-label='What was judged']", "#leakage", "#metrics", "#baselines"),
        width=760,
        scale=1.5,
    ),
}


def main() -> None:
    """Make the pictures named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Make the pictures of reports that the documentation shows.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    names = parser.parse_args().names or list(PICTURES)
    for name in names:
        picture = PICTURES[name]
        train(picture)
        target = PICTURES_FOLDER / f"report-{name}.png"
        draw(picture, target)
        print(f"{target.relative_to(HERE.parent)}: {target.stat().st_size / 1000:.0f} kB")  # noqa: T201 - a script


def train(picture: Picture) -> None:
    """Run the commands of a picture, unless what they make is there."""
    if (WORK / picture.run / picture.page).is_file():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    for command in picture.commands:
        words = [sys.executable, "-m", *shlex.split(command)]
        subprocess.run(words, cwd=WORK, env={**os.environ, "NO_COLOR": "1"}, check=True)


def draw(picture: Picture, target: Path) -> None:
    """Draw the page of a picture into a PNG file of few colours."""
    html = (WORK / picture.run / picture.page).read_text(encoding="utf-8")
    html = html.replace(f"{WORK}/", "")  # where the repository lies on this machine tells a reader nothing
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page, shot = folder / "page.html", folder / "page.png"
        page.write_text(
            html.replace("</head>", f"<style>{style(picture, html)}</style></head>", 1), encoding="utf-8"
        )
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        if browser is None:
            raise SystemExit("expected Chromium or Chrome on the path, found neither; install one of them")
        words = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={folder / 'profile'}", f"--force-device-scale-factor={picture.scale}",
            f"--window-size={picture.width},{TALLEST}", f"--screenshot={shot}", page.as_uri(),
        ]  # fmt: skip
        subprocess.run(words, check=True, capture_output=True, timeout=120)
        with Image.open(shot) as drawn:
            cut = without_empty_rows(drawn.convert("RGB"), picture)
    few = cut.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(target, optimize=True)


def style(picture: Picture, html: str) -> str:
    """Rules that leave out of a page what the picture does not show."""
    rules = ["body { padding: 1rem; } html { overflow: hidden; }"]
    if picture.shown:
        shown = list(picture.shown)
        if picture.section:
            shown.append(f"#{section_id(html, picture.section)}")
        rules.append(f"body > *, main > * {{ display: none; }} {', '.join(shown)} {{ display: block; }}")
    if picture.hidden:
        rules.append(f"{', '.join(picture.hidden)} {{ display: none !important; }}")
    return "\n".join(rules)


def section_id(html: str, heading: str) -> str:
    """Name of the report's section with that heading."""
    found = re.search(rf'<section id="([^"]+)">\s*<h2>{re.escape(heading)}</h2>', html)
    if found is None:
        there = ", ".join(re.findall(r"<h2>(.*?)</h2>", html))
        raise SystemExit(f"the report has no section called {heading!r}; it has: {there}")
    return found[1]


def without_empty_rows(drawn: Image.Image, picture: Picture) -> Image.Image:
    """The picture down to its last row that is not empty, and a margin."""
    paper = Image.new("RGB", drawn.size, drawn.getpixel((drawn.width - 1, drawn.height - 1)))
    box = ImageChops.difference(drawn, paper).getbbox()
    last = drawn.height if box is None else box[3] + round(MARGIN * picture.scale)
    return drawn.crop((0, 0, drawn.width, min(last, round(picture.tallest * picture.scale))))


if __name__ == "__main__":
    main()
