"""Settings of text generation: of its training, and of what `predict` writes."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from fivefold.config import OptimizerConfig, PipelineConfig, StrictModel
from fivefold.config.fields import Dropout, Encoding, SplitShares
from fivefold.config.kinds import refuse_fields_of_other_kinds

Kind = Literal["lstm", "gru", "gpt"]

FIELDS: dict[Kind, frozenset[str]] = {
    "lstm": frozenset({"embedding"}),
    "gru": frozenset({"embedding"}),
    "gpt": frozenset({"heads"}),
}
"""Which settings each kind of network has, beside those that all have."""
COMMON = frozenset({"layers", "hidden", "dropout"})


class ModelConfig(StrictModel):
    """The network."""

    kind: Kind = "lstm"
    """Architecture: an LSTM or GRU, which carries its state from piece to piece of the text, or a GPT, a causal
    transformer over a window of it."""
    layers: int = Field(1, ge=1)
    """Stacked layers, or blocks of a gpt."""
    hidden: int = Field(256, ge=2)
    """Width of the state, or of a gpt."""
    embedding: int | None = Field(None, ge=1)
    """Width of the token vectors of an lstm or gru; as wide as the state where not given."""
    heads: int | None = Field(None, ge=1)
    """Attention heads of a gpt (4)."""
    dropout: Dropout = 0.0

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> Self:
        refuse_fields_of_other_kinds(self, self.kind, FIELDS, COMMON)
        if self.kind == "gpt" and self.hidden % (2 * self.attention_heads):
            raise ValueError(
                f"'hidden' of a gpt must be an even multiple of its heads, found {self.hidden} for "
                f"{self.attention_heads}; choose {2 * self.attention_heads} times a whole number"
            )
        return self

    @property
    def attention_heads(self) -> int:
        """Heads of a gpt."""
        return self.heads or 4


class TokenizerConfig(StrictModel):
    """How texts become tokens."""

    kind: Literal["characters", "bytes", "bpe"] = "characters"
    """Characters, bytes of UTF-8, or byte-pair encoding, whose tokens are frequent parts of words."""
    size: int | None = Field(None, ge=300)
    """Most tokens of bpe (4096)."""

    @model_validator(mode="after")
    def _size_of_bpe(self) -> Self:
        if self.size is not None and self.kind != "bpe":
            raise ValueError(f"'size' is for the kind 'bpe', and found with '{self.kind}'; leave it away")
        return self


class GenerateConfig(PipelineConfig):
    """Text generation: texts, tokens, network, and how it is trained and judged."""

    reading: ClassVar[tuple[str, ...]] = ("encoding",)

    optimizer: OptimizerConfig = OptimizerConfig(lr=3e-3, clip_norm=1.0)
    encoding: Encoding = "utf-8"
    context: int = Field(64, ge=2)
    """Tokens of a training piece: as far as errors are led back in an lstm or gru, as far as a gpt sees."""
    stride: int | None = Field(None, ge=1)
    """Tokens that each evaluation window scores, the last of its context; half the context where not given.
    A smaller one gives every token more context and takes more time."""
    split: SplitShares = SplitShares(train=0.81, val=0.09)
    tokenizer: TokenizerConfig = TokenizerConfig()
    model: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _stride_within_context(self) -> Self:
        if self.stride is not None and self.stride > self.context:
            raise ValueError(
                f"'stride' must be at most the context of {self.context} tokens, found {self.stride}; lower it"
            )
        return self

    @property
    def scored(self) -> int:
        """Tokens that an evaluation window scores."""
        return self.stride or self.context // 2


class GenerateOptions(StrictModel):
    """What is written, and how its tokens are drawn."""

    prompt: str = "\n"
    """The text to go on from; inputs, where there are any, take its place, each file one prompt."""
    count: int = Field(1, ge=1)
    """Texts after each prompt."""
    length: int = Field(500, ge=1)
    """Tokens of each text."""
    temperature: float = Field(0.8, ge=0, le=10)
    """Below 1 the likely becomes likelier, above it the unlikely; 0 always takes the likeliest token."""
    top_k: int | None = Field(None, ge=1)
    """Draw from so many likeliest tokens only."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Draw from the fewest likeliest tokens only whose probabilities sum to this."""
    min_p: float | None = Field(None, gt=0, le=1)
    """Draw only from tokens at least this share as likely as the likeliest."""
    seed: int = Field(0, ge=0)
    """Of the draws: equal seeds write equal texts."""
    stop: str | None = Field(None, min_length=1)
    """A text at which writing ends; it is not part of what was written."""
    stream: bool = True
    """Show a single text while it is written."""
