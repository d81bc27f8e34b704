"""Networks that read a sequence of tokens and give one vector of outputs: logits of classes, or numbers.

Each is cut in two at its token vectors, so that explanations can ask how the outputs depend on them. Padding
changes nothing: a sequence alone and in a batch with longer ones gives the same outputs.
Shapes: ``B`` batch, ``T`` time, ``E`` width of token vectors, ``F`` features, ``K`` outputs.
"""

from __future__ import annotations

from typing import Literal, Self

import torch
from torch import Tensor, nn

from fivefold.errors import ConfigError
from fivefold.nn.backbone import Backbone
from fivefold.nn.freezing import freeze_lowest, frozen_modules
from fivefold.nn.recurrent import RecurrentEncoder
from fivefold.nn.sequence_pooling import AttentionPooling, length_mask, mean_over_steps
from fivefold.nn.transformer import TransformerEncoder

__all__ = [
    "BackboneClassifier",
    "ConvolutionalClassifier",
    "RecurrentClassifier",
    "SequenceNetwork",
    "TransformerClassifier",
    "length_mask",
]

_SPREAD = 0.1
"""Standard deviation of fresh token vectors, near that of Kim 2014; torch's 1 drowns what is learned of rare ones."""


class SequenceNetwork(nn.Module):
    """Token numbers of sequences of unequal length to outputs: ``(B, T)`` and ``(B,)`` to ``(B, K)``."""

    def embed(self, ids: Tensor) -> Tensor:
        """Token numbers, int64 ``(B, T)``, to their vectors ``(B, T, E)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no embed")

    def from_embeddings(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Vectors ``(B, T, E)`` of sequences with ``lengths`` ``(B,)`` true steps to outputs ``(B, K)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no from_embeddings")

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Outputs of a batch.

        Args:
            ids: token numbers, int64 ``(B, T)``, padded at the end.
            lengths: true steps of each sequence, int64 ``(B,)``, at least 1; kept on the CPU they cost no
                synchronisation.

        Returns:
            ``(B, K)``.
        """
        return self.from_embeddings(self.embed(ids), lengths)


class _TokenNetwork(SequenceNetwork):
    """One that learns the vectors of its tokens from nothing; that of padding is zero and stays so.

    Args:
        vocabulary: different tokens.
        width: of token vectors, ``E``.
        pad: the number of the padding token; None where there is none.
    """

    def __init__(self, vocabulary: int, width: int, pad: int | None) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=pad)
        nn.init.normal_(self.embedding.weight, std=_SPREAD)
        if pad is not None:
            nn.init.zeros_(self.embedding.weight[pad])

    def embed(self, ids: Tensor) -> Tensor:
        vectors: Tensor = self.embedding(ids)
        return vectors


