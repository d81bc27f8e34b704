"""Splits of scenes: no frame on two sides, whole places to test, and a sentence where that cannot be."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.splits import Splits
from fivefold.data.table import Table
from fivefold.errors import ConfigError, DataError
from fivefold_driving.predict.places import (
    ONLY_TEACH,
    as_the_source_says,
    held_out_places,
    leave_out,
    place_of,
)
from plugins.driving.predict_cases import LENGTH, predict, walkers, walks, write_grids

ETH_UCY = ("biwi_eth", "biwi_hotel", "crowds_zara01", "crowds_zara02", "students001", "students003")


def windows(scenes: dict[str, list[int]], splits: dict[str, str] | None = None, block: int = 50) -> Table:
    """Windows by scene and first frame, in order of time, without tracks."""
    rows = [(scene, start) for scene, starts in scenes.items() for start in starts]
    columns = {
        "id": np.array([f"{scene}@{start + 7}" for scene, start in rows], dtype=object),
        "scene": np.array([scene for scene, _ in rows], dtype=object),
        "place": np.array([place_of(scene) for scene, _ in rows], dtype=object),
        "start": np.array([start for _, start in rows]),
        "block": np.array([f"{scene}/{(start + 7) // block}" for scene, start in rows], dtype=object),
    }
    if splits is not None:
        columns["split"] = np.array([splits[scene] for scene, _ in rows], dtype=object)
    return Table(columns, source="walks.csv", group="block", split=None if splits is None else "split")


def frames(table: Table) -> set[object]:
    """Every frame that a window of the table holds."""
    return {
        (str(scene), int(start) + step)
        for scene, start in zip(table["scene"], table["start"], strict=True)
        for step in range(LENGTH)
    }


def disjoint(splits: Splits) -> bool:
    """Whether each split has windows, and no two have a frame, or a block, in common."""
    parts = (splits.train, splits.val, splits.test)
    held = [frames(part) | set(part["block"]) for part in parts]
    return all(map(len, parts)) and not any(first & second for first, second in combinations(held, 2))


def many(count: int = 120) -> list[int]:
    return list(range(count))


SCENES = st.dictionaries(
    st.sampled_from(["a", "b", "c", "crowds_zara01", "students001", "students003", "uni_examples"]),
    st.lists(st.integers(0, 400), min_size=60, max_size=200, unique=True).map(sorted),
    min_size=2,
)


@settings(max_examples=30, deadline=None)
@given(scenes=SCENES, block=st.sampled_from([10, 50, 1000]), data=st.data())
def test_no_frame_is_in_two_splits(scenes: dict[str, list[int]], block: int, data: st.DataObject) -> None:
    """Scenes with holes in them, blocks short and long, whichever place is held out."""
    table = windows(scenes, block=block)
    places = sorted(set(table["place"].tolist()))
    place = data.draw(st.sampled_from(places))
    if len(places) == 1:
        with pytest.raises(DataError, match="expected another scene than"):
            leave_out(table, place, LENGTH)
        return
    splits = leave_out(table, place, LENGTH)
    assert disjoint(splits)
    assert splits.test.ids.tolist() == table.ids[table["place"] == place].tolist()
    # Every other scene teaches and validates, what validates comes last, and is about as much as said.
    for scene in set(table["scene"][table["place"] != place].tolist()):
        train, val = (part["start"][part["scene"] == scene] for part in (splits.train, splits.val))
        assert train.max() + LENGTH <= val.min()
        assert len(val) <= 0.15 * len(scenes[scene]) + 1
    used = sum(map(len, (splits.train, splits.val, splits.test)))
    assert (
        f"{len(splits.train):,} training, {len(splits.val):,} validation, {len(splits.test):,} test"
        in splits.how
    )
    assert used <= len(table)


@settings(max_examples=25, deadline=None)
@given(scenes=SCENES, block=st.sampled_from([10, 50, 1000]), data=st.data())
def test_no_frame_is_in_two_splits_where_the_source_names_them(
    scenes: dict[str, list[int]], block: int, data: st.DataObject
) -> None:
    """Whatever splits the source lacks: overlapping windows are never drawn apart."""
    names = data.draw(
        st.lists(st.sampled_from(["train", "val", "test"]), min_size=len(scenes), max_size=len(scenes))
    )
    given_splits = dict(zip(scenes, names, strict=True))
    table = windows(scenes, given_splits, block)
    teaching = {place_of(scene) for scene, split in given_splits.items() if split == "train"}
    testing = "test" in names or (len(teaching) > 1 and teaching - ONLY_TEACH)
    if not teaching or not testing:
        with pytest.raises(DataError, match=r"walks\.csv: expected .* found (only|none)"):
            as_the_source_says(table, LENGTH)
        return
    splits = as_the_source_says(table, LENGTH)
    assert disjoint(splits)
    for name, part in (("val", splits.val), ("test", splits.test)):
        if name in names:
            assert set(part["scene"]) == {
                scene for scene, given_name in given_splits.items() if given_name == name
            }
    assert {given_splits[scene] for scene in splits.train["scene"]} == {"train"}


def test_the_end_of_each_scene_validates() -> None:
    splits = leave_out(windows({"a": many(200), "b": many(100)}, block=20), "b", LENGTH)
    # 85 % of the starts lie before 169.15; its block ends with start 172, of last seen frame 179.
    assert splits.val["start"].tolist() == list(range(173, 200))
    assert splits.train["start"].tolist() == list(range(154))
    assert splits.how == (
        "The scene 'b' was held out to test; the last 15 % of each training scene validate, and windows that reach "
        "over that cut were left out: 154 training, 27 validation, 100 test."
    )


# Places


def test_recordings_of_one_place_are_held_out_together() -> None:
    table = windows(dict.fromkeys([*ETH_UCY, "crowds_zara03", "uni_examples"], many()))
    assert held_out_places(table) == ["eth", "hotel", "univ", "zara1", "zara2"]
    splits = predict(held_out="univ").split(table)
    assert set(splits.test["scene"]) == {"students001", "students003"}
    assert {"crowds_zara03", "uni_examples"} <= set(splits.train["scene"])
    # Without a name it is the last in the source, of those that may test.
    assert set(predict().split(table).test["place"]) == {"univ"}
    backwards = windows(dict.fromkeys(reversed([*ETH_UCY, "crowds_zara03"]), many()))
    assert set(predict().split(backwards).test["place"]) == {"eth"}


@pytest.mark.parametrize("name", ["univ", "students001", "students003"])
def test_a_place_is_called_by_either_name(name: str) -> None:
    splits = predict(held_out=name).split(windows(dict.fromkeys(ETH_UCY, many())))
    assert set(splits.test["scene"]) == {"students001", "students003"}
    assert splits.how.startswith("The scene 'univ' (students001, students003) was held out to test")


def test_scenes_of_a_table_keep_their_names(tmp_path: Path) -> None:
    names = ("crowds_zara02", "own", "biwi_eth")
    source = write_grids(tmp_path / "tracks.csv", {name: walks(3) for name in names})
    pipeline = predict()
    table = pipeline.read(source)
    assert held_out_places(table) == sorted(names)
    assert set(pipeline.split(table).test["place"]) == {"biwi_eth"}  # which the table has last
    for name in ("crowds_zara02", "zara2"):
        assert set(predict(held_out=name).split(table).test["place"]) == {"crowds_zara02"}
    assert not pipeline.cautions(pipeline.samples(table).facts)


def test_scenes_of_a_table_that_are_one_place_are_held_out_together(tmp_path: Path) -> None:
    names = ("students001", "students003", "own")
    source = write_grids(tmp_path / "tracks.csv", {name: walks(3) for name in names})
    pipeline = predict(held_out="students003")
    table = pipeline.read(source)
    assert set(pipeline.split(table).test["scene"]) == {"students001", "students003"}
    assert pipeline.cautions(pipeline.samples(table).facts) == [
        "students001 and students003 were recorded at one place, 'univ', so that they are held out together"
    ]


def test_a_block_that_the_cut_runs_through_is_two() -> None:
    """Else the search for leakage would find the program's own blocks in two splits."""
    splits = leave_out(windows({"a": many(100), "b": many(100)}, block=80), "b", LENGTH)
    assert len(splits.train) == 66
    assert set(splits.train["block"]) == {"a/0"}
    assert set(splits.val["block"]) == {"a/1"}
    splits = leave_out(windows({"a": many(100), "b": many(100)}, block=200), "b", LENGTH)
    assert set(splits.train["block"]) == {"a/0"}
    assert set(splits.val["block"]) == {"a/0, end"}


