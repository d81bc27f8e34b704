"""The column of independent units: what is named, what is called so, and what is told of it."""

from __future__ import annotations

import pytest

from fivefold.data.units import Unit, choose_unit, unit_columns

KNOWN = ("patient", "patient_id")


def chosen(columns: dict[str, list[str]], configured: str = "group", *, named: bool = False) -> Unit:
    found = unit_columns(columns, configured, KNOWN)
    return choose_unit(
        "x.csv", {name: columns[name] for name in found}, configured, named=named, option="--columns.group"
    )


def test_names_are_found_however_they_are_written_the_configured_one_first() -> None:
    names = ["path", "Group", "Patient-ID", "PATIENT", "scene", "patients"]
    assert unit_columns(names, "scene", KNOWN) == ["scene", "PATIENT", "Patient-ID", "Group"]
    assert unit_columns(["path", "label"], "group", KNOWN) == []


def test_the_column_that_the_settings_call_so_needs_no_note() -> None:
    assert chosen({"group": ["a", "a", ""], "label": ["x", "y", "x"]}) == Unit("group")
    assert chosen({"label": ["x", "y", "x"]}) == Unit(None)


def test_another_unit_is_honoured_and_told() -> None:
    found = chosen({"patient": ["a", "a", "b", "c"]})
    assert found.column == "patient"
    (note,) = found.notes
    assert note == (
        "x.csv: rows with the same 'patient' stay in one split, because the column is called as units are; "
        "--columns.group names another."
    )


def test_a_unit_that_is_not_used_is_warned_of_where_rows_share_it() -> None:
    columns = {
        "group": ["s", "s", "t", "u"],
        "patient": ["a", "a", "b", "c"],
        "patient_id": ["1", "2", "3", "4"],
    }
    found = chosen(columns)
    assert found.column == "group"
    assert len(found.notes) == 1  # each row has a patient_id of its own
    assert (
        "the column 'patient' is called as units are, and rows are not kept together by it" in found.notes[0]
    )
    assert "--columns.group patient keeps them together" in found.notes[0]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["a", "a", "b", "", "c"], "it is empty in 1 of 5 rows"),
        (["a", "a", "b", "b", "b"], "2 different values only"),
    ],
)
def test_a_unit_that_cannot_part_the_rows_is_left_and_told(values: list[str], why: str) -> None:
    found = chosen({"patient": values})
    assert found.column is None
    assert why in found.notes[0]


def test_what_the_user_named_is_not_replaced() -> None:
    found = chosen({"scene": ["x", "y", "z", "z"], "patient": ["a", "a", "b", "c"]}, "scene", named=True)
    assert found.column == "scene"
    assert "'patient'" in found.notes[0]
    assert chosen({"patient": ["a", "a", "b", "c"]}, "scene", named=True).column is None
