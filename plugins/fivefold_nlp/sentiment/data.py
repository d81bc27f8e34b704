"""Texts as samples: token numbers of uneven length, padded a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Facts, TableDataset
from fivefold.data.table import Table
from fivefold_nlp.tokenizer import Encoded, TextTokenizer


class TextDataset(TableDataset):
    """The texts of one split.

    A batch holds ``input``, int64 ``(B, T)``, padded at the end; ``lengths``, int64 ``(B,)``; and where the
    table has labels ``target``: class codes int64 ``(B,)``, or ratings float32 ``(B,)``.

    Attributes:
        texts: as they were read.
        encoded: their tokens, cut off after ``longest``.
        full_lengths: tokens before that, int64 ``(N,)``.
        longest: tokens that are kept.

    Args:
        table: with a column ``text``.
        tokenizer: of the run.
        longest: tokens that are kept.
        facts: of the training split.
    """

    def __init__(self, table: Table, tokenizer: TextTokenizer, longest: int, facts: Facts) -> None:
        super().__init__(table, facts)
        self.texts: Sequence[str] = [str(text) for text in table["text"]]
        whole = tokenizer.encode(self.texts)
        self.full_lengths: NDArray[np.int64] = np.array([len(text) for text in whole], dtype=np.int64)
        self.encoded = [_never_empty(text.first(longest), tokenizer) for text in whole]
        self.longest = longest
        self._lengths = torch.tensor([len(text) for text in self.encoded], dtype=torch.int64)
        self._pad = tokenizer.pad

    def batch(self, indices: Tensor) -> Batch:
        """The texts at ``indices``, int64 ``(B,)``, padded to the longest of them."""
        lengths = self._lengths[indices]
        ids = np.full((len(indices), int(lengths.max())), self._pad, dtype=np.int64)
        for row, index in enumerate(indices.tolist()):
            own = self.encoded[index].ids
            ids[row, : len(own)] = own
        batch = {"input": torch.from_numpy(ids), "lengths": lengths}
        return batch if self._target is None else {**batch, "target": self._target[indices]}

    @property
    def cut_off(self) -> int:
        """How many texts have more tokens than are kept."""
        return int((self.full_lengths > self.longest).sum())

    def unknown(self, tokenizer: TextTokenizer) -> NDArray[np.int64]:
        """How many of the tokens that are kept were not seen in training, int64 ``(N,)``."""
        return np.array([(text.ids == tokenizer.unknown).sum() for text in self.encoded], dtype=np.int64)

    def lengths(self) -> Tensor:
        """Tokens of each text, int64 ``(N,)``."""
        return self._lengths


def text_facts(table: Table, tokenizer: TextTokenizer) -> Facts:
    """What the network must know of a training split; the tokenizer comes along as a document.

    Args:
        table: the training split.
        tokenizer: trained on it, or the encoder's own.
    """
    facts = Facts(
        classes=list(table.classes),
        vocabulary=tokenizer.size,
        pad=tokenizer.pad,
        documents={"tokenizer.json": tokenizer.to_json()},
    )
    if table.classes and table.label is not None:
        facts["class_counts"] = np.bincount(table[table.label], minlength=len(table.classes)).tolist()
    if table.group is not None:
        facts["unit"] = table.group
    return facts


def _never_empty(text: Encoded, tokenizer: TextTokenizer) -> Encoded:
    """A text of which the tokenizer leaves nothing (control characters) is one unknown token."""
    if len(text):
        return text
    number = tokenizer.pad if tokenizer.unknown is None else tokenizer.unknown
    nowhere = np.zeros(1, dtype=np.int64)
    return Encoded(np.array([number], dtype=np.int64), nowhere, nowhere)
