"""Language models: token numbers in, scores of the next token out, one position after the other.

Input and output share one table of token vectors (Press and Wolf 2017, arXiv:1608.05859).
Shapes: ``B`` batch, ``T`` time, ``F`` features, ``V`` vocabulary, ``L`` layers, ``H`` hidden width.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.errors import ConfigError
from fivefold.nn.attention import Attention
from fivefold.nn.mlp import MLP
from fivefold.nn.positional import RotaryPositions
from fivefold.nn.stepping import BlockWeights, KeysValues, step
from fivefold.nn.transformer import TransformerBlock

VECTOR_LENGTH = 3.0
"""Length of a recurrent model's initial token vectors, about: shorter ones are learned from more slowly."""
TABLE_SPREAD = 0.02
"""Standard deviation of initial weights of a GPT (Radford et al. 2019)."""


class LanguageNetwork(nn.Module):
    """What trains and writes by the same few calls, whatever is inside.

    Attributes:
        embedding: the table of token vectors, ``(V, F)``.
        reach: how many of the last tokens the scores may depend on; None where there is no bound.
        state_size: numbers by which the state of a sequence can be carried from one piece of a text to the
            next (`pack`); 0 where it cannot.
    """

    embedding: nn.Embedding
    reach: int | None = None
    state_size: int = 0

    @abstractmethod
    def features(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Numbers ``(B, T)`` after what ``state`` has seen to features ``(B, T, F)`` and the state to go on with."""

    @abstractmethod
    def logits(self, features: Tensor) -> Tensor:
        """Features ``(..., F)`` to scores of the next token, ``(..., V)``."""

    @abstractmethod
    def start(self) -> Any:
        """A state that has seen nothing, for generation; it may be changed in place by `features`."""

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Token numbers ``(B, T)`` to logits ``(B, T, V)`` of the token after each, and the state after the last.

        Args:
            ids: int64.
            state: what an earlier call gave, or `start`; None begins anew, without noting what a later call needs
                beyond what is there anyway.
        """
        features, state = self.features(ids, state)
        return self.logits(features), state

    def pack(self, state: Any) -> Tensor:
        """The state as float32 ``(B, state_size)``, cut off from the graph."""
        raise NotImplementedError(f"{type(self).__name__} carries no state from piece to piece")

    def unpack(self, packed: Tensor) -> Any:
        """The state that `pack` wrote; zeros are a state that has seen nothing."""
        raise NotImplementedError(f"{type(self).__name__} carries no state from piece to piece")


class RecurrentLanguageModel(LanguageNetwork):
    """Stacked LSTM or GRU layers with dropout before, between and after them.

    Where token vectors and hidden state differ in width, a linear map leads back to the former. The forget gates
    of an LSTM begin open (Jozefowicz et al. 2015).

    Args:
        kind: ``lstm`` or ``gru``.
        vocabulary: ``V``.
        hidden: ``H``.
        layers: ``L``.
        embedding: width of the token vectors; ``hidden`` where not given.
        dropout: share of features dropped while training.
    """

    def __init__(
        self,
        kind: Literal["lstm", "gru"],
        vocabulary: int,
        hidden: int,
        layers: int = 1,
        *,
        embedding: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = embedding or hidden
        recurrent = nn.LSTM if kind == "lstm" else nn.GRU
        self.parts = 2 if kind == "lstm" else 1
        self.state_size = self.parts * layers * hidden
        self.embedding = nn.Embedding(vocabulary, width)
        self.dropout = nn.Dropout(dropout)
        between = dropout if layers > 1 else 0.0  # torch warns of a dropout that a single layer cannot use
        self.recurrent: nn.LSTM | nn.GRU = recurrent(width, hidden, layers, batch_first=True, dropout=between)
        self.projection = nn.Identity() if width == hidden else nn.Linear(hidden, width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        nn.init.normal_(self.embedding.weight, std=VECTOR_LENGTH * width**-0.5)
        if kind == "lstm":
            for layer in range(layers):
                bias = getattr(self.recurrent, f"bias_ih_l{layer}")
                nn.init.constant_(bias[hidden : 2 * hidden], 1.0)

    def features(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """``(B, T)`` to ``(B, T, F)``; the state is ``(hidden, cell)`` or ``(hidden,)``, each ``(L, B, H)``."""
        embedded = self.dropout(self.embedding(ids))
        before = None if state is None else state if self.parts > 1 else state[0]
        outputs, after = self.recurrent(embedded, before)
        return self.projection(self.dropout(outputs)), after if self.parts > 1 else (after,)

    def logits(self, features: Tensor) -> Tensor:
        """``(..., F)`` to ``(..., V)``."""
        return F.linear(features, self.embedding.weight, self.bias)

    def start(self) -> None:
        """None: zeros."""
        return

    def pack(self, state: Any) -> Tensor:
        """``(hidden[, cell])``, each ``(L, B, H)``, to ``(B, state_size)``."""
        return torch.stack([part.detach().float() for part in state]).movedim(2, 0).flatten(1)

    def unpack(self, packed: Tensor) -> Any:
        """``(B, state_size)`` to ``(hidden[, cell])``, each ``(L, B, H)``."""
        layers, hidden = self.recurrent.num_layers, self.recurrent.hidden_size
        parts = packed.view(len(packed), self.parts, layers, hidden).movedim(0, 2)
        return tuple(part.contiguous() for part in parts)


@dataclass
class Window:
    """What a `GPT` has seen since its window began: keys and values of each layer, and the tokens themselves.

    Attributes:
        layers: keys and values.
        weights: of each layer, as they were when the window was made.
        ids: tokens, ``(B, T)`` each, in the parts in which they came.
        length: how many.
    """

    layers: list[KeysValues]
    weights: list[BlockWeights]
    ids: list[Tensor] = field(default_factory=list)
    length: int = 0


class GPT(LanguageNetwork):
    """A causal transformer with normalisation before each part (Radford et al. 2019) and rotary positions.

    A position sees every earlier one of the sequence. With a state, which holds keys and values so that a token
    is computed once, a position sees the window: it grows to ``context`` tokens and then begins anew with its
    last half, computed again as if the text began there. So memory is bounded, a token costs the same however
    long the text is, each sees ``context / 2`` earlier ones at least, and all of it is what training showed.
    (Dropping the oldest key alone would be cheaper by one pass over half a window every half a window, but
    takes away the first tokens, on which trained attention leans: Xiao et al. 2023, arXiv:2309.17453.)

    Args:
        vocabulary: ``V``.
        context: most tokens of a window, two or more.
        features: ``F``.
        heads: attention heads; they divide ``features`` into even widths.
        layers: blocks.
        dropout: of token vectors, attention weights, and each part's output, while training.

    Raises:
        ConfigError: the heads do not fit the features, or the context is below two.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int,
        *,
        features: int,
        heads: int,
        layers: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if context < 2:  # noqa: PLR2004 - of which a half is left when a window begins anew
            raise ConfigError(f"a GPT's context must be 2 tokens or more, found {context}; raise it")
        self.reach = context
        self.context = context
        self.embedding = nn.Embedding(vocabulary, features)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(features, heads, dropout=dropout, rotary=True, longest=context)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(features)
        self.positions = RotaryPositions(features // heads, context)
        self.apply(_initialise)
        for block in self.blocks:
            _scale_residuals(block, layers)

    def features(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """``(B, T)`` to ``(B, T, F)``; without a state none is kept, and ``T`` may exceed the context."""
        if state is None:
            sequence = self.dropout(self.embedding(ids))
            for block in self.blocks:
                sequence = block(sequence, causal=True)
            return self.norm(sequence), None
        parts = []
        done = 0
        while done < ids.shape[1]:
            if state.length == self.context:
                self._begin_anew(state)
            part = ids[:, done : done + self.context - state.length]
            parts.append(self._extend(part, state))
            done += part.shape[1]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1), state

    def logits(self, features: Tensor) -> Tensor:
        """``(..., F)`` to ``(..., V)``."""
        return F.linear(features, self.embedding.weight)

    def start(self) -> Window:
        """An empty window, through which the weights as they are now write on without dropout."""
        caches = [KeysValues(self.context) for _ in self.blocks]
        return Window(caches, [BlockWeights.of(block) for block in self.blocks])

    def _begin_anew(self, state: Window) -> None:
        """Keep the last half of the window, computed without what was before it."""
        kept = torch.cat(state.ids, dim=1)[:, -(self.context // 2) :]
        state.ids, state.length = [], 0
        for layer in state.layers:
            layer.length = 0
        self._extend(kept, state)

    def _extend(self, ids: Tensor, state: Window) -> Tensor:
        start = state.length
        state.ids.append(ids)
        state.length += ids.shape[1]
        turns = self.positions.turns(start, state.length)
        sequence: Tensor = self.embedding(ids)
        for weights, cache in zip(state.weights, state.layers, strict=True):
            sequence = step(sequence, weights, cache, turns)
        outputs: Tensor = self.norm(sequence)
        return outputs


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=TABLE_SPREAD)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)


def _scale_residuals(block: nn.Module, layers: int) -> None:
    """Shrink what each block adds, because ``2 L`` such parts sum up."""
    for part in block.children():
        last = (
            part.output if isinstance(part, Attention) else part.layers[-1] if isinstance(part, MLP) else None
        )
        if isinstance(last, nn.Linear):
            nn.init.normal_(last.weight, std=TABLE_SPREAD / math.sqrt(2 * layers))
