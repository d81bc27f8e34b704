"""Paths that a table names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.listed import listed_path
from fivefold.errors import DataError


def test_a_name_is_looked_for_beside_the_table(tmp_path):
    assert listed_path(tmp_path / "labels.csv", 2, "images/a.png") == tmp_path / "images" / "a.png"
    assert listed_path(tmp_path / "labels.csv", 2, "images/../b.png") == tmp_path / "b.png"


def test_a_whole_path_inside_the_folder_is_that_path(tmp_path):
    assert listed_path(tmp_path / "labels.csv", 2, str(tmp_path / "a.png")) == tmp_path / "a.png"


@pytest.mark.parametrize(
    "name", ["../a.png", "images/../../a.png", "/etc/passwd", "..", "../data-of-others/a"]
)
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    folder = tmp_path / "data"
    with pytest.raises(
        DataError, match=r"labels\.csv, row 7: expected a path inside .*data, found '"
    ) as error:
        listed_path(folder / "labels.csv", 7, name)
    assert f"found '{name}', which leads out of it" in str(error.value)


def test_the_table_itself_may_be_given_by_way_of_the_folder_above(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "data" / "a.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path / "work")
    assert listed_path(Path("../data/labels.csv"), 1, "a.png").read_bytes() == b"x"
    with pytest.raises(DataError, match="leads out of it"):
        listed_path(Path("../data/labels.csv"), 1, "../a.png")


def test_a_folder_behind_a_link_is_left_by_the_link_s_own_way(tmp_path, monkeypatch):
    far = tmp_path / "far" / "inner"
    far.mkdir(parents=True)
    (tmp_path / "far" / "a.png").write_bytes(b"x")
    (tmp_path / "link").symlink_to(far)
    monkeypatch.chdir(tmp_path)
    # The system finds ../ of a link at its target, so that this table is far/labels.csv.
    assert listed_path(Path("link/../labels.csv"), 1, "a.png").read_bytes() == b"x"


PARTS = st.lists(st.sampled_from(["..", ".", "a", "b", "", "/"]), min_size=1, max_size=8)


@given(PARTS)
@settings(max_examples=200, deadline=None)
def test_whatever_is_named_stays_inside_or_is_refused(parts):
    try:
        path = listed_path(Path("/data/set/labels.csv"), 1, "/".join(parts))
    except DataError:
        return
    assert ".." not in path.parts
    assert path.is_relative_to("/data/set")
