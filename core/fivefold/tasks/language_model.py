"""Language modelling: the next token of a text, at every place of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fivefold.data.dataset import Batch, Facts
from fivefold.errors import ConfigError
from fivefold.nn.language import LanguageNetwork
from fivefold.tasks.base import Loss, Outputs, Task
from fivefold.tasks.carried import CarriedStates

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Evaluation
    from fivefold.evaluation.metric import Metric
    from fivefold.evaluation.section import Section

UNSCORED = -1
"""Target of a token that is not scored: padding, or context of those that are."""
MOST_SCORES = 2**25
"""Numbers of the largest block of scores made at once in prediction, 128 MiB."""


class LanguageModel(Task):
    """Cross-entropy of the next token, over the tokens that are scored.

    Batches hold ``input`` and ``target``, int64 ``(B, T)``; a target of -1 is not scored. For prediction they hold
    ``characters``, float32 ``(B,)``: how many characters the scored tokens of each sample stand for. Outputs are
    ``nats`` (the sum over the scored tokens), ``tokens`` (how many) and ``target`` (the characters), each ``(B,)``.

    A recurrent network is trained by truncated back-propagation that carries its state, where batches hold
    ``position``, int64 ``(B,)``: the numbers of their pieces. A piece begins where number ``position - 1`` ended
    (`CarriedStates`); numbers that follow each other must be pieces that do. Prediction carries nothing: it begins
    each sample anew.
    """

    network: LanguageNetwork
    carried: CarriedStates | None

    def __init__(self, network: LanguageNetwork, *, streams: int = 0) -> None:
        """Settings.

        Args:
            network: token numbers to scores of the next.
            streams: pieces whose end states are kept while training, as many as an update of one process has; 0
                carries no state.

        Raises:
            ConfigError: states shall be carried and the network has none to carry.
        """
        super().__init__()
        if streams and not network.state_size:
            raise ConfigError(
                f"{type(network).__name__} has no state to carry from piece to piece, and {streams} streams were "
                "asked for; leave them out"
            )
        self.network = network
        self.carried = CarriedStates(streams, network.state_size) if streams else None

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers ``(B, T)`` to logits ``(B, T, V)``."""
        logits: Tensor = self.network(ids)[0]
        return logits

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """Mean cross-entropy of a scored token, in nats; its weight is their number, left on the device."""
        logits = self._carrying(batch)
        target = batch["target"]
        total = F.cross_entropy(
            logits.flatten(0, 1).float(), target.flatten(), ignore_index=UNSCORED, reduction="sum"
        )
        count = (target != UNSCORED).sum()
        return Loss(total / count.clamp_min(1), count)

    def _carrying(self, batch: Batch) -> Tensor:
        """Logits of a training batch, begun with the states in which the pieces before ended."""
        if self.carried is None or "position" not in batch:
            return self.forward(batch["input"])
        position = batch["position"]
        state = self.network.unpack(self.carried.before(position))
        logits, state = self.network(batch["input"], state)
        self.carried.after(position, self.network.pack(state))
        outputs: Tensor = logits
        return outputs

    def predict(self, batch: Batch) -> Batch:
        """``nats`` float32, ``tokens`` and ``target`` (characters, where the batch has them), each ``(B,)``."""
        features, _ = self.network.features(batch["input"])
        scored = batch["target"] != UNSCORED
        outputs = {"nats": self._nats(features, batch["target"], scored), "tokens": scored.sum(dim=1).float()}
        if "characters" in batch:
            outputs["target"] = batch["characters"]
        return outputs

    def _nats(self, features: Tensor, target: Tensor, scored: Tensor) -> Tensor:
        """Sums of the scored tokens, ``(B,)``; scores are made for those alone, a block at a time."""
        wanted, codes = features[scored], target[scored]
        block = max(1, MOST_SCORES // self.network.embedding.num_embeddings)
        parts = [
            F.cross_entropy(self.network.logits(some).float(), those, reduction="none")
            for some, those in zip(torch.split(wanted, block), torch.split(codes, block), strict=True)
        ]
        nats = torch.zeros(target.shape, device=target.device)
        nats[scored] = torch.cat(parts)
        return nats.sum(dim=1)

    def calibrate(self, outputs: Outputs) -> None:  # noqa: ARG002 - the interface
        """Training is over, and states for the next pieces are no part of the model."""
        if self.carried is not None:
            self.carried.clear()

    def metrics(self) -> Sequence[Metric]:
        """Bits per character first; see `fivefold.evaluation.language_metrics`."""
        from fivefold.evaluation.language_metrics import language_metrics  # noqa: PLC0415 - keeps training light

        return language_metrics()

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Records ``{"nats", "tokens"}``: how surprising each sample was."""
        pairs = zip(outputs["nats"].tolist(), outputs["tokens"].tolist(), strict=True)
        return [{"nats": nats, "tokens": int(tokens)} for nats, tokens in pairs]

    def sections(self, evaluation: Evaluation, facts: Facts) -> list[Section]:
        """Bits per character along the split."""
        from fivefold.evaluation.language_sections import language_sections  # noqa: PLC0415 - imported where it is used

        return language_sections(evaluation, facts)
