"""Losses of generative adversarial networks, from the discriminator's logits ``(B,)``.

Non-saturating: Goodfellow et al. 2014, arXiv:1406.2661. Hinge: Miyato et al. 2018, arXiv:1802.05957. Wasserstein:
Arjovsky et al. 2017, arXiv:1701.07875. Relativistic pairs: Jolicoeur-Martineau 2018, arXiv:1807.00734, in the form of
R3GAN, Huang et al. 2024, arXiv:2501.05441.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from fivefold.config.adversarial import LossKind


def discriminator_loss(kind: LossKind, real: Tensor, fake: Tensor) -> Tensor:
    """The mean loss of the discriminator.

    Args:
        kind: which loss.
        real: logits of real images, ``(B,)``.
        fake: logits of generated ones, ``(B,)``; of relativistic pairs the i-th each belong together.
    """
    if kind == "non-saturating":
        return F.softplus(-real).mean() + F.softplus(fake).mean()
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if kind == "wasserstein":
        return fake.mean() - real.mean()
    return F.softplus(fake - real).mean()


def generator_loss(kind: LossKind, fake: Tensor, real: Tensor | None = None) -> Tensor:
    """The mean loss of the generator.

    Args:
        kind: which loss.
        fake: logits of generated images, ``(B,)``.
        real: logits of real ones, ``(B,)``, which only relativistic pairs look at.
    """
    if kind == "non-saturating":
        return F.softplus(-fake).mean()
    if real is None:  # hinge and Wasserstein have one generator's loss
        return -fake.mean()
    return F.softplus(real - fake).mean()


def accuracy(kind: LossKind, real: Tensor, fake: Tensor) -> Tensor:
    """How often the discriminator is right: about an image, or for losses that only compare about a pair.

    Args:
        kind: which loss.
        real: logits of real images, ``(B,)``.
        fake: logits of generated ones, ``(B,)``.
    """
    if kind in {"wasserstein", "relativistic"}:
        return (real > fake).float().mean()
    return ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