class RecurrentClassifier(_TokenNetwork):
    """A bidirectional LSTM or GRU, attention pooling (Yang et al. 2016), and a linear map.

    Args:
        kind: ``lstm`` or ``gru``.
        vocabulary: different tokens.
        outputs: ``K``.
        embedding: width of token vectors.
        hidden: width of the state in each direction.
        layers: stacked layers.
        dropout: of token vectors, between layers, and of the pooled vector.
        pad: the number of the padding token.
    """

    def __init__(
        self,
        kind: Literal["lstm", "gru"],
        vocabulary: int,
        outputs: int,
        *,
        embedding: int = 128,
        hidden: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        pad: int | None = 0,
    ) -> None:
        super().__init__(vocabulary, embedding, pad)
        self.encoder = RecurrentEncoder(kind, embedding, hidden, layers, dropout=dropout, bidirectional=True)
        self.pooling = AttentionPooling(self.encoder.features)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.encoder.features, outputs)

    def from_embeddings(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """``(B, T, E)`` and ``(B,)`` to ``(B, K)``."""
        mask = length_mask(lengths, embedded.shape[1], embedded.device)
        steps, _ = self.encoder(self.dropout(embedded), lengths)  # (B, T, F)
        outputs: Tensor = self.head(self.dropout(self.pooling(steps, mask)))
        return outputs


class ConvolutionalClassifier(_TokenNetwork):
    """Filters over 3, 4 and 5 tokens, the largest answer of each over time, and a linear map.

    Kim 2014, "Convolutional neural networks for sentence classification", arXiv:1408.5882. As there, windows
    may reach over both ends of the text, where they see zeros, so that a text of one word has windows too.

    Args:
        vocabulary: different tokens.
        outputs: ``K``.
        embedding: width of token vectors.
        filters: of each width.
        widths: of filters, in tokens.
        dropout: of the pooled vector.
        pad: the number of the padding token.
    """

    def __init__(
        self,
        vocabulary: int,
        outputs: int,
        *,
        embedding: int = 128,
        filters: int = 100,
        widths: tuple[int, ...] = (3, 4, 5),
        dropout: float = 0.0,
        pad: int | None = 0,
    ) -> None:
        super().__init__(vocabulary, embedding, pad)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(embedding, filters, width, padding=width - 1) for width in widths
        )
        self.widths = widths
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(filters * len(widths), outputs)

    def from_embeddings(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """``(B, T, E)`` and ``(B,)`` to ``(B, K)``."""
        device, steps = embedded.device, embedded.shape[1]
        padded = ~length_mask(lengths, steps, device)
        sequence = embedded.masked_fill(padded[:, :, None], 0.0).transpose(1, 2)  # (B, E, T)
        largest = []
        for width, convolution in zip(self.widths, self.convolutions, strict=True):
            answers = convolution(sequence)  # (B, F, T + width - 1)
            # A window that touches the text ends at most width - 1 steps behind its last token.
            exist = length_mask(lengths + width - 1, steps + width - 1, device)
            largest.append(answers.masked_fill(~exist[:, None, :], -torch.inf).amax(dim=2))
        # The activation grows with its argument, so it may follow the maximum, where it costs less.
        outputs: Tensor = self.head(self.dropout(torch.cat(largest, dim=1).relu()))
        return outputs


class TransformerClassifier(_TokenNetwork):
    """A transformer encoder with rotary positions, pooling, and a linear map.

    Args:
        vocabulary: different tokens.
        outputs: ``K``.
        features: width of token vectors and of the encoder.
        layers: blocks.
        heads: attention heads; they divide ``features``.
        pooling: ``mean`` over the tokens, or ``attention``, by which some count more (Yang et al. 2016).
        dropout: of token vectors, of attention weights, of each part's output, and of the pooled vector.
        pad: the number of the padding token.

    Raises:
        ConfigError: the heads do not divide the features, or into an odd number, or a pooling of another name.
    """

    def __init__(
        self,
        vocabulary: int,
        outputs: int,
        *,
        features: int = 128,
        layers: int = 2,
        heads: int = 4,
        pooling: Literal["mean", "attention"] = "mean",
        dropout: float = 0.0,
        pad: int | None = 0,
    ) -> None:
        super().__init__(vocabulary, features, pad)
        if pooling not in {"mean", "attention"}:
            raise ConfigError(f"pooling '{pooling}' is not known; choose mean or attention")
        self.encoder = TransformerEncoder(features, heads, layers, dropout=dropout)
        self.pooling = AttentionPooling(features) if pooling == "attention" else None
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(features, outputs)

    def from_embeddings(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """``(B, T, E)`` and ``(B,)`` to ``(B, K)``."""
        mask = length_mask(lengths, embedded.shape[1], embedded.device)
        steps = self.encoder(self.dropout(embedded), mask)
        pooled = mean_over_steps(steps, mask) if self.pooling is None else self.pooling(steps, mask)
        outputs: Tensor = self.head(self.dropout(pooled))
        return outputs


class BackboneClassifier(SequenceNetwork):
    """A trained network that reads tokens, dropout, and a linear map.

    What is frozen stays in evaluation mode, so that it drops nothing.

    Args:
        backbone: one that reads tokens.
        outputs: ``K``.
        dropout: of the pooled vector.
        freeze: True trains the linear map only; a number keeps the token vectors and so many of the lowest
            layers as they are; False trains everything.

    Raises:
        ConfigError: the backbone reads images or takes no token vectors, or has fewer layers than are to be
            frozen.
    """

    def __init__(
        self, backbone: Backbone, outputs: int, *, dropout: float = 0.0, freeze: bool | int = False
    ) -> None:
        super().__init__()
        if not backbone.takes_vectors:
            raise ConfigError(
                "expected a backbone that reads tokens or their vectors, found "
                f"{type(backbone.network).__name__}, which reads {backbone.reads} only; name another, such as a BERT"
            )
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(backbone.features, outputs)
        if freeze is True:
            backbone.requires_grad_(requires_grad=False)
        elif freeze is not False:
            freeze_lowest(backbone.network, freeze)
        self._frozen = frozen_modules(backbone)  # in a tuple, so that they are not modules twice

    def train(self, mode: bool = True) -> Self:
        """As any module; frozen parts stay in evaluation mode."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    def embed(self, ids: Tensor) -> Tensor:
        """Token numbers, int64 ``(B, T)``, to their vectors ``(B, T, E)``, before positions are added."""
        return self.backbone.embed(ids)

    def from_embeddings(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """``(B, T, E)`` and ``(B,)`` to ``(B, K)``."""
        mask = length_mask(lengths, embedded.shape[1], embedded.device)
        outputs: Tensor = self.head(self.dropout(self.backbone(embedded, mask)))
        return outputs
