"""Settings that pipelines of several domains have: one name, one meaning, one description.

A pipeline states its own default: ``fit: Fit = "pad"``. Settings that name columns are held against the data here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fivefold.config.models import StrictModel
from fivefold.errors import DataError

Channels = Annotated[
    Literal[1, 3] | None,
    Field(description="1 for grey, 3 for colour; as the images are where not given."),
]
Fit = Annotated[
    Literal["crop", "squash", "pad"],
    Field(
        description="What happens to other proportions: the longer side is cut or squashed, or the shorter padded."
    ),
]
Memory = Annotated[
    float,
    Field(
        ge=0,
        description="Decoded images that take up to so many GiB are held in memory; more are decoded when asked for.",
    ),
]
LabelSmoothing = Annotated[
    float, Field(ge=0, lt=1, description="Share of each label that is spread over all classes.")
]
ClassWeights = Annotated[
    bool, Field(description="Weigh the loss so that every class counts alike, however rare.")
]
Dropout = Annotated[float, Field(ge=0, lt=1, description="Share of features dropped while training.")]
Encoding = Annotated[str, Field(description="How text files are encoded.")]


class SplitShares(StrictModel):
    """How much of the data trains and validates, where the source has no splits of its own; the rest tests."""

    train: float = Field(0.8, gt=0, lt=1)
    """Share that trains, where the source has no splits of its own."""
    val: float = Field(0.1, gt=0, lt=1)
    """Share that validates; what training and validation leave tests."""

    @model_validator(mode="after")
    def _test_share(self) -> Self:
        if self.fractions[2] <= 0:
            raise ValueError(
                f"'train' and 'val' must leave a share for the test, found {self.train:g} and {self.val:g}; lower one"
            )
        return self

    @property
    def fractions(self) -> tuple[float, float, float]:
        """Shares of training, validation and test, which sum to 1."""
        return self.train, self.val, round(1 - self.train - self.val, 12)  # 0.1, where floats leave 0.0999...


def named_columns(columns: StrictModel, option: str = "--columns") -> dict[str, str]:
    """Columns that the user named, on the command line, in a file or in Python: option as typed to column.

    One that is named as it is called anyway is named, too. But settings that a run keeps, or the command ``config``
    writes, have every column: there a default is no wish. Settings that hold several columns are left out: what reads
    those says itself which of them is not there.

    Args:
        columns: settings, each the name of a column, or None, or several columns.
        option: under which they stand.
    """
    # Not type(), which a trial's settings, which note what is read of them, do not answer as their class does.
    fields = columns.__class__.model_fields
    written_out = columns.model_fields_set >= set(fields)
    return {
        f"{option}.{role.replace('_', '-')}": value
        for role, field in fields.items()
        for value in [getattr(columns, role)]
        if isinstance(value, str) and value and role in columns.model_fields_set
        if not (written_out and value == field.default)
    }


def require_named(where: object, names: Sequence[str], named: Mapping[str, str]) -> None:
    """Refuse a column that the user named and that is not there.

    To be called as soon as a table's columns are known, and only where a training's data are read: other data that a
    run is judged on need not have the columns of units or splits.

        require_named(file, column_names(file), named_columns(config.columns))
        require_named(file, names, {"--columns.time": "datum"})

    Args:
        where: the file.
        names: of its columns; where there are none, the file cannot be read, which reading it tells better.
        named: the option as it is typed to the column that it names.

    Raises:
        DataError: one of them is not there; the message has the option and the columns that there are.
    """
    for option, name in named.items():
        if names and name not in names:
            near = get_close_matches(name.lower(), [one.lower() for one in names], n=1)
            meant = [f"did you mean '{one}'? " for one in names if one.lower() in near]
            raise DataError(
                f"{where}: expected the column '{name}' that {option} names, found {', '.join(names)}; "
                f"{''.join(meant[:1])}correct {option}, or leave it away"
            )
