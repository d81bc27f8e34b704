"""What lies in the folder of tracks and says more of them: a road network, and a note that they were simulated.

``fivefold driving simulate`` writes both; a network that one puts there by hand is found as well.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fivefold_driving.tracks.maps import Roads, read_roads
from fivefold_driving.tracks.rows import Rows, Told

NOTE = "simulated.json"
"""Tracks beside it were simulated."""

NETWORK = ".net.xml"
"""Ending of the networks of SUMO."""


def is_beside(file: Path) -> bool:
    """Whether a file says more of the tracks beside it, rather than being tracks."""
    return file.name == NOTE or file.name.endswith(NETWORK)


class Companions:
    """Adds to rows what lies beside their file, unless a map is named for all.

    Args:
        named: a map for all scenes that have none; in its absence the only network in their folder.
        told: gains the cautions of maps, and one where a folder has several.
    """

    def __init__(self, named: Path | None, told: Told) -> None:
        self._named, self._told = named, told
        self._maps: dict[Path, Roads] = {}
        self._several: set[Path] = set()

    def add(self, rows: Rows, file: Path) -> Rows:
        """The rows of ``file``, with what lies beside it.

        Raises:
            DataError: the map is none, or broken.
        """
        folder = file if file.is_dir() else file.parent
        rows = replace(rows, simulated=rows.simulated or (folder / NOTE).is_file())
        place = None if rows.map or rows.drivable else self._named or self._network(folder)
        if place is None:
            return rows
        if place not in self._maps:
            self._maps[place] = read_roads(place)
            self._told.cautions += self._maps[place].cautions
        roads = self._maps[place]
        return replace(rows, map=tuple(roads.lines), drivable=tuple(roads.drivable))

    def _network(self, folder: Path) -> Path | None:
        found = sorted(folder.glob(f"*{NETWORK}"))
        if len(found) > 1 and folder not in self._several:
            self._several.add(folder)
            names = ", ".join(file.name for file in found)
            self._told.cautions.append(
                f"{folder.name}: has several maps ({names}), of which none was taken; leave one, or name it by --map"
            )
        return found[0] if len(found) == 1 else None
