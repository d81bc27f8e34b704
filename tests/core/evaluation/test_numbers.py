"""Numbers for people: alike within a sentence, no more digits than the interval bears out, tiny ones zero."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.evaluation.evaluation import Comparison, Estimate
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.numbers import decimals_for, number, number_range, told_values
from fivefold.evaluation.verdict import sentence

NAN = float("nan")
ERROR = Metric("MSE", lambda *_: 0.0, higher_is_better=False)
SHARE = Metric("accuracy", lambda *_: 0.0, style="percent")


@pytest.mark.parametrize(
    ("value", "low", "high", "printed"),
    [
        (0.931, 0.912, 0.950, ("0.931", "0.912 to 0.950")),
        (0.03, 9.63e-50, 0.06641, ("0.030", "0.000 to 0.066")),
        (1.409e-39, 9.723e-52, 4.544e-39, ("0", "0 to 0")),
        (0.002, 0.000169, 0.004, ("0.0020", "0.0002 to 0.0040")),
        (12345.6, 12000.0, 12700.0, ("12346", "12000 to 12700")),
        (0.5, NAN, NAN, ("0.500", "not determined")),
        (0.5, None, None, ("0.500", "not determined")),
        (None, None, None, ("not defined", "not determined")),
        (2.1e-9, 1.9e-9, 2.3e-9, ("2.1e-09", "1.9e-09 to 2.3e-09")),
        (2e9, 1e9, 3e9, ("2e+09", "1e+09 to 3e+09")),
    ],
)
def test_a_value_and_its_interval(value, low, high, printed):
    assert told_values(value, low, high, percent=False) == printed


def test_shares_name_their_unit_once():
    assert told_values(0.931, 0.912, 0.95, percent=True) == ("93.1 %", "91.2 to 95.0 %")
    assert SHARE.told(Estimate(1.0, 0.88, 1.0)) == ("100.0 %", "88.0 to 100.0 %")
    assert SHARE.told_difference(Estimate(0.089, 0.083, 0.095)) == ("+8.9 points", "+8.3 to +9.5 points")
    assert ERROR.told_difference(Estimate(0.0, NAN, NAN)) == ("+0", "not determined")


@pytest.mark.parametrize(
    ("model", "reference", "difference", "values", "change", "span"),
    [
        (
            0.005,
            0.000108,
            (0.0049, 0.00452, 0.00561),
            "0.0050 against 0.0001",
            "+0.0049",
            "+0.0045 to +0.0056",
        ),
        (0.4, 0.400149, (-0.000149, -0.004, 0.004), "0.4000 against 0.4001", "-0.0001", "-0.0040 to +0.0040"),
        (0.4, 0.4, (1.97e-46, -0.002, 0.002), "0.4000 against 0.4000", "+0.0000", "-0.0020 to +0.0020"),
        (0.35, 0.45, (-0.1, -0.2, -0.01), "0.350 against 0.450", "-0.100", "-0.200 to -0.010"),
    ],
)
def test_all_numbers_of_a_sentence_have_the_same_decimals(model, reference, difference, values, change, span):
    one = Comparison(
        "MSE",
        "last",
        Estimate(model, NAN, NAN),
        Estimate(reference, NAN, NAN),
        Estimate(*difference),
        "no evidence that it beats",
    )
    assert sentence(one, ERROR, 0.95) == (
        f"No evidence that it beats last: MSE {values}, difference {change} (95 % interval {span})"
    )


@settings(max_examples=200, deadline=None)
@given(st.floats(-100, 100), st.floats(1e-5, 50), st.floats(-100, 100))
def test_ends_that_differ_are_printed_so_and_on_their_side_of_zero(low, width, value):
    high = low + width
    decimals = decimals_for(low, high, value)
    assert decimals is not None
    first, second = (number(end, decimals=decimals) for end in (low, high))
    assert float(first) < float(second)
    # Two digits of the width: what is printed is off by a twentieth of it at most.
    assert abs(float(first) - low) <= max(0.05 * width, 0.5 * 10**-decimals) + 1e-9
    assert not first.startswith("-0." + "0" * decimals) or float(first) < 0
    assert number_range(low, high, value) == f"{first} to {second}"


@pytest.mark.parametrize(("low", "high"), [(NAN, NAN), (0.5, 0.5), (0.0, 1e-13), (-math.inf, 1.0)])
def test_without_a_width_each_number_is_printed_for_itself(low, high):
    assert decimals_for(low, high, 0.5) is None


@pytest.mark.parametrize(
    ("value", "sign", "printed"), [(1e-46, "", "0"), (1e-46, "+", "+0"), (-1e-46, "", "0"), (-0.0, "+", "+0")]
)
def test_what_is_almost_nothing_is_zero(value, sign, printed):
    assert number(value, sign) == printed


def test_rounding_leaves_no_negative_zero():
    assert number(-0.0001, decimals=2) == "0.00"
    assert number(-0.0001, "+", 2) == "+0.00"
