"""What a setting may be in a search, as people type it: ``1e-4:1e-1:log``, ``32,64,128``, ``0.01``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from fivefold.errors import ConfigError

Value = bool | int | float | str | None


@dataclass(frozen=True)
class Range:
    """Every number from ``low`` to ``high``, both included; whole numbers where both are of type int.

    Attributes:
        low: the least.
        high: the greatest.
        log: whether each order of magnitude is as likely as any other, instead of each number.
    """

    low: int | float
    high: int | float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (int, float)) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low}:{self.high}{':log' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of several values; with a single one the setting is held there and not searched."""

    values: tuple[Value, ...]

    def __contains__(self, value: object) -> bool:
        return any(type(value) is type(one) and value == one for one in self.values)

    def __str__(self) -> str:
        return ",".join(_text(value) for value in self.values)


Domain = Range | Choice


def split_expression(typed: str) -> tuple[str, str]:
    """Setting and domain of ``optimizer.lr=1e-4:1e-1:log``; dashes in names are read as underscores.

    Raises:
        ConfigError: there is no ``=``, or nothing on one side of it.
    """
    name, found, text = typed.partition("=")
    if not (found and name.strip() and text.strip()):
        raise ConfigError(
            f"--search {typed}: expected SETTING=DOMAIN such as optimizer.lr=1e-4:1e-1:log or "
            f"batch_size=32,64, found '{typed}'"
        )
    return name.strip().replace("-", "_"), text.strip()


def parse_domain(model: type[BaseModel], name: str, text: str, *, where: str) -> Domain:
    """The domain that ``text`` gives the setting ``name`` of ``model``.

    Args:
        model: the settings.
        name: a setting, nested ones with dots.
        text: ``LOW:HIGH``, ``LOW:HIGH:log``, or values separated by commas.
        where: what the message begins with, such as ``--search batch_size=1:2``.

    Raises:
        ConfigError: there is no such setting, the range is empty, or the values are not of its type.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(find_setting(model, name, where).rebuild_annotation())
    if ":" in text and "," not in text:
        return _range(adapter, text, where)
    values = tuple(_value(adapter, part.strip(), where) for part in text.split(","))
    twice = [value for place, value in enumerate(values) if value in Choice(values[:place])]
    if twice:
        raise ConfigError(f"{where}: expected different values, found {_text(twice[0])} twice; leave one out")
    return Choice(values)


def _range(adapter: TypeAdapter[Any], text: str, where: str) -> Range:
    low_text, high_text, *scale = (part.strip() for part in text.split(":"))
    if scale not in ([], ["log"]):
        raise ConfigError(f"{where}: expected LOW:HIGH or LOW:HIGH:log, found '{text}'")
    low, high = (_value(adapter, part, where) for part in (low_text, high_text))
    for value in (low, high):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ConfigError(
                f"{where}: expected finite numbers around the colon, found {_text(value)}; "
                "list values that are no numbers with commas"
            )
    if not low < high:
        raise ConfigError(f"{where}: expected a range from a smaller to a greater number, found an empty one")
    if scale and low <= 0:
        raise ConfigError(f"{where}: expected a logarithmic range above 0, found one that begins at {low}")
    return Range(low, high, bool(scale))


def _value(adapter: TypeAdapter[Any], text: str, where: str) -> Any:
    """``text`` as the setting's type."""
    candidates: Sequence[str | None] = (None, text) if text.lower() in {"none", "null"} else (text,)
    problem = ""
    for candidate in candidates:
        try:
            value = adapter.validate_python(candidate)
        except ValidationError as error:
            problem = _expected(error)
            continue
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        problem = "a setting with a single value"
    raise ConfigError(f"{where}: expected {problem}, found '{text}'")


def _expected(error: ValidationError) -> str:
    """What pydantic wanted instead, in a few words."""
    said = (details["msg"].partition(", unable to parse")[0] for details in error.errors(include_url=False))
    wanted = dict.fromkeys(text.removeprefix("Input should be ").removeprefix("a valid ") for text in said)
    return " or ".join(wanted).replace("boolean", "true or false")


def _text(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def find_setting(model: type[BaseModel], name: str, where: str) -> FieldInfo:
    """The field of the setting ``name``.

    Raises:
        ConfigError: there is none, or it is a group of settings; names those that come close.
    """
    field: FieldInfo | None = None
    inner: type[BaseModel] | None = model
    for part in name.split("."):
        field = None if inner is None else inner.model_fields.get(part)
        inner = None if field is None else group_of(field)
    known = list(setting_names(model))
    if field is None:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
        raise ConfigError(f"{where}: unknown setting '{name}'; {hint}")
    if inner is not None:
        members = ", ".join(each for each in known if each.startswith(f"{name}."))
        raise ConfigError(f"{where}: '{name}' is a group of settings, expected one of {members}")
    return field


def setting_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every setting of ``model``, nested ones with dots."""
    for name, field in model.model_fields.items():
        inner = group_of(field)
        if inner is None:
            yield f"{prefix}{name}"
        else:
            yield from setting_names(inner, f"{prefix}{name}.")


def group_of(field: FieldInfo) -> type[BaseModel] | None:
    """The settings model of a field that is a group of settings, else None."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
