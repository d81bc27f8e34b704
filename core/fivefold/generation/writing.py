"""Texts instead of token numbers: prompts of any lengths, texts that stop, and text shown as it comes.

A token may hold a part of a character only, so text is handed on when its characters are whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fivefold.generation.decoding import decode as decode_rows
from fivefold.generation.sampling import Sampling
from fivefold.nn.language import LanguageNetwork

BROKEN = "\N{REPLACEMENT CHARACTER}"
"""Stands for bytes that are no character, or not yet one."""
LONGEST_WAIT = 4
"""Tokens that may wait for the rest of a character: one has four bytes at most."""


@dataclass(frozen=True)
class Written:
    """What was written after a prompt: its text, and of how many tokens it is made."""

    text: str
    tokens: int


class TextStream:
    """Tokens in, whole characters out, up to a stop text.

    Attributes:
        text: what was said so far, without the stop text.
        tokens: tokens taken in.
        done: whether the stop text came; further tokens are passed over.

    Args:
        decode: token numbers to text.
        stop: the text at which it ends; None for none.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stop: str | None = None) -> None:
        self.text = ""
        self.tokens = 0
        self.done = False
        self._decode = decode
        self._stop = stop or ""
        self._pending: list[int] = []
        self._told = 0

    def add(self, token: int) -> None:
        """Take in the next token."""
        if self.done:
            return
        self.tokens += 1
        self._pending.append(token)
        text = self._decode(self._pending)
        if not text.endswith(BROKEN) or len(self._pending) > LONGEST_WAIT:
            self._take(text)

    def end(self) -> None:
        """No more tokens come: what waited is taken as it is."""
        if self._pending and not self.done:
            self._take(self._decode(self._pending))
        self.done = True

    def fresh(self) -> str:
        """What can be shown since the last call; what may be the beginning of the stop text is held back."""
        held = 0 if self.done else max(0, len(self._stop) - 1)
        end = max(self._told, len(self.text) - held)
        text = self.text[self._told : end]
        self._told = end
        return text

    def _take(self, text: str) -> None:
        self._pending = []
        before = len(self.text)
        self.text += text
        if self._stop:
            place = self.text.find(self._stop, max(0, before - len(self._stop) + 1))
            if place >= 0:
                self.text, self.done = self.text[:place], True


def row_seed(seed: int, number: int) -> int:
    """The seed of the ``number``-th text after a prompt, below ``2 ** 63``."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def write(
    network: LanguageNetwork,
    prompts: Sequence[Sequence[int]],
    length: int,
    *,
    how: Sampling,
    seeds: Sequence[int],
    decode: Callable[[Sequence[int]], str],
    stop: str | None = None,
    banned: Sequence[int] = (),
    show: Callable[[str], None] | None = None,
) -> list[Written]:
    """Write on after each prompt.

    Prompts of equal length are written on together, others one after the other: nothing is padded, and a text is
    the same whatever stands beside it.

    Args:
        network: in evaluation mode.
        prompts: token numbers, one or more each; of a longer one than the network's `reach` the end is read.
        length: tokens to write after each, fewer where the stop text comes.
        how: the way tokens are drawn.
        seeds: one a prompt; equal seeds draw alike.
        decode: token numbers to text.
        stop: text at which a text ends; it is not part of it.
        banned: tokens that must not come.
        show: is given the text of the first prompt as it comes, in whole characters.
    """
    device = next(network.parameters()).device
    reads = [list(prompt[-network.reach :] if network.reach else prompt) for prompt in prompts]
    forbidden = torch.tensor(list(banned), dtype=torch.int64, device=device) if banned else None
    found: dict[int, Written] = {}
    for rows in _of_equal_length(reads):
        streams = [TextStream(decode, stop) for _ in rows]
        shown = show if 0 in rows else None
        watch = _watching(streams, shown) if stop or shown else None
        ids = decode_rows(
            network,
            torch.tensor([reads[row] for row in rows], dtype=torch.int64, device=device),
            length,
            how=how,
            seeds=[seeds[row] for row in rows],
            banned=forbidden,
            watch=watch,
        )
        if watch is None:
            texts = [Written(decode(row), len(row)) for row in ids.tolist()]
        else:
            texts = [_ended(stream) for stream in streams]
            if shown is not None:
                shown(streams[0].fresh())
        found.update(zip(rows, texts, strict=True))
    return [found[row] for row in range(len(prompts))]


def _watching(
    streams: Sequence[TextStream], show: Callable[[str], None] | None
) -> Callable[[list[int]], bool]:
    def watch(tokens: list[int]) -> bool:
        for stream, token in zip(streams, tokens, strict=True):
            stream.add(token)
        if show is not None:
            text = streams[0].fresh()
            if text:
                show(text)
        return all(stream.done for stream in streams)

    return watch


def _ended(stream: TextStream) -> Written:
    stream.end()
    return Written(stream.text, stream.tokens)


def _of_equal_length(prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    rows: dict[int, list[int]] = {}
    for row, prompt in enumerate(prompts):
        rows.setdefault(len(prompt), []).append(row)
    return list(rows.values())
