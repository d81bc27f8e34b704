"""Windows: what may be written, and which grey levels come of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from fivefold.errors import ConfigError
from fivefold_healthcare.dicom.window import Window, grey_levels

NUMBERS = st.decimals(-(10**6), 10**6, places=3)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("auto", Window()),
        ("full", Window("full")),
        (" Full ", Window("full")),
        ("AUTO", Window("auto")),
        ("40,400", Window("given", 40, 400)),
        (" 40 , 400 ", Window("given", 40, 400)),
        ("-600,1500.5", Window("given", -600, 1500.5)),
        ("+0.25,.5", None),
        ("+0.25,0.5", Window("given", 0.25, 0.5)),
        ("1%,99%", Window("percentiles", 1, 99)),
        ("0%, 100%", Window("percentiles", 0, 100)),
        ("0.5%,99.5%", Window("percentiles", 0.5, 99.5)),
    ],
)
def test_all_forms_are_parsed(text: str, window: Window | None) -> None:
    if window is None:
        with pytest.raises(ConfigError):
            Window.parse(text)
    else:
        assert Window.parse(text) == window


@pytest.mark.parametrize(
    "text",
    [
        "", "automatic", "40", "40,", ",400", "40,0", "40,-400", "40;400", "40,400,1", "a,b", "nan,1", "0,inf", "1e3,5",
        "99%,1%", "5%,5%", "-1%,50%", "1%,101%", "1%,99", "1,99%", "%,%", "40\t,400", f"40,{10**400}", f"{10**400},40",
    ],
)  # fmt: skip
def test_all_else_is_refused(text: str) -> None:
    expected = "expected auto, full, a centre and a positive width such as 40,400, or ascending percentiles such as 1%"
    with pytest.raises(ConfigError, match=f"window '.*': {expected}"):
        Window.parse(text)


@given(centre=NUMBERS, width=NUMBERS.filter(lambda width: width > 0))
@settings(max_examples=60, deadline=None)
def test_given_windows_come_back(centre: object, width: object) -> None:
    window = Window.parse(f"{centre},{width}")
    assert window == Window("given", float(str(centre)), float(str(width)))
    low, high = window.bounds(np.zeros(1))
    assert high - low == pytest.approx(window.second)
    assert (low + high) / 2 == pytest.approx(window.first, abs=1e-6)


@given(shares=st.lists(st.decimals(0, 100, places=2), min_size=2, max_size=2, unique=True))
@settings(max_examples=60, deadline=None)
def test_percentiles_come_back(shares: list[object]) -> None:
    low, high = sorted(float(str(share)) for share in shares)
    assert Window.parse(f"{low}%,{high}%") == Window("percentiles", low, high)


@given(text=st.text(alphabet="0123456789.,%+- autofl", max_size=12))
@settings(max_examples=200, deadline=None)
def test_whatever_is_written_is_a_window_or_refused(text: str) -> None:
    try:
        window = Window.parse(text)
    except ConfigError:
        return
    if window.kind == "given":
        assert window.second > 0
    if window.kind == "percentiles":
        assert 0 <= window.first < window.second <= 100


def test_bounds_by_hand() -> None:
    values = np.array([[0.0, 10, 20], [30, 40, np.nan]])
    assert Window("full").bounds(values) == (0, 40)
    assert Window("percentiles", 25, 75).bounds(values) == (10, 30)
    assert Window("given", 40, 400).bounds(values) == (-160, 240)
    assert Window("full").bounds(np.array([np.nan, np.inf])) == (0, 1)
    assert Window("percentiles", 1, 99).bounds(np.array([np.nan])) == (0, 1)
    assert Window("full").bounds(np.array([-np.inf, 3, 5])) == (3, 5)


def test_grey_levels_by_hand() -> None:
    values = np.array([-10, 0, 25, 51, 102, 255, 300])
    assert_array_equal(grey_levels(values, 0, 255), [0, 0, 25, 51, 102, 255, 255])
    assert_array_equal(grey_levels(values, 0, 510), [0, 0, 12, 26, 51, 128, 150])
    assert_array_equal(grey_levels(np.array([5, 6, 7]), 6, 6), [0, 0, 0])
    assert_array_equal(grey_levels(np.array([np.nan, np.inf, -np.inf]), 0, 1), [0, 255, 0])
    assert grey_levels(values, 0, 255).dtype == np.uint8


@given(
    values=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=20),
    low=st.integers(-3000, 3000),
    width=st.integers(1, 5000),
)
@settings(max_examples=60, deadline=None)
def test_grey_levels_follow_the_order_of_values(values: list[int], low: int, width: int) -> None:
    ordered = np.sort(np.array(values, dtype=np.int16))
    levels = grey_levels(ordered, low, low + width)
    assert (np.diff(levels.astype(int)) >= 0).all()
    assert (levels[ordered <= low] == 0).all()
    assert (levels[ordered >= low + width] == 255).all()
