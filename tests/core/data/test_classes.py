"""Labels that teach nothing are refused."""

from __future__ import annotations

import numpy as np
import pytest

from fivefold.data.classes import require_two_classes
from fivefold.data.table import Table
from fivefold.errors import DataError


def labelled(*codes: int) -> Table:
    columns = {"kind": np.array(codes, dtype=np.int64)}
    return Table(columns, source="pets.csv", label="kind", classes=("cat", "dog", "owl"))


@pytest.mark.parametrize(
    ("codes", "found"), [((), "none"), ((1,), "only 'dog'; add another class"), ((2, 2), "only 'owl'")]
)
def test_one_class_is_refused(codes: tuple[int, ...], found: str) -> None:
    with pytest.raises(DataError, match=rf"pets\.csv: expected photos of two classes or more, found {found}"):
        require_two_classes(labelled(*codes), "photos")


def test_two_classes_of_three_teach_something() -> None:
    require_two_classes(labelled(0, 2, 2), "photos")
