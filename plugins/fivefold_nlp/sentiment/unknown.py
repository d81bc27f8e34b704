"""Tokens of texts to predict that training had none of: counted, and warned of where they are most of a text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from fivefold_nlp.sentiment.data import TextDataset
from fivefold_nlp.tokenizer import TextTokenizer

MOST = 0.5
"""Share of a text's tokens beyond which a prediction rests on too little."""

LOGGER = logging.getLogger("fivefold.nlp.sentiment")  # below that of fivefold, which is shown on stderr


def with_unknown(records: Sequence[dict[str, Any]], samples: TextDataset) -> list[dict[str, Any]]:
    """The records with ``unknown_tokens``, and a line in the log where they are more than `MOST` of some text.

    Tokenizers that know every text, as of byte pairs, leave the records as they are.

    Args:
        records: one a text.
        samples: the texts.
    """
    tokenizer = TextTokenizer.from_json(samples.facts.documents["tokenizer.json"])
    if tokenizer.unknown is None:
        return list(records)
    counts = samples.unknown(tokenizer).tolist()
    lengths = samples.lengths().tolist()
    strange = [row for row, count in enumerate(counts) if count > MOST * lengths[row]]
    if strange:
        first = strange[0]
        LOGGER.warning(
            "Note: %d of %d texts consist for more than half of tokens that training had none of, so that little of "
            "them was read (the first, %s: %d of %d); they may be of another language or domain",
            len(strange),
            len(records),
            records[first]["id"],
            counts[first],
            lengths[first],
        )
    return [{**record, "unknown_tokens": count} for record, count in zip(records, counts, strict=True)]
