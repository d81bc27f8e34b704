"""Which recordings are one place, and which place tests: the five scenes of ETH/UCY, as published work cuts them.

Of the files, ``students001`` and ``students003`` are Univ; ``crowds_zara03`` and ``uni_examples`` only ever teach.
Places of the published text files have the protocol's names. Scenes of other sources keep their own, but for
recordings of one place, which would leak if only one of them were held out. Either name can be given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from fivefold.data.labels import texts
from fivefold.data.splits import Splits
from fivefold.data.table import Array, Table
from fivefold.errors import ConfigError, DataError
from fivefold_driving.tracks.scene import Scene

ETH_UCY = {
    "biwi_eth": "eth",
    "biwi_hotel": "hotel",
    "students001": "univ",
    "students003": "univ",
    "crowds_zara01": "zara1",
    "crowds_zara02": "zara2",
}
ONLY_TEACH = frozenset({"crowds_zara03", "uni_examples"})

VALIDATION = 0.15
"""Share of each training scene, its end, that is the validation split."""


def place_of(scene: str) -> str:
    """The protocol's name of a recording's place; its own name where it is none of the protocol's."""
    return ETH_UCY.get(scene, scene)


def places_of(scenes: Sequence[Scene]) -> tuple[dict[str, str], list[str]]:
    """Each scene's place by the scene's name, and a sentence on each place whose scenes lose their names.

    Text files of ETH/UCY are known by the protocol's names. Scenes of other sources keep their own, unless there are
    several of one place.
    """
    count = Counter(place_of(one.name) for one in scenes)
    places = {
        one.name: place_of(one.name) if one.published or count[place_of(one.name)] > 1 else one.name
        for one in scenes
    }
    together: dict[str, list[str]] = {}
    for one in scenes:
        if not one.published and places[one.name] != one.name:
            together.setdefault(places[one.name], []).append(one.name)
    return places, [
        f"{' and '.join(names)} were recorded at one place, '{place}', so that they are held out together"
        for place, names in together.items()
    ]


def held_out_places(table: Table) -> list[str]:
    """The places that can be held out, in order of the alphabet."""
    return sorted(set(table["place"].tolist()) - ONLY_TEACH)


def _scenes_of(table: Table, place: str) -> str:
    """The names of a place's scenes in brackets, such as `` (students001, students003)``; empty where it is alike."""
    scenes = list(dict.fromkeys(table["scene"][table["place"] == place].tolist()))
    return "" if scenes == [place] else f" ({', '.join(scenes)})"


def _named(table: Table, name: str) -> str:
    """The place that is called ``name``, has a scene called so, or is called so by the protocol.

    Raises:
        ConfigError: there is none.
    """
    places = table["place"]
    for called in (
        places,
        table["scene"],
        np.array([place_of(scene) for scene in table["scene"]], dtype=object),
    ):
        if (called == name).any():
            return str(places[called == name][0])
    known = ", ".join(place + _scenes_of(table, place) for place in held_out_places(table))
    raise ConfigError(
        f"--held-out {name}: expected one of {known}, found no such scene in {table.source}; name one of them"
    )


def leave_out(table: Table, place: str, length: int) -> Splits:
    """All windows of ``place`` to test, the end of every other scene to validate, the rest to train.

    Windows that reach over the cut between training and validation are left out, so that no frame is in both.

    Args:
        table: windows with columns ``place``, ``scene``, ``block`` and ``start``, in order of time.
        place: what to hold out: a place, one of its scenes, or the protocol's name of it.
        length: frames of a window.

    Raises:
        ConfigError: there is no such place.
        DataError: there is no other place to learn from.
    """
    place = _named(table, place)
    test = table["place"] == place
    if test.all():
        raise DataError(
            f"{table.source}: expected another scene than '{place}' to learn from, found only that one; add "
            "scenes"
        )
    return _splits(table, ~test, test, length, _told(table, place))


