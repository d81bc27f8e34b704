"""The last layer of a discriminator."""

from __future__ import annotations

from torch import Tensor, nn

from fivefold.nn.generation.spectral import spectrally_normalised


class ProjectionHead(nn.Module):
    """Scores from features; where there are classes, with the features' projection on the class's vector.

    Miyato and Koyama 2018, "cGANs with projection discriminator", arXiv:1802.05637.

    Args:
        features: width ``F`` of the features.
        classes: how many classes there are; 0 for images without.
        spectral: whether the spectral norms of the weights are held at 1.
    """

    def __init__(self, features: int, classes: int = 0, *, spectral: bool = False) -> None:
        super().__init__()
        self.score = nn.Linear(features, 1)
        self.vectors = nn.Embedding(classes, features) if classes else None
        nn.init.xavier_uniform_(self.score.weight)
        if self.vectors is not None:
            nn.init.xavier_uniform_(self.vectors.weight)
        if spectral:
            spectrally_normalised(self.score)
            if self.vectors is not None:
                spectrally_normalised(self.vectors)

    def forward(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """Features ``(B, F)`` and classes int64 ``(B,)`` to logits ``(B,)``."""
        scores: Tensor = self.score(features)[:, 0]
        if self.vectors is None:
            return scores
        projected: Tensor = (self.vectors(labels) * features).sum(dim=1)
        return scores + projected
