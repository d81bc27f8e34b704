"""What is wrong with the words typed, in one sentence."""

from __future__ import annotations

from difflib import get_close_matches

import pydantic
from cyclopts import ArgumentCollection
from cyclopts.exceptions import (
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
    return problem if problem.endswith("?") else f"{problem}; '{command} --help' shows what it takes"


def _problem(error: CycloptsError) -> str:
    cause = error.__cause__
    if isinstance(error, ValidationError) and isinstance(cause, pydantic.ValidationError):
        first = cause.errors()[0]["loc"]
        typed: object = None
        for part in reversed(first):
            typed = {part: typed}
        values = typed if isinstance(typed, dict) else {}
        return sentence(cause, pydantic.BaseModel, [Layer("", values)])
    if isinstance(error, UnknownOptionError):
        return _unknown_option(error.token.keyword or error.token.value, error.argument_collection)
    if isinstance(error, UnusedCliTokensError):
        words = error.unused_tokens or []
        return f"unexpected {'words' if len(words) > 1 else 'word'} {', '.join(repr(word) for word in words)}"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.keyword or next(
            (token.keyword for token in error.argument.tokens if token.keyword), None
        )
        if name is None:
            return f"{error.argument.name.lstrip('-').upper()} is missing"
        return f"option {name}: expected a value, found none"
    return "; ".join(
        part[:1].lower() + part[1:] for part in " ".join(str(error).split()).rstrip(".").split(". ")
    )


def _unknown_option(typed: str, arguments: ArgumentCollection) -> str:
    """An unknown option, with the one that was probably meant."""
    known = [name for argument in arguments if argument.parse and argument.show for name in argument.names]
    close = get_close_matches(typed, [name for name in known if name.startswith("--")], n=1)
    return f"unknown option {typed}" + (f"; did you mean {close[0]}?" if close else "")