def as_the_source_says(table: Table, length: int) -> Splits:
    """The splits that the source names; a test split that it lacks is the last place in the source that may test.

    A validation split that it lacks is the end of every training scene, as in `leave_out`. Were either drawn from
    overlapping windows, frames would be in two splits.

    Args:
        table: windows with columns ``place``, ``scene``, ``block``, ``start``, and perhaps its splits.
        length: frames of a window.

    Raises:
        DataError: there is nothing to learn from or to test on.
    """
    names = np.full(len(table), "train") if table.split is None else table[table.split]
    train, val, test = (names == name for name in ("train", "val", "test"))
    if not train.any():
        raise DataError(f"{table.source}: expected scenes whose split is train, found none; mark some")
    places = table["place"]
    how = "The source's own test split was used"
    if not test.any():
        found = held_out_places(table.take(np.flatnonzero(train)))
        if not found or len(set(places[train].tolist())) == 1:
            raise DataError(
                f"{table.source}: expected two scenes or more to train on, one of which tests, found only "
                f"{', '.join(sorted(set(places[train].tolist())))}; add another, or name splits in the source"
            )
        last = [place for place in places[train].tolist() if place in found][-1]
        test = train & (places == last)
        how = _told(table, last)
    return _splits(table, train & ~test, test, length, how, val)


def _told(table: Table, place: str) -> str:
    return f"The scene '{place}'{_scenes_of(table, place)} was held out to test"


def _splits(
    table: Table, train: Array, test: Array, length: int, how: str, val: Array | None = None
) -> Splits:
    """Rows by mask; without any to validate on, they are taken from those to train on."""
    if val is None or not val.any():
        train, val, way = _validate(table, train, length)
        how += f"; {way}"
    else:
        how += "; the source's own validation split was used"
    if not train.any():
        raise DataError(
            f"{table.source}: expected several scenes to train on, or one of more than {length} frames before the end "
            "that validates, found none; add scenes, or shorten --lookback or --horizon"
        )
    parts = [table.take(np.flatnonzero(mask)) for mask in (train, val, test)]
    parts[1] = _blocks_apart(parts[0], parts[1])
    counts = f"{len(parts[0]):,} training, {len(parts[1]):,} validation, {len(parts[2]):,} test"
    return Splits(parts[0], parts[1], parts[2], f"{how}: {counts}.")


def _validate(table: Table, learned: Array, length: int) -> tuple[Array, Array, str]:
    """Part of the windows to learn from to validate instead: masks of both, and how it was done."""
    train, val = np.zeros(len(table), bool), np.zeros(len(table), bool)
    scenes = np.unique(table["scene"][learned])
    for scene in scenes:
        _cut(table, np.flatnonzero((table["scene"] == scene) & learned), length, train, val)
    if len(scenes) == 1 or 2 * train.sum() >= learned.sum():
        how = f"the last {100 * VALIDATION:g} % of each training scene validate"
        return train, val, f"{how}, and windows that reach over that cut were left out"
    last = scenes[-max(1, round(VALIDATION * len(scenes))) :]
    val = learned & np.isin(table["scene"], last)
    names = ", ".join(last[:3]) + (", ..." if len(last) > 3 else "")  # noqa: PLR2004 - enough to know them by
    how = f"{len(last)} of {len(scenes)} training scenes validate ({names})"
    return learned & ~val, val, f"{how}, because scenes are too short to be cut"


def _blocks_apart(train: Table, val: Table) -> Table:
    """The validation windows, whose blocks begin at the cut: one that it runs through is two, with no frame in both."""
    cut = set(train["block"].tolist())
    blocks = [f"{block}, end" if block in cut else block for block in val["block"].tolist()]
    return val.with_columns(block=texts(blocks))


def _cut(table: Table, rows: Array, length: int, train: Array, val: Array) -> None:
    """Mark the windows of one scene: whole blocks validate, and what ends before the first of them trains."""
    starts, blocks = table["start"][rows], table["block"][rows]
    cut = np.quantile(starts, 1 - VALIDATION)
    later = starts > starts[blocks == blocks[starts >= cut][0]].max()
    chosen = later if later.any() else starts >= cut  # a scene of a single block is cut within it
    first = starts[chosen].min()
    val[rows[chosen]] = True
    train[rows[starts + length <= first]] = True
