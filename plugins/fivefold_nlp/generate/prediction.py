"""Prompts to records of written texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from fivefold.generation import Sampling, row_seed, write
from fivefold.nn.language import LanguageNetwork
from fivefold.prediction import Request
from fivefold_nlp.generate.config import GenerateOptions
from fivefold_nlp.tokenizer import TextTokenizer

OWN = "prompt"
"""Name of the prompt that is given as an option."""


def write_records(
    network: LanguageNetwork,
    tokenizer: TextTokenizer,
    prompts: Sequence[tuple[str, str]],
    request: Request,
) -> list[dict[str, Any]]:
    """``{"id", "prompt", "text", "tokens"}`` for each text, prompt after prompt.

    A prompt's first text depends on the prompt and the seed alone, its second on those and that it is the second:
    other prompts beside it change nothing. A single text is shown while it is written.

    Args:
        network: trained, in evaluation mode.
        tokenizer: the run's.
        prompts: names and texts; empty for the prompt among the options.
        request: with `GenerateOptions`.
    """
    options = cast(GenerateOptions, request.options)
    named = list(prompts) or [(OWN, options.prompt)]
    rows = [(name, prompt, number) for name, prompt in named for number in range(options.count)]
    ids = {prompt: prompt_ids(tokenizer, prompt) for _, prompt in named}
    live = request.show if options.stream and len(rows) == 1 else None
    if live is not None:
        live(rows[0][1].lstrip("\n"))
    written = write(
        network,
        [ids[prompt] for _, prompt, _ in rows],
        options.length,
        how=Sampling(options.temperature, options.top_k, options.top_p, options.min_p),
        seeds=[row_seed(options.seed, number) for _, _, number in rows],
        decode=tokenizer.decode,
        stop=options.stop,
        banned=banned(tokenizer),
        show=live,
    )
    if live is not None:
        live("\n")
    return [
        {
            "id": name if options.count == 1 else f"{name} #{number + 1}",
            "prompt": prompt,
            "text": text.text,
            "tokens": text.tokens,
        }
        for (name, prompt, number), text in zip(rows, written, strict=True)
    ]


def prompt_ids(tokenizer: TextTokenizer, prompt: str) -> list[int]:
    """A prompt as tokens, begun as a document is: by the padding token."""
    return [tokenizer.pad, *tokenizer.encode_long(prompt).ids.tolist()]


def banned(tokenizer: TextTokenizer) -> list[int]:
    """Tokens that are no text."""
    return [number for number in (tokenizer.pad, tokenizer.unknown) if number is not None]
