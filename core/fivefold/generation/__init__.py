"""Generation: a trained language model writes on."""

from __future__ import annotations

from fivefold.generation.decoding import decode
from fivefold.generation.sampling import Sampling, pick
from fivefold.generation.writing import Written, row_seed, write

__all__ = ["Sampling", "Written", "decode", "pick", "row_seed", "write"]
