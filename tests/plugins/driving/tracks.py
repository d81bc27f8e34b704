"""Small sources of tracks in every format, all of the same two agents, and writers for odd ones."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

FRAMES = 12
STEP = 0.4  # seconds

Point = tuple[float, str, float, float]  # time or frame, agent, x, y


def walks() -> list[Point]:
    """Two agents by the frame: ``1`` walks east at 1 m/s; ``2`` is born at frame 3, and turns."""
    points: list[Point] = []
    for frame in range(FRAMES):
        points.append((frame, "1", 0.4 * frame, 2.0))
        if frame > 2:
            points.append((frame, "2", 5.0 + math.cos(frame / 5), math.sin(frame / 5)))
    return points


def positions(agent: str) -> NDArray[np.float64]:
    """Where an agent of `walks` is, shape ``(F, 2)``."""
    return np.array([(x, y) for _, who, x, y in walks() if who == agent])


def write_text(file: Path, points: Iterable[Sequence[Any]], separator: str = "\t") -> Path:
    """Lines of fields in the manner of ETH/UCY."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(separator.join(map(str, point)) + "\n" for point in points))
    return file


def write_eth_ucy(folder: Path) -> Path:
    return write_text(
        folder / "walks.txt", [(780 + 10 * frame, float(agent), x, y) for frame, agent, x, y in walks()]
    )


def rows(**more: Any) -> list[dict[str, Any]]:
    """Rows of a table with times; ``more`` is the same in each."""
    return [
        {"scene": "walks", "time": STEP * frame, "agent": agent, "x": x, "y": y, **more}
        for frame, agent, x, y in walks()
    ]


