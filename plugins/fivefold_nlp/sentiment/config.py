"""Settings of sentiment analysis."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from fivefold.config import PipelineConfig, StrictModel
from fivefold.config.fields import ClassWeights, Dropout, Encoding, LabelSmoothing, SplitShares
from fivefold.config.kinds import refuse_fields_of_other_kinds
from fivefold_nlp.readers.options import ColumnsConfig

ModelKind = Literal["lstm", "gru", "cnn", "transformer", "huggingface"]

FIELDS: dict[ModelKind, frozenset[str]] = {
    "lstm": frozenset({"embedding", "hidden", "layers"}),
    "gru": frozenset({"embedding", "hidden", "layers"}),
    "cnn": frozenset({"embedding", "hidden"}),
    "transformer": frozenset({"hidden", "layers", "heads"}),
    "huggingface": frozenset({"name", "freeze", "frozen_layers", "pooling"}),
}
"""Which settings each kind of network has, beside dropout."""


class ModelConfig(StrictModel):
    """The network."""

    kind: ModelKind = "lstm"
    """Architecture: a bidirectional LSTM or GRU with attention pooling, a CNN over words (Kim 2014), a
    transformer encoder, each trained from nothing, or an encoder of the Hugging Face hub that is fine-tuned."""
    embedding: int | None = Field(None, ge=1)
    """Width of the token vectors of an lstm, gru or cnn (128)."""
    hidden: int | None = Field(None, ge=1)
    """Width of an lstm or gru in each direction (128) or a transformer (128), or filters of each width of a
    cnn (100)."""
    layers: int | None = Field(None, ge=1)
    """Layers of an lstm or gru (1) or a transformer (2)."""
    heads: int | None = Field(None, ge=1)
    """Attention heads of a transformer (4)."""
    dropout: Dropout = 0.3
    name: str | None = None
    """Of a huggingface encoder: ``minilm-l6`` (through the package index), a hub name, or a local folder."""
    freeze: bool | None = None
    """Train the last layer of huggingface only (no)."""
    frozen_layers: int | None = Field(None, ge=0)
    """How many of the lowest layers of a huggingface encoder stay as they are, with its token vectors; where
    not given, all are trained."""
    pooling: Literal["mean", "first"] | None = None
    """How a huggingface encoder's tokens become one vector: their mean, or the first (mean)."""

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> Self:
        refuse_fields_of_other_kinds(self, self.kind, FIELDS, common=("dropout",))
        if self.kind == "huggingface" and not self.name:
            raise ValueError("the kind 'huggingface' needs 'name': minilm-l6, a hub name or a local folder")
        if self.freeze and self.frozen_layers is not None:
            raise ValueError("expected 'freeze' or 'frozen_layers', found both; leave one of them away")
        return self


class TokenizerConfig(StrictModel):
    """How texts become tokens; a huggingface encoder brings its own tokenizer."""

    kind: Literal["words", "bpe", "characters"] | None = None
    """Lower-case words and punctuation (where not given), byte pairs (every text has tokens), or characters; a
    huggingface encoder has its own tokens."""
    size: int | None = Field(None, ge=300)
    """Most tokens of words or bpe (20000)."""

    @model_validator(mode="after")
    def _size_of_words_and_bpe(self) -> Self:
        if self.size is not None and self.kind == "characters":
            raise ValueError(
                "'size' is for the kinds 'words' and 'bpe', and found with 'characters'; leave it away"
            )
        return self


class SentimentConfig(PipelineConfig):
    """Sentiment analysis: texts, tokens, network, and how it is trained and judged."""

    reading: ClassVar[tuple[str, ...]] = ("columns", "encoding", "most_characters")

    task: Literal["classes", "ratings"] = "classes"
    """What labels are: names of classes, or ratings, numbers that are predicted as such."""
    encoding: Encoding = "utf-8"
    longest: int = Field(256, ge=4)
    """Tokens of a text that are read; what comes behind is cut off, counted and reported."""
    most_characters: int = Field(1_000_000, ge=1)
    """Longest text that is taken for one; a longer one is refused."""
    max_bad_share: float = Field(0.0, ge=0, lt=1)
    """Share of texts that may be blank, or without a label or time; they are left out and listed. More are an error."""
    columns: ColumnsConfig = ColumnsConfig()
    split: SplitShares = SplitShares()
    tokenizer: TokenizerConfig = TokenizerConfig()
    model: ModelConfig = ModelConfig()
    label_smoothing: LabelSmoothing = 0.0
    class_weights: ClassWeights = False

    @model_validator(mode="after")
    def _tokenizer_of_the_network(self) -> Self:
        for name in TokenizerConfig.model_fields:
            if self.model.kind == "huggingface" and getattr(self.tokenizer, name) is not None:
                raise ValueError(
                    f"'tokenizer.{name}' does not apply to the model kind 'huggingface', which has its own tokenizer; "
                    "leave it away"
                )
        return self

    @model_validator(mode="after")
    def _settings_of_classes(self) -> Self:
        if self.task == "ratings" and (self.class_weights or self.label_smoothing):
            raise ValueError(
                "'class_weights' and 'label_smoothing' are for classes; leave them away with the task 'ratings'"
            )
        return self
