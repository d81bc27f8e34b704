"""From a network to a folder of tracks: ``tracks.csv``, ``network.net.xml`` (the map) and ``simulated.json``.

The last says that nothing of it was observed; a reader of tracks marks a scene as simulated where it stands.
"""

from __future__ import annotations

import csv
import math
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from fivefold.data.ledger import sha256_of
from fivefold.errors import DataError, StorageError
from fivefold.files import write_json, written_aside
from fivefold_driving.simulate import sumo
from fivefold_driving.simulate.markup import read_elements
from fivefold_driving.simulate.networks import Network
from fivefold_driving.simulate.vehicles import Vehicle

TABLE, MAP, NOTE = "tracks.csv", sumo.NET, "simulated.json"
COLUMNS = ("scene", "time", "agent", "x", "y", "heading", "type", "length", "width")


@dataclass(frozen=True)
class Counts:
    """How much was simulated."""

    frames: int
    vehicles: int
    rows: int


def simulate(network: Network, out: Path, settings: sumo.Settings) -> Counts:
    """Simulate the traffic of ``network`` and write it into the new folder ``out``, whole or not at all.

    The same network, settings and version of SUMO give the same bytes.

    Raises:
        DataError: the simulation fails, or no vehicle drives in it.
        DependencyError: SUMO is not installed.
        StorageError: ``out`` is there already, or cannot be written.
    """
    if out.exists() or out.is_symlink():
        raise StorageError(f"{out}: expected a folder that is not there yet, found one; choose another")
    program = sumo.find_sumo()
    version = sumo.version(program)
    words = sumo.arguments(network.begin, settings)
    with written_aside(out) as part, TemporaryDirectory() as place:
        work = Path(place)
        shutil.copyfile(network.net, work / sumo.NET)
        shutil.copyfile(network.routes, work / sumo.ROUTES)
        sumo.run(program, words, work, limit=sumo.time_limit(settings), name=network.name)
        part.unlink()
        part.mkdir()
        counts = write_table(work / sumo.TRACKS, part / TABLE, network, settings.interval)
        shutil.copyfile(work / sumo.NET, part / MAP)
        write_json(part / NOTE, _note(network, settings, version, words, counts))
    return counts


def write_table(tracks: Path, table: Path, network: Network, interval: float) -> Counts:
    """Write floating car data of SUMO as a table of tracks; people and containers are left out.

    SUMO tells the middle of the front bumper, and the angle clockwise from north in degrees. The table has the
    middle of the vehicle, half its length behind that, and the heading anticlockwise from the axis x in radians.
    Time counts from the begin of the simulation.

    Raises:
        DataError: there is no vehicle.
    """
    frame = rows = 0
    agents: set[str] = set()
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)

        def write(name: str, attributes: Mapping[str, str], depth: int) -> None:  # noqa: ARG001 - any depth will do
            nonlocal frame, rows
            if name == "timestep":
                frame = round((float(attributes["time"]) - network.begin) / interval)
            elif name == "vehicle":
                rows += 1
                agents.add(attributes["id"])
                vehicle = network.vehicles[attributes["type"]]
                writer.writerow((network.name, f"{frame * interval:.2f}", *_state(attributes, vehicle)))

        read_elements(tracks, write, largest=math.inf)
    if not rows:
        raise DataError(
            f"{network.name}: expected vehicles within the simulated seconds, which begin with second "
            f"{network.begin:g}, found none; give more --seconds, or a later begin in a configuration (*.sumocfg)"
        )
    return Counts(frame + 1, len(agents), rows)


def _state(attributes: Mapping[str, str], vehicle: Vehicle) -> tuple[str, ...]:
    """Cells of a vehicle at one time, from ``agent`` on; z keeps a rounded zero from having a sign."""
    heading = math.remainder(math.radians(90.0 - float(attributes["angle"])), math.tau)
    x = float(attributes["x"]) - vehicle.length / 2 * math.cos(heading)
    y = float(attributes["y"]) - vehicle.length / 2 * math.sin(heading)
    place = (f"{x:z.3f}", f"{y:z.3f}", f"{heading:z.5f}")
    return (attributes["id"], *place, vehicle.kind, f"{vehicle.length:g}", f"{vehicle.width:g}")


def _note(
    network: Network, settings: sumo.Settings, version: str, words: list[str], counts: Counts
) -> dict[str, object]:
    """What a reader must know: that it is simulated, and how to do it again. No time of day: it would differ."""
    return {
        "simulated": True,
        "by": f"Eclipse SUMO {version}",
        "network": network.name,
        "seed": settings.seed,
        "seconds": settings.seconds,
        "interval": settings.interval,
        "step": settings.step,
        "begin": network.begin,
        "command": shlex.join(["sumo", *words]),
        "sha256": {sumo.NET: sha256_of(network.net), sumo.ROUTES: sha256_of(network.routes)},
        "frames": counts.frames,
        "vehicles": counts.vehicles,
        "rows": counts.rows,
        "units": "metres in the network's coordinates, of the vehicle's middle; radians anticlockwise from x; seconds",
        "fivefold": metadata.version("fivefold"),
    }