def test_folds_are_places() -> None:
    table = windows(dict.fromkeys([*ETH_UCY, "uni_examples"], many()))
    tested = [set(predict(folds=5, fold=fold).fold(table, 5).test["place"]) for fold in range(5)]
    assert tested == [{"eth"}, {"hotel"}, {"univ"}, {"zara1"}, {"zara2"}]
    with pytest.raises(
        ConfigError,
        match=r"--folds 3: expected as many as there are scenes, found 5 \(eth, hotel, univ, zara1, zara2\)",
    ):
        predict(folds=3).fold(table, 3)


def test_the_whole_protocol_on_the_real_scenes(shared: Path) -> None:
    pipeline = predict(held_out="hotel")
    splits = pipeline.split(pipeline.read(shared / "eth_ucy"))
    assert set(splits.test["scene"]) == {"biwi_hotel"}
    assert disjoint(splits)
    judged = sum(int((~np.isnan(tracks).any(axis=(1, 2))).sum()) for tracks in splits.test["tracks"])
    assert judged == 1197


# Refusals


def test_an_unknown_place_is_refused() -> None:
    table = windows({"a": many(), "b": many()})
    with pytest.raises(
        ConfigError, match=r"--held-out c: expected one of a, b, found no such scene in walks\.csv"
    ):
        predict(held_out="c").split(table)


