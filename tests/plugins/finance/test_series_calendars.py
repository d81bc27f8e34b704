"""Sessions, steps and gaps: what is missing is told, and nothing is filled in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fivefold.errors import ConfigError
from fivefold_finance.series.calendars import sessions, zone_of
from fivefold_finance.series.schema import Series
from fivefold_finance.series.steps import infer_step
from plugins.finance.series_files import only, read

SESSIONS = ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"]


def values(days: list[str]) -> list[str]:
    return ["date,close", *(f"{day},{10 + number}" for number, day in enumerate(days))]


def test_sessions_of_new_york() -> None:
    found = sessions("XNYS", np.datetime64("2020-01-01"), np.datetime64("2020-01-07"))
    assert found.astype(str).tolist() == SESSIONS
    assert zone_of("XNYS") == "America/New_York"
    assert len(sessions("XNYS", np.datetime64("2020-01-04"), np.datetime64("2020-01-05"))) == 0


def test_a_calendar_names_the_zone_and_finds_nothing_amiss(tmp_path: Path) -> None:
    found = read(tmp_path, *values(SESSIONS), calendar="XNYS", adjusted=True)
    assert only(found).zone == "America/New_York"
    assert found.cautions == ()


def test_missing_sessions_are_counted_and_named(tmp_path: Path) -> None:
    found = read(tmp_path, *values([SESSIONS[0], SESSIONS[3], "2020-01-08"]), calendar="XNYS", adjusted=True)
    assert len(only(found)) == 3
    assert any(
        "2 sessions of XNYS between the first bar and the last have no bar (2020-01-03, 2020-01-06)"
        in caution
        for caution in found.cautions
    )


def test_bars_without_a_session_are_named(tmp_path: Path) -> None:
    days = [*SESSIONS[:2], "2020-01-04", *SESSIONS[2:]]
    (caution,) = read(tmp_path, *values(days), calendar="XNYS", adjusted=True).cautions
    assert "1 bar on days without a session of XNYS (2020-01-04; first: " in caution
    assert "row 4)" in caution


def test_days_at_midnight_of_utc_are_those_days(tmp_path: Path) -> None:
    days = [f"{day}T00:00:00Z" for day in SESSIONS]
    assert read(tmp_path, *values(days), calendar="XNYS", adjusted=True).cautions == ()


def test_sessions_are_asked_of_hours_too_but_not_of_months(tmp_path: Path) -> None:
    hours = [f"{day} {hour}:30" for day in (SESSIONS[0], SESSIONS[2]) for hour in (10, 11, 12, 13)]
    (caution,) = read(tmp_path, *values(hours), calendar="XNYS", adjusted=True).cautions
    assert "1 session of XNYS between the first bar and the last has no bar (2020-01-03)" in caution
    months = ["2020-01", "2020-02", "2020-03"]
    (caution,) = read(tmp_path, *values(months), calendar="XNYS", adjusted=True).cautions
    assert "bars are longer than a session, so XNYS was not asked" in caution


def test_hours_missing_within_a_session_are_a_gap_also_with_a_calendar(tmp_path: Path) -> None:
    hours = [f"{day} {hour}:30" for day in SESSIONS for hour in range(10, 16)]
    hours.remove(f"{SESSIONS[1]} 11:30")
    (caution,) = read(tmp_path, *values(hours), calendar="XNYS", adjusted=True).cautions
    assert "bars 1 hour apart are missing in 1 place" in caution


def test_a_calendar_that_there_is_not_or_that_does_not_reach_so_far(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"calendar: expected a calendar of exchange_calendars .* found 'XXXX'"
    ):
        read(tmp_path, *values(SESSIONS), calendar="XXXX")
    with pytest.raises(ConfigError, match=r"calendar: .* XSAU is known from 2021-01-01 to .* only"):
        read(tmp_path, *values(SESSIONS), calendar="XSAU")


@pytest.mark.parametrize(
    ("times", "zone", "length", "regular"),
    [
        (np.arange("2020-01-01", "2020-01-05", dtype="datetime64[h]"), "UTC", "1 hour", True),
        (np.array(SESSIONS, dtype="datetime64[D]"), "UTC", "1 day", False),
        # days in New York over the change of clocks: 23 hours in UTC, a day there
        (
            np.array(
                ["2021-03-13T05", "2021-03-14T05", "2021-03-15T04", "2021-03-16T04"], dtype="datetime64[h]"
            ),
            "America/New_York",
            "1 day",
            True,
        ),
        (
            np.array(["2020-01-01", "2020-02-01", "2020-03-01"], dtype="datetime64[D]"),
            "UTC",
            "30 days",
            False,
        ),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "UTC", "0 seconds", False),
    ],
)
def test_steps(times: np.ndarray, zone: str, length: str, regular: bool) -> None:
    instants = times.astype("datetime64[ns]")
    series = Series(
        "s", instants, {"x": np.arange(len(times), dtype=float)}, zone, None, np.arange(1, len(times) + 1)
    )
    step = infer_step(series)
    assert (str(step), step.regular, step.gaps.any()) == (length, regular, False)
