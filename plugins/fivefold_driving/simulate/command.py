"""``fivefold driving simulate``: traffic from SUMO as a file of tracks.

fivefold driving simulate cologne1 tracks/
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fivefold.cli.output import emit, say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import Json
from fivefold_driving.simulate.networks import read_network
from fivefold_driving.simulate.simulation import MAP, NOTE, TABLE
from fivefold_driving.simulate.simulation import simulate as run
from fivefold_driving.simulate.sumo import Settings

Source = Annotated[
    str,
    Parameter(
        name="NETWORK",
        help="A folder with one *.net.xml and one *.rou.xml, a configuration (*.sumocfg), or a dataset's name.",
    ),
]
Out = Annotated[Path, Parameter(name="OUT", help="A new folder.")]
Seconds = Annotated[float, Parameter(help="How long to simulate.")]
Interval = Annotated[float, Parameter(help="Seconds between frames, a multiple of 0.05.")]
Seed = Annotated[int, Parameter(help="The same seed gives the same traffic.")]


def simulate(
    network: Source,
    out: Out,
    /,
    *,
    seconds: Seconds = 300.0,
    interval: Interval = 0.4,
    seed: Seed = 0,
    json: Json = False,
) -> int:
    """Simulate traffic with Eclipse SUMO and write the tracks of its vehicles into a new folder.

    The roads go there too, as the map, and a note that says that it is simulated. SUMO is installed by
    pip install "fivefold[simulate]".

    Example:
        fivefold driving simulate cologne1 tracks/ --seconds 300
    """
    settings = Settings(seconds, interval, seed)
    found = read_network(Session.current.locate(network))
    counts = run(found, out, settings)
    notes = [f"{name} of the configuration are not read" for name in found.unread]
    if json:
        emit({"out": out, "files": [TABLE, MAP, NOTE], "notes": notes, **vars(counts)})
        return 0
    for text in notes:
        say(f"Note: {text}", style="yellow")
    say(
        f"{counts.vehicles:,} simulated vehicles in {counts.frames:,} frames ({counts.rows:,} rows) written to "
        f"{out / TABLE}; how they were made stands in {out / NOTE}"
    )
    return 0
