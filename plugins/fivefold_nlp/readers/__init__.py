"""Readers of texts: with labels, without, and as running text."""

from __future__ import annotations

from fivefold_nlp.readers.choose import read_labelled, read_unlabelled, recognise_labelled
from fivefold_nlp.readers.corpus import read_corpus, recognise_corpus
from fivefold_nlp.readers.options import Columns, ReadOptions

__all__ = [
    "Columns",
    "ReadOptions",
    "read_corpus",
    "read_labelled",
    "read_unlabelled",
    "recognise_corpus",
    "recognise_labelled",
]
