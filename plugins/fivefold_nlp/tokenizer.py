"""Tokenizers: trained on the training split by the library `tokenizers`, kept in the run as ``tokenizer.json``.

Every kind gives back where in the text each token stood, so that explanations can mark what the user wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from fivefold.errors import DataError

Kind = Literal["characters", "bytes", "bpe", "words"]

PAD, UNKNOWN = "[PAD]", "[UNK]"
_CHARACTER = Regex(r"(?m:.)")  # in the library's dialect, m lets the dot match line breaks
_MOST_CHARACTERS = 0x110000
_PIECE = 65_536
"""Characters encoded at once: the library keeps some hundred bytes a token while it works."""


@dataclass(frozen=True)
class Encoded:
    """A text as tokens.

    Attributes:
        ids: int64 ``(T,)``.
        starts: where in the text each token begins, in characters, int64 ``(T,)``.
        ends: where it ends, likewise.
    """

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def first(self, count: int) -> Encoded:
        """The first ``count`` tokens; a closing token that stands for no text ([SEP]) stays the last."""
        if len(self) <= count:
            return self
        places = np.arange(count)
        if self.starts[-1] == self.ends[-1]:
            places[-1] = len(self) - 1
        return Encoded(self.ids[places], self.starts[places], self.ends[places])


class TextTokenizer:
    """Text to token numbers and back.

    Attributes:
        size: different tokens, padding included.
        pad: number of the padding token.
        unknown: number that stands for what was not seen in training; None where every text has tokens (bytes).
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.size = int(tokenizer.get_vocab_size(with_added_tokens=True))
        pad = _first_known(tokenizer, (PAD, "<pad>", "<|endoftext|>"))
        self.pad = 0 if pad is None else pad
        self.unknown = _first_known(tokenizer, (UNKNOWN, "<unk>"))

    @property
    def lower_cases(self) -> bool:
        """Whether upper and lower case make no difference to the tokens."""
        normalizer = self._tokenizer.normalizer
        return normalizer is not None and normalizer.normalize_str("A") == normalizer.normalize_str("a")

    @classmethod
    def train(cls, kind: Kind, texts: Iterable[str], size: int = 8192) -> Self:
        """Learn the tokens of ``texts``.

        Args:
            kind: ``characters`` as they stand; ``bytes`` of UTF-8; ``bpe``, byte-pair encoding of bytes
                (Sennrich et al. 2016; Radford et al. 2019), which leaves no text unknown; ``words`` in lower
                case and punctuation, the commonest ones.
            texts: the training split.
            size: most tokens, of bpe and words.

        Raises:
            DataError: bpe or words find nothing to learn from.
        """
        tokenizer, trainer = _untrained(kind, size)
        if trainer is None:
            return cls(tokenizer)
        tokenizer.train_from_iterator(_pieces(texts), trainer)
        found = cls(tokenizer)
        if found.size <= len((PAD, UNKNOWN)):
            raise DataError("the training texts hold no token to learn; expected letters, found none")
        return found

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The tokenizer that `to_json` wrote, or a ``tokenizer.json`` of the Hugging Face hub.

        Raises:
            DataError: it is none.
        """
        try:
            return cls(Tokenizer.from_str(text))
        except Exception as error:  # the library raises bare exceptions
            raise DataError(
                f"expected a tokenizer as the library tokenizers writes it, found something else ({error}); "
                "give the tokenizer.json that belongs to the model"
            ) from error

    def to_json(self) -> str:
        """All of it, as text."""
        return str(self._tokenizer.to_str())

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Each text as tokens, with the special tokens that a pretrained model expects around them."""
        return [
            Encoded(np.array(found.ids, dtype=np.int64), *_offsets(found.offsets))
            for found in self._tokenizer.encode_batch(list(texts))
        ]

    def encode_long(self, text: str) -> Encoded:
        """One long text as tokens, piece by piece at line breaks, so that memory stays bounded."""
        parts: list[Encoded] = []
        done = 0
        for piece in _pieces([text]):
            (found,) = self.encode([piece])
            parts.append(Encoded(found.ids, found.starts + done, found.ends + done))
            done += len(piece)
        empty = np.empty(0, dtype=np.int64)
        if not parts:
            return Encoded(empty, empty, empty)
        return Encoded(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("ids", "starts", "ends"))
        )

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ``ids``, without special tokens."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def token(self, number: int) -> str:
        """The token as the vocabulary writes it.

        Raises:
            DataError: there is none of that number.
        """
        found = self._tokenizer.id_to_token(number)
        if found is None:
            raise DataError(f"expected a token's number below {self.size}, found {number}")
        return str(found)


def _untrained(kind: Kind, size: int) -> tuple[Tokenizer, trainers.Trainer | None]:
    special = [PAD, UNKNOWN]
    if kind == "characters":
        tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(_CHARACTER, "isolated")
        tokenizer.decoder = decoders.Fuse()
        return tokenizer, trainers.WordLevelTrainer(
            vocab_size=_MOST_CHARACTERS, special_tokens=special, show_progress=False
        )
    if kind == "words":
        tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        return tokenizer, trainers.WordLevelTrainer(
            vocab_size=size, special_tokens=special, show_progress=False
        )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if kind == "bytes":
        tokenizer = Tokenizer(
            models.BPE({PAD: 0} | {byte: 1 + number for number, byte in enumerate(alphabet)}, [])
        )
    else:
        tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if kind == "bytes":
        tokenizer.add_special_tokens([PAD])
        return tokenizer, None
    return tokenizer, trainers.BpeTrainer(
        vocab_size=size, special_tokens=[PAD], initial_alphabet=alphabet, show_progress=False
    )


def _first_known(tokenizer: Tokenizer, names: Sequence[str]) -> int | None:
    numbers = (tokenizer.token_to_id(name) for name in names)
    return next((int(number) for number in numbers if number is not None), None)


def _offsets(offsets: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    pairs = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """Long texts in pieces that end at a line break where there is one, none of which splits a word of a line."""
    for text in texts:
        start = 0
        while len(text) - start > _PIECE:
            cut = text.rfind("\n", start, start + _PIECE) + 1
            end = cut if cut > start else start + _PIECE
            yield text[start:end]
            start = end
        if start < len(text):
            yield text[start:]
