"""What is wrong with a setting, in one sentence: where it was set, what was expected, what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]


@dataclass(frozen=True)
class Layer:
    """Settings of one origin; ``origin`` is a file, ``preset 'x'``, or empty for options."""

    origin: str
    values: Mapping[str, Any]


def sentence(error: ValidationError, model: type[BaseModel], layers: Sequence[Layer] = ()) -> str:
    """The first thing that pydantic found wrong, for people, and how many more there are."""
    details = error.errors(include_url=False)
    first = details[0]
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return f"{_where(first['loc'], layers)}{_what(first, model)}{more}"


def _where(location: Location, layers: Sequence[Layer]) -> str:
    """Where the offending key was set: the last layer that has it."""
    key = ".".join(str(part) for part in location)
    if not key:
        return "settings: "
    for layer in reversed(layers):
        if _contains(layer.values, location):
            return f"{layer.origin}, key '{key}': " if layer.origin else f"option --{option(location)}: "
    return f"setting '{key}': "


def option(location: Location) -> str:
    """``optimizer.weight-decay``, as people type it."""
    return ".".join(str(part) for part in location).replace("_", "-")


def _contains(values: Any, location: Location) -> bool:
    """Whether ``values`` set the key at ``location``, in which pydantic may have put tags of unions."""
    for position, part in enumerate(location):
        if not isinstance(values, Mapping):
            return True
        if part in values:
            values = values[part]
        elif position in {0, len(location) - 1}:
            return False
    return True


def _what(details: ErrorDetails, model: type[BaseModel]) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        return _unknown(details["loc"], model)
    if kind == "missing":
        return "missing; give it a value"
    if kind in {"value_error", "assertion_error"}:
        return str(details.get("ctx", {}).get("error", details["msg"]))
    expected = details["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    expected = expected.partition(", unable to parse")[0].replace("boolean", "true or false")
    if kind.startswith(("greater_than", "less_than")):
        expected = f"a number {expected}"
    return f"expected {expected}, found {details['input']!r}"


def _unknown(location: Location, model: type[BaseModel]) -> str:
    """An unknown key, with the close match among its neighbours, or all of them."""
    name = str(location[-1])
    known = list(_fields(model, location[:-1]))
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
    return f"unknown key; {hint}" if known else "unknown key"


def _fields(model: type[BaseModel], location: Location) -> Iterator[str]:
    """Names of the fields at ``location``."""
    models = [model]
    for part in location:
        inner = [child for each in models if part in each.model_fields for child in _models(each, str(part))]
        models = inner or models
    for each in models:
        yield from each.model_fields


def _models(model: type[BaseModel], field: str) -> Iterator[type[BaseModel]]:
    """The settings models that a field can hold."""
    pending = [model.model_fields[field].annotation]
    while pending:
        annotation = pending.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        else:
            pending.extend(get_args(annotation))
