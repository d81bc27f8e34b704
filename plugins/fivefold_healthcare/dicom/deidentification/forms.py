"""Forms of values in PS3.5 section 6.2: which texts are dates, ages or UIDs at all, and dates moved by days."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

_FORMS: Final = {
    "AS": re.compile(r"\d{3}[DWMY]"),
    "DA": re.compile(r"\d{8}|\d{4}\.\d{2}\.\d{2}"),
    "TM": re.compile(r"\d{2}(:?\d{2}(:?\d{2}(\.\d{1,6})?)?)?"),
    "DT": re.compile(r"\d{4}(\d{2}){0,5}(\.\d{1,6})?([+-]\d{4})?"),
    "UI": re.compile(r"[0-9.]{1,64}"),
}
_BEFORE_DICOM: Final = re.compile(r"\d{4}\.\d{2}\.\d{2}")  # ACR-NEMA's form, such as 1993.08.22
_START: Final = re.compile(r"(\d{4})(\d{2})?(\d{2})?([^+-]*)")


def is_valid(value: str, representation: str) -> bool:
    """Whether ``value`` is what its representation says; other text can hide only where any text is allowed."""
    form = _FORMS.get(representation)
    return form is None or form.fullmatch(value.strip(" \0")) is not None


def shifted(value: str, days: int) -> str:
    """A date (DA) or date with time (DT) moved by ``days``, as precise as it was, without its time zone.

    A value without month or day counts as the first of it.

    Raises:
        ValueError: it is not in the calendar, before or after it is moved.
    """
    text = value.strip(" \0")
    match = _START.match(text.replace(".", "") if _BEFORE_DICOM.fullmatch(text) else text)
    if match is None:
        raise ValueError("expected a date that begins with a year of four digits")
    year, month, day, rest = match.groups()
    try:
        moved = date(int(year), int(month or 1), int(day or 1)) + timedelta(days=days)
    except OverflowError as error:
        raise ValueError("expected a date of the calendar") from error
    length = 4 + 2 * (month is not None) + 2 * (day is not None)
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"[:length] + rest
