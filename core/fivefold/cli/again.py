"""The options of one command for another, as they were typed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence


def options_again(words: Sequence[str], data: str, own: Mapping[str, bool]) -> str:
    """The options among ``words``, quoted as shells need it; empty where none is left.

    Args:
        words: what was typed, without the words of the command.
        data: its argument that is no option, which is left out, once.
        own: options that the other command lacks or is given anew, with whether they take a value; left out.
    """
    kept: list[str] = []
    value_follows = False
    for word in words:
        name, _, value = word.partition("=")
        name = name.replace("_", "-")
        if value_follows:
            value_follows = False
        elif name in own:
            value_follows = own[name] and not value
        else:
            kept.append(word)
    if data in kept:
        kept.remove(data)
    return shlex.join(word for word in kept if word != "--")
