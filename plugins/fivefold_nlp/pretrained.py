"""The tokenizer that belongs to a model of the Hugging Face hub, as the library `tokenizers` holds it."""

from __future__ import annotations

from pathlib import Path

from fivefold.errors import DataError
from fivefold_nlp.tokenizer import TextTokenizer


def load_tokenizer(place: str | Path) -> TextTokenizer:
    """The tokenizer of the model at ``place``: its ``tokenizer.json``, else made from its vocabulary.

    Args:
        place: a folder, or a name on the hub.

    Raises:
        DataError: there is none that can be read.
    """
    file = Path(place) / "tokenizer.json"
    if file.is_file():
        return TextTokenizer.from_json(file.read_text(encoding="utf-8"))
    from transformers import AutoTokenizer  # noqa: PLC0415 - takes seconds

    try:
        fast = AutoTokenizer.from_pretrained(str(place), trust_remote_code=False)
        return TextTokenizer.from_json(fast.backend_tokenizer.to_str())
    except (OSError, ValueError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split()).partition(". ")[0]
        raise DataError(
            f"{place}: expected a tokenizer beside the model, found none that can be read ({reason}); "
            "give a folder with tokenizer.json, or a hub name that has one"
        ) from error
