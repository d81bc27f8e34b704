"""Recurrent encoders over sequences of unequal length, and heads that forecast from them.

LSTM: Hochreiter & Schmidhuber 1997; GRU: Cho et al. 2014, arXiv:1406.1078.
Shapes: ``B`` batch, ``T`` time, ``F`` features, ``H`` hidden width, ``D`` directions (1 or 2).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

Kind = Literal["gru", "lstm"]


class RecurrentEncoder(nn.Module):
    """A GRU or LSTM whose outputs do not depend on padding.

    Args:
        kind: ``gru`` or ``lstm``.
        features: width of each step.
        hidden: width of the state.
        layers: stacked layers.
        dropout: between layers.
        bidirectional: whether a second pass reads backwards.

    Attributes:
        features: width of the outputs, ``D H``.
    """

    def __init__(
        self,
        kind: Kind,
        features: int,
        hidden: int,
        layers: int = 1,
        *,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        recurrent = nn.GRU if kind == "gru" else nn.LSTM
        self.recurrent: nn.GRU | nn.LSTM = recurrent(
            features,
            hidden,
            layers,
            batch_first=True,
            dropout=dropout if layers > 1 else 0.0,  # torch warns of a dropout that a single layer cannot use
            bidirectional=bidirectional,
        )
        self.directions = 2 if bidirectional else 1
        self.features = hidden * self.directions

    def forward(self, sequence: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Args:
            sequence: ``(B, T, F)``, padded at the end.
            lengths: ``(B,)`` int64 steps of each sequence, at least 1; kept on the CPU they cost no
                synchronisation. None where all have ``T``.

        Returns:
            The outputs ``(B, T, D H)``, zero on padding, and the last layer's state after the last true step
            ``(B, D H)`` (backwards: after the first).
        """
        if lengths is None:
            outputs, state = self.recurrent(sequence)
        else:
            packed = pack_padded_sequence(sequence, lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed_outputs, state = self.recurrent(packed)
            outputs, _ = pad_packed_sequence(packed_outputs, batch_first=True, total_length=sequence.shape[1])
        hidden = state[0] if isinstance(state, tuple) else state  # an LSTM's state is (hidden, cell)
        final = torch.cat(tuple(hidden[-self.directions :]), dim=-1)  # (layers D, B, H) -> (B, D H)
        return outputs, final


class RecurrentHead(nn.Module):
    """An encoder, dropout, and a linear map of its final state: ``(B, T, features) -> (B, targets)``."""

    kind: ClassVar[Kind]

    def __init__(
        self, features: int, hidden: int, targets: int, layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.encoder = RecurrentEncoder(self.kind, features, hidden, layers, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.encoder.features, targets)

    def forward(self, sequence: Tensor, lengths: Tensor | None = None) -> Tensor:
        """``(B, T, F)`` and optional lengths ``(B,)`` to ``(B, targets)``."""
        _, final = self.encoder(sequence, lengths)
        outputs: Tensor = self.head(self.dropout(final))
        return outputs


class GRU(RecurrentHead):
    """Targets from the final state of a GRU."""

    kind = "gru"


class LSTM(RecurrentHead):
    """Targets from the final state of an LSTM."""

    kind = "lstm"
