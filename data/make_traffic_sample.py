"""Make ``fivefold_data/samples/traffic.zip``: three minutes of simulated traffic on each of two made-up road networks.

Run: ``python data/make_traffic_sample.py``, with Eclipse SUMO installed (``pip install "fivefold[simulate]"``). The
networks are a grid and a ring with spokes, made by SUMO's netgenerate; nothing in them is a real road. The archive is
the same, byte for byte, for the same version of SUMO.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

from fivefold_driving.simulate.networks import read_network
from fivefold_driving.simulate.simulation import simulate
from fivefold_driving.simulate.sumo import Settings, find_sumo

TARGET = Path(__file__).parent / "fivefold_data" / "samples" / "traffic.zip"
NETWORKS = {
    "grid": {
        "grid": "",
        "grid.x-number": "3",
        "grid.y-number": "2",
        "grid.length": "120",
        "grid.attach-length": "80",
    },
    "ring": {
        "spider": "",
        "spider.arm-number": "5",
        "spider.circle-number": "2",
        "spider.space-radius": "90",
    },
}
"""Options of netgenerate."""
SECONDS = 180
EVERY = 4  # seconds between departures
SEED = 3


def main() -> None:
    """Write the archive."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, options in NETWORKS.items():
            words = [word for option, value in options.items() for word in (f"--{option}", value) if word]
            folder = Path(scratch) / name
            folder.mkdir()
            net = folder / f"{name}.net.xml"
            tool = find_sumo().with_name("netgenerate")
            common = ["--seed", str(SEED), "--no-turnarounds", "true", "--tls.guess", "true", "-o", str(net)]
            subprocess.run([tool, *words, *common], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
            undated(net)
            trips = Path(scratch) / f"{name}.trips.xml"
            trips.write_text(wanted(net), encoding="utf-8")
            # What cannot be driven is left out.
            routing = [
                "-n",
                net,
                "-r",
                trips,
                "-o",
                folder / f"{name}.rou.xml",
                "--ignore-errors",
                "--no-warnings",
            ]
            subprocess.run([tool.with_name("duarouter"), *routing], check=True, capture_output=True)  # noqa: S603 - see above
            (folder / f"{name}.rou.alt.xml").unlink()
            undated(folder / f"{name}.rou.xml")
            out = Path(scratch) / f"{name}-tracks"
            simulate(read_network(folder), out, Settings(float(SECONDS), 0.4, SEED))
            for file in sorted(out.iterdir()):
                entry = zipfile.ZipInfo(f"{name}/{file.name}", (2020, 1, 1, 0, 0, 0))
                archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size:,} bytes\n")


def undated(file: Path) -> None:
    """Take out the comments, which hold the date."""
    file.write_text(re.sub(r"<!--.*?-->", "", file.read_text("utf-8"), flags=re.DOTALL), encoding="utf-8")


def wanted(net: Path) -> str:
    """A trip every few seconds from one edge of the network to another, in a fixed order."""
    edges = [
        edge.get("id", "")
        for edge in ET.parse(net).getroot().iter("edge")  # noqa: S314 - made a moment ago
        if not edge.get("function")
    ]
    lines = ["<routes>"]
    for number, depart in enumerate(range(0, SECONDS, EVERY)):
        for turn in range(2):
            start = edges[(7 * number + 3 * turn) % len(edges)]
            end = edges[(11 * number + 5 * turn + len(edges) // 2) % len(edges)]
            if start != end:
                lines.append(f'  <trip id="{number}-{turn}" depart="{depart}" from="{start}" to="{end}"/>')
    return "\n".join([*lines, "</routes>", ""])


if __name__ == "__main__":
    main()
