"""What is wrong with the words typed, in one sentence."""

from __future__ import annotations

from difflib import get_close_matches
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pydantic
from cyclopts import ArgumentCollection
from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from fivefold.config.sentences import Layer, sentence


def usage_sentence(error: CycloptsError) -> str:
    """The sentence for a parsing error, with the command that was typed and its help."""
    command = " ".join(["fivefold", *(error.command_chain or ())])
    problem = _problem(error)
    if problem.endswith("?"):
        return problem
    if command == "fivefold data check" and isinstance(error, UnknownOptionError):
        return f"{problem}; settings of a pipeline need its name beside them, as in --pipeline DOMAIN/TASK"
    return f"{problem}; '{command} --help' shows what it takes"


def _problem(error: CycloptsError) -> str:
    """What is wrong, for the errors that people meet; the parser's own words for the others."""
    if isinstance(error, UnknownOptionError):
        return _unknown_option(error.token.keyword or error.token.value, error.argument_collection)
    if isinstance(error, UnusedCliTokensError):
        words = error.unused_tokens or []
        return f"unexpected {'words' if len(words) > 1 else 'word'} {', '.join(repr(word) for word in words)}"
    return _wrong_value(error) or _joined(str(error))


def _wrong_value(error: CycloptsError) -> str | None:
    """A value that is missing, of another type, or refused by a model of a domain's own command."""
    cause = error.__cause__
    if isinstance(error, ValidationError) and isinstance(cause, pydantic.ValidationError):
        typed: object = None
        for part in reversed(cause.errors()[0]["loc"]):
            typed = {part: typed}
        return sentence(cause, pydantic.BaseModel, [Layer("", typed if isinstance(typed, dict) else {})])
    if error.argument is None:
        return None
    name = error.argument.name.lstrip("-").upper()
    if isinstance(error, CoercionError) and error.token is not None:
        label = f"option {error.token.keyword}" if error.token.keyword else name
        return f"{label}: expected {_expected(error.target_type)}, found {error.token.value!r}"
    if isinstance(error, MissingArgumentError):
        keyword = error.keyword or next(
            (token.keyword for token in error.argument.tokens if token.keyword), None
        )
        return f"option {keyword}: expected a value, found none" if keyword else f"{name} is missing"
    return None


def _joined(text: str) -> str:
    """Several sentences as one."""
    parts = " ".join(text.split()).rstrip(".").split(". ")
    return "; ".join(part[:1].lower() + part[1:] for part in parts)


def _expected(kind: Any) -> str:
    """What a type takes, for people."""
    if get_origin(kind) is Literal:
        *most, last = (str(choice) for choice in get_args(kind))
        return f"{', '.join(most)} or {last}" if most else last
    if get_origin(kind) in {Union, UnionType}:
        return " or ".join(_expected(each) for each in get_args(kind))
    return f"a value of type {getattr(kind, '__name__', kind)}"


def _unknown_option(typed: str, arguments: ArgumentCollection) -> str:
    """An unknown option, with the one that was probably meant."""
    known = [name for argument in arguments if argument.parse and argument.show for name in argument.names]
    close = get_close_matches(typed, [name for name in known if name.startswith("--")], n=1)
    return f"unknown option {typed}" + (f"; did you mean {close[0]}?" if close else "")
