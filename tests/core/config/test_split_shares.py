"""Shares of the splits, as settings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.config import StrictModel, resolve
from fivefold.config.fields import SplitShares
from fivefold.data.splits import FRACTIONS
from fivefold.errors import ConfigError


class Settings(StrictModel):
    """Settings with shares of their own."""

    split: SplitShares = SplitShares(train=0.6, val=0.2)


def test_the_usual_shares_are_those_of_splits_to_the_last_bit() -> None:
    assert SplitShares().fractions == FRACTIONS


@given(st.integers(1, 98), st.integers(1, 98))
def test_what_training_and_validation_leave_tests(train: int, val: int) -> None:
    if train + val >= 100:
        with pytest.raises(ValueError, match="must leave a share for the test"):
            SplitShares(train=train / 100, val=val / 100)
    else:
        fractions = SplitShares(train=train / 100, val=val / 100).fractions
        assert fractions == (train / 100, val / 100, (100 - train - val) / 100)


def test_one_share_alone_leaves_the_other_as_the_pipeline_has_it() -> None:
    shares = resolve(Settings, options={"split": {"val": 0.1}}).split
    assert shares.fractions == (0.6, 0.1, 0.3)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"val": 0.4}, "'train' and 'val' must leave a share for the test, found 0.6 and 0.4; lower one"),
        ({"val": 0}, "option --split.val: expected a number greater than 0, found 0"),
        ({"train": 1}, "option --split.train: expected a number less than 1, found 1"),
        ({"test": 0.2}, "option --split.test: unknown key"),
    ],
)
def test_shares_that_cannot_be(split: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(Settings, options={"split": split})
    assert said in str(caught.value)
