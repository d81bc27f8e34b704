"""A road of 300 m with two lanes, and who drives on it, as files of SUMO."""

from __future__ import annotations

import csv
from pathlib import Path

NET = """<?xml version="1.0" encoding="UTF-8"?>
<net version="1.9">
  <location netOffset="0.00,0.00" convBoundary="0.00,0.00,300.00,0.00" origBoundary="0,0,300,0" projParameter="!"/>
  <edge id="road" from="a" to="b" priority="1">
    <lane id="road_0" index="0" speed="20.00" length="300.00" shape="0.00,-4.80 300.00,-4.80"/>
    <lane id="road_1" index="1" speed="20.00" length="300.00" shape="0.00,-1.60 300.00,-1.60"/>
  </edge>
  <junction id="a" type="dead_end" x="0.00" y="0.00" incLanes="" intLanes="" shape="0.00,0.00 0.00,-6.40"/>
  <junction id="b" type="dead_end" x="300.00" y="0.00" incLanes="road_0 road_1" intLanes=""
            shape="300.00,-6.40 300.00,0.00"/>
</net>
"""
STEADY = '<vType id="steady" vClass="{kind}" length="{length}" maxSpeed="10" sigma="0" speedFactor="1"/>'
DRIVER = (
    '<vehicle id="{name}" type="steady" depart="{depart}" departLane="0" departPos="20" departSpeed="10">'
    '<route edges="road"/></vehicle>'
)
CONFIG = (
    '<configuration><input><net-file value="{net}"/><route-files value="{routes}"/>{more}</input>'
    '<time><begin value="{begin}"/></time></configuration>'
)


def routes_of(*vehicles: str, kind: str = "passenger", length: str = "4") -> str:
    return f"<routes>{STEADY.format(kind=kind, length=length)}{''.join(vehicles)}</routes>"


ONE = routes_of(
    DRIVER.format(name="one", depart="4.00")
)  # a step of 0.4 s; else SUMO departs with a later one


def folder_of(place: Path, routes: str = ONE, net: str = NET) -> Path:
    folder = place / "town"
    folder.mkdir()
    (folder / "town.net.xml").write_text(net, encoding="utf-8")
    (folder / "town.rou.xml").write_text(routes, encoding="utf-8")
    return folder


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "tracks.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