@pytest.mark.parametrize(
    ("scenes", "splits"),
    [
        (["a"], None),
        (["students001", "students003"], None),
        (["uni_examples", "crowds_zara03"], None),
        (["uni_examples"], None),
        (["a", "b"], {"a": "train", "b": "val"}),
    ],
)
def test_one_place_is_refused(scenes: list[str], splits: dict[str, str] | None) -> None:
    with pytest.raises(
        DataError,
        match=r"walks\.csv: expected two scenes or more to train on, one of which tests, found only",
    ):
        predict().split(windows(dict.fromkeys(scenes, many()), splits))


def test_without_scenes_to_learn_from_it_is_refused() -> None:
    with pytest.raises(DataError, match=r"walks\.csv: expected scenes whose split is train, found none"):
        predict().split(windows({"a": many(), "b": many()}, {"a": "val", "b": "test"}))


def test_one_place_beside_one_that_only_teaches_will_do() -> None:
    splits = predict().split(windows(dict.fromkeys(["uni_examples", "biwi_eth"], many())))
    assert set(splits.test["scene"]) == {"biwi_eth"}
    assert set(splits.train["scene"]) == {"uni_examples"}


def test_the_one_scene_held_out_is_refused() -> None:
    with pytest.raises(DataError, match=r"walks\.csv: expected another scene than 'a' to learn from"):
        predict(held_out="a").split(windows({"a": many()}))


def test_one_scene_too_short_to_be_cut_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"expected several scenes to train on, or one of more than 20 frames"
    ):
        predict().split(windows({"a": many(15), "b": many(15)}))


def test_of_many_short_scenes_whole_ones_validate() -> None:
    """Scenarios of a few seconds: cut, each would lose what reaches over the cut, that is nearly all."""
    table = windows({f"s{number:02}": many(1 + number % 5) for number in range(21)})
    splits = predict().split(table)
    assert disjoint(splits)
    assert set(splits.val["scene"]) == {"s17", "s18", "s19"}
    assert len(splits.train) + len(splits.val) + len(splits.test) == len(table)
    assert splits.how == (
        "The scene 's20' was held out to test; 3 of 20 training scenes validate (s17, s18, s19), because scenes are "
        "too short to be cut: 48 training, 12 validation, 1 test."
    )


def test_splits_come_from_the_table(tmp_path: Path) -> None:
    """From files: a column, as readers know it, and nothing for read_inputs to trip over."""
    generator = np.random.default_rng(0)
    lines: list[str] = []
    for name, split in {"a": "train", "b": "val", "c": "test"}.items():
        file = write_grids(tmp_path / "part.csv", {name: walkers(generator, frames=70)}, split=split)
        head, *rows = file.read_text().splitlines()
        lines += [*([] if lines else [head]), *rows]
        file.unlink()
    source = tmp_path / "tracks.csv"
    source.write_text("\n".join(lines) + "\n")
    pipeline = predict()
    splits = pipeline.split(pipeline.read(source))
    assert [set(part["scene"]) for part in (splits.train, splits.val, splits.test)] == [{"a"}, {"b"}, {"c"}]
    assert len(splits.train) == 51
    assert splits.how.startswith(
        "The source's own test split was used; the source's own validation split was used"
    )
    assert len(pipeline.read_inputs(source)) == 3
