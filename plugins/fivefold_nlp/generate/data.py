"""Texts as windows of tokens.

A document is a run of tokens that begins with the padding token, which stands for its start: so each token of the
text is a target, the first one too. Training pieces follow each other without overlap (recurrent networks) or are
wider than the context, to be cropped at random (`RandomCrop`); evaluation windows overlap, and each token is scored
in exactly one of them, with at least context minus stride tokens before it where the text has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.labels import texts
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.tasks.language_model import UNSCORED
from fivefold_nlp.generate.passages import Part
from fivefold_nlp.tokenizer import TextTokenizer

Numbers = NDArray[np.int64]

BLOCK = 1000
"""Characters of a text that count as one independent unit."""
HELD = 2**28
"""Windows that take up to so many bytes are made once and held."""


@dataclass(frozen=True)
class Tokens:
    """Documents as one run of tokens.

    Attributes:
        run: of each document the padding token and its tokens, int32.
        base: where each document's padding token stands in the run.
        sizes: tokens of each document, without the padding token.
        bounds: of each document, before which of its characters each token stands, and last its length.
        parts: the documents.
        pad: the padding token.
    """

    run: NDArray[np.int32]
    base: Numbers
    sizes: Numbers
    bounds: list[Numbers]
    parts: Sequence[Part]
    pad: int

    @classmethod
    def encode(cls, parts: Sequence[Part], tokenizer: TextTokenizer) -> Tokens:
        """Tokens of ``parts``; one of which nothing is left is left out."""
        runs: list[NDArray[np.int32]] = [np.empty(0, dtype=np.int32)]
        bounds: list[Numbers] = []
        kept: list[Part] = []
        for part in parts:
            found = tokenizer.encode_long(part.text)
            if not len(found):
                continue
            kept.append(part)
            runs.append(np.concatenate([[tokenizer.pad], found.ids]).astype(np.int32))
            # Each character belongs to the first of its tokens (one may have several bytes), none to two.
            reached = np.maximum.accumulate(np.append(found.starts, len(part.text)))
            reached[:1] = 0
            bounds.append(reached)
        sizes = np.array([len(run) - 1 for run in runs[1:]], dtype=np.int64)
        base = np.concatenate([[0], np.cumsum(sizes + 1)])[:-1].astype(np.int64)
        return cls(np.concatenate(runs), base, sizes, bounds, kept, tokenizer.pad)


@dataclass(frozen=True)
class Places:
    """Where windows lie, ``N`` of them.

    Attributes:
        document: number of each window's document.
        begin: its first target among the document's tokens.
        count: targets that it has, at most its width; the rest is padding.
        skipped: how many of them come first and are not scored.
    """

    document: Numbers
    begin: Numbers
    count: Numbers
    skipped: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


class TextWindows(Dataset):
    """Windows of documents.

    Batches hold ``input`` and ``target``, int64 ``(B, width)``: the target is the token after the input's, -1 where
    it is not scored. For training of recurrent networks they hold ``position``, the pieces' numbers, with a gap
    between documents; for evaluation ``characters``, how many characters are scored.

    Attributes:
        documents: the texts.
        spans: of each window its document and the first and last but one character that it scores, ``(N, 3)``.

    Args:
        tokens: the documents.
        places: where the windows lie.
        width: tokens of each.
        facts: of the training split.
        carried: whether the windows are pieces across which a state is carried.
        judged: whether they are for evaluation.
    """

    def __init__(
        self,
        tokens: Tokens,
        places: Places,
        width: int,
        facts: Facts,
        *,
        carried: bool = False,
        judged: bool = False,
    ) -> None:
        self.documents: Sequence[str] = [part.text for part in tokens.parts]
        self._tokens = tokens
        self._places = places
        self._width = width
        self._facts = facts
        self._carried = carried
        self._judged = judged
        skipped = places.skipped if len(places.skipped) else np.zeros_like(places.begin)
        self._skipped = skipped
        ends = (places.begin + skipped, places.begin + places.count)
        self.spans = np.stack([places.document, *(self._characters(at) for at in ends)], axis=1)

    def __len__(self) -> int:
        return len(self._places.begin)

    def batch(self, indices: Tensor) -> Batch:
        """The windows at ``indices``, int64 ``(B,)``."""
        rows = indices.numpy()
        tokens, places = self._tokens, self._places
        first = tokens.base[places.document[rows]] + places.begin[rows]
        steps = np.arange(self._width + 1)
        run = tokens.run[np.minimum(first[:, None] + steps, len(tokens.run) - 1)].astype(np.int64)
        there = steps[:-1] < places.count[rows][:, None]
        scored = there & (steps[:-1] >= self._skipped[rows][:, None])
        found = {
            "input": torch.from_numpy(np.where(there, run[:, :-1], tokens.pad)),
            "target": torch.from_numpy(np.where(scored, run[:, 1:], UNSCORED)),
        }
        if self._carried:
            found["position"] = torch.from_numpy(rows + places.document[rows])
        if self._judged:
            spans = self.spans[rows]
            found["characters"] = torch.from_numpy((spans[:, 2] - spans[:, 1]).astype(np.float32))
        return found

    @property
    def facts(self) -> Facts:
        """Those of the training split."""
        return self._facts

    @property
    def ids(self) -> Array:
        """The document and the first character that each window scores, ``(N,)``."""
        parts = self._tokens.parts
        places = [(parts[document], start) for document, start, _ in self.spans.tolist()]
        return texts([f"{part.document} at character {part.start + start:,}" for part, start in places])

    @property
    def units(self) -> Array:
        """The block of about `BLOCK` characters that each window lies in, ``(N,)``: neighbours are alike."""
        document, start = self.spans[:, 0], self.spans[:, 1]
        blocks = document * (start.max(initial=0) // BLOCK + 1) + start // BLOCK
        return np.unique(blocks, return_inverse=True)[1].reshape(-1)

    def tensors(self) -> Batch | None:
        """All windows, where they take little memory."""
        small = len(self) * self._width * 16 <= HELD
        return self.batch(torch.arange(len(self))) if small else None

    def targets(self) -> None:
        """None: no single value a window."""
        return

    def order(self, samples_a_step: int) -> Tensor | None:
        """Pieces as so many parallel streams, each of which goes on in the next update; those left over come last."""
        if not self._carried:
            return None
        steps = len(self) // samples_a_step
        streams = torch.arange(samples_a_step * steps).view(samples_a_step, steps)
        return torch.cat([streams.T.flatten(), torch.arange(samples_a_step * steps, len(self))])

    def _characters(self, at: Numbers) -> Numbers:
        """Before which character of its document each token ``at`` stands."""
        bounds = self._tokens.bounds
        starts = np.concatenate([[0], np.cumsum([len(one) for one in bounds])])[:-1]
        return np.asarray(np.concatenate(bounds)[starts[self._places.document] + at], dtype=np.int64)


def pieces(tokens: Tokens, width: int) -> Places:
    """Documents cut into pieces, one after the other; the last of each may be shorter."""
    begins = [(np.arange(0, size, width), size) for size in tokens.sizes.tolist()]
    return _joined([(begin, np.minimum(width, size - begin)) for begin, size in begins])


def wide_windows(tokens: Tokens, width: int, step: int) -> Places:
    """Windows a step apart, the last of a document moved back so that it is whole."""
    found = []
    for size in tokens.sizes.tolist():
        last = max(0, size - width)
        begin = np.unique(np.minimum(np.arange(0, last + step, step), last))
        found.append((begin, np.minimum(width, size - begin)))
    return _joined(found)


def evaluation_windows(tokens: Tokens, context: int, stride: int) -> Places:
    """Windows of ``context`` tokens that each score their last ``stride``; the first of a document scores all."""
    found, skipped = [], []
    for size in tokens.sizes.tolist():
        scored = np.concatenate([[0], np.arange(min(context, size), size, stride)])
        ends = np.append(scored[1:], size)
        begin = np.maximum(0, ends - context)
        found.append((begin, ends - begin))
        skipped.append(scored - begin)
    places = _joined(found)
    return Places(places.document, places.begin, places.count, np.concatenate(skipped))


def require_tokens(tokens: Tokens, least: int, source: str) -> None:
    """Refuse texts that are too short.

    Args:
        tokens: the texts.
        least: tokens that they must have: a whole piece to learn from, one to judge.
        source: for the message.

    Raises:
        DataError: there are fewer.
    """
    found = int(tokens.sizes.sum())
    if found < least:
        raise DataError(
            f"{source}: expected a training split of at least {least} tokens, a whole piece, found {found}; "
            "add text, or lower --context"
            if least > 1
            else f"{source}: expected text to judge the model on, found none; add text"
        )


def _joined(found: Sequence[tuple[Numbers, Numbers]]) -> Places:
    document = np.repeat(np.arange(len(found)), [len(begin) for begin, _ in found])
    begins, counts = zip(*found, strict=True)
    return Places(document, np.concatenate(begins), np.concatenate(counts))


class RandomCrop:
    """Crops training windows to ``width`` tokens at a random place, so that a network does not learn their borders."""

    def __init__(self, width: int) -> None:
        self.width = width

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Crop ``input`` and ``target``, ``(B, W)``, each row at a place of its own."""
        rows, wide = batch["input"].shape
        device = batch["input"].device
        start = torch.randint(wide - self.width + 1, (rows, 1), generator=generator, device=device)
        places = start + torch.arange(self.width, device=device)
        cropped = {name: batch[name].gather(1, places) for name in ("input", "target")}
        return {**batch, **cropped}