def write_csv(file: Path, entries: Sequence[Mapping[str, Any]], delimiter: str = ",") -> Path:
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(entries[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(entries)
    return file


def write_comma(folder: Path) -> Path:
    return write_csv(folder / "tracks.csv", rows())


def write_tab(folder: Path) -> Path:
    return write_csv(folder / "tracks.tsv", rows(), "\t")


def write_lines(folder: Path) -> Path:
    file = folder / "tracks.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    return file


def write_parquet(folder: Path) -> Path:
    file = folder / "tracks.parquet"
    entries = [{**row, "agent": int(row["agent"])} for row in rows()]
    parquet.write_table(pa.Table.from_pylist(entries), file)
    return file


def write_sumo(folder: Path, attributes: str = 'speed="1.0"', persons: Sequence[str] = ("2",)) -> Path:
    """Floating car data; agents among ``persons`` are persons, others vehicles that drive east."""
    steps = []
    for frame in range(FRAMES):
        here = [
            f'<{kind} id="{agent}" x="{x!r}" y="{y!r}" angle="90.00" {attributes}/>'
            for moment, agent, x, y in walks()
            for kind in ["person" if agent in persons else 'vehicle type="DEFAULT_VEHTYPE"']
            if moment == frame
        ]
        steps.append(f'<timestep time="{STEP * frame:.2f}">{"".join(here)}</timestep>')
    file = folder / "fcd.xml"
    file.write_text(
        f"<?xml version='1.0' encoding='UTF-8'?>\n<!-- SUMO -->\n<fcd-export>{''.join(steps)}</fcd-export>"
    )
    return file


def lanelet(known: int, points: Sequence[tuple[float, float]], width: float = 3.0, inside: str = "") -> str:
    def bound(name: str, shift: float) -> str:
        inner = "".join(f"<point><x>{x}</x><y>{y + shift}</y></point>" for x, y in points)
        return f"<{name}>{inner}</{name}>"

    return f'<lanelet id="{known}">{bound("leftBound", width)}{bound("rightBound", 0)}{inside}</lanelet>'


def state(tag: str, frame: int, x: float, y: float, heading: float = 0.0) -> str:
    return (
        f"<{tag}><position><point><x>{x!r}</x><y>{y!r}</y></point></position>"
        f"<orientation><exact>{heading}</exact></orientation><time><exact>{frame}</exact></time></{tag}>"
    )


def obstacle(known: str, points: Sequence[Point], version: str = "2020a", type_name: str = "car") -> str:
    states = [
        state("state" if place else "initialState", int(frame), x, y)
        for place, (frame, _, x, y) in enumerate(points)
    ]
    tag = "obstacle" if version == "2018b" else "dynamicObstacle"
    return (
        f'<{tag} id="{known}">{"<role>dynamic</role>" if version == "2018b" else ""}<type>{type_name}</type>'
        "<shape><rectangle><length>4.5</length><width>1.8</width></rectangle></shape>"
        f"{states[0]}<trajectory>{''.join(states[1:])}</trajectory></{tag}>"
    )


def write_commonroad(folder: Path, version: str = "2020a", inside: str = "", **root: str) -> Path:
    """A scenario with one lanelet, the agents of `walks`, and ``inside``."""
    attributes = {
        "timeStepSize": str(STEP),
        "commonRoadVersion": version,
        "benchmarkID": "DEU_A-1_1_T-1",
        "source": "drone",
        **root,
    }
    agents = [obstacle(who, [point for point in walks() if point[1] == who], version) for who in ("1", "2")]
    written = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    file = folder / "scenario.xml"
    file.write_text(
        f"<commonRoad {written}>{lanelet(7, [(0, 0), (10, 0)])}{''.join(agents)}{inside}</commonRoad>"
    )
    return file


def nuscenes() -> dict[str, list[dict[str, Any]]]:
    """The tables of one scene with the agents of `walks`, and a traffic cone."""
    start = 1_532_402_927_647_951
    samples = [
        {"token": f"sample{frame}", "scene_token": "scene0", "timestamp": start + frame * 400_000}
        for frame in range(FRAMES)
    ]
    boxes = [
        {
            "sample_token": f"sample{int(frame)}",
            "instance_token": agent,
            "translation": [x, y, 0.5],
            "size": [0.6, 0.8, 1.7],
            "rotation": [math.cos(0.25), 0.0, 0.0, math.sin(0.25)],
        }
        for frame, agent, x, y in [*walks(), *((frame, "cone", 1.0, 1.0) for frame in range(FRAMES))]
    ]
    return {
        "scene": [{"token": "scene0", "name": "walks", "split": "val", "map": [[[0, 0], [9, 0]]]}],
        "sample": samples,
        "sample_annotation": boxes,
        "instance": [
            {"token": "1", "category_token": "a"},
            {"token": "2", "category_token": "b"},
            {"token": "cone", "category_token": "c"},
        ],
        "category": [
            {"token": "a", "name": "human.pedestrian.adult"},
            {"token": "b", "name": "vehicle.car"},
            {"token": "c", "name": "movable_object.trafficcone"},
        ],
    }


def write_json(folder: Path) -> Path:
    file = folder / "scenes.json"
    file.write_text(json.dumps(nuscenes()))
    return file


def write_json_folder(folder: Path) -> Path:
    inside = folder / "v1.0"
    inside.mkdir()
    for name, table in nuscenes().items():
        (inside / f"{name}.json").write_text(json.dumps(table))
    return inside


WRITERS: dict[str, Callable[[Path], Path]] = {
    "ETH/UCY": write_eth_ucy,
    "CSV": write_comma,
    "TSV": write_tab,
    "JSONL": write_lines,
    "Parquet": write_parquet,
    "SUMO": write_sumo,
    "CommonRoad 2020a": write_commonroad,
    "CommonRoad 2018b": lambda folder: write_commonroad(folder, "2018b"),
    "JSON file": write_json,
    "JSON folder": write_json_folder,
}

NETWORK = """<net version="1.20">
    <location netOffset="0.00,0.00"/>
    <edge id=":b_0" function="internal"><lane id=":b_0_0" index="0" shape="100,0 101,0"/></edge>
    <edge id="e" from="a" to="b">
        <lane id="e_0" index="0" allow="pedestrian" width="2.00" shape="0.00,-4.20 100.00,-4.20"/>
        <lane id="e_1" index="1" shape="0.00,-1.60,5.0 100.00,-1.60,5.0"/>
    </edge>
    <junction id="a" type="dead_end" shape="0.00,0.00 0.00,-3.20"/>
    <junction id="b" type="priority" shape="100.00,0.00 104.00,0.00 104.00,-5.20 100.00,-5.20"/>
</net>"""


def write_network(folder: Path) -> Path:
    """A road of 100 m with a sidewalk and a lane, and a junction at its end."""
    file = folder / "road.net.xml"
    file.write_text(NETWORK)
    return file
