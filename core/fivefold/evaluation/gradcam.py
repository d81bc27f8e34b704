"""Grad-CAM: where in a picture or volume a convolutional network looked for a class (Selvaraju et al. 2017).

The last feature map is weighed by the gradient of the class's logit, summed over channels, and cut at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

_SPACE = 3  # axes of a volume


class _Watch:
    """Keeps the outputs of leaf modules during a forward pass."""

    def __init__(self, modules: list[nn.Module]) -> None:
        self.modules = modules
        self.seen: list[tuple[nn.Module, Tensor]] = []

    def __enter__(self) -> Self:
        self._handles = [module.register_forward_hook(self._keep) for module in self.modules]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()

    def _keep(self, module: nn.Module, inputs: Any, output: Any) -> None:  # noqa: ARG002 - the hook's signature
        if isinstance(output, Tensor):
            self.seen.append((module, output))


def last_feature_map(network: nn.Module, inputs: Tensor) -> nn.Module | None:
    """The last leaf module that gives a feature map ``(B, C, h, w)`` or ``(B, C, d, h, w)`` of several places.

    None where the network has none in the second half of its modules: what comes early (a transformer's
    patches) does not know the class yet.

    Args:
        network: any network that reads ``inputs``.
        inputs: ``(B, C, H, W)`` or ``(B, C, D, H, W)``; one sample is enough.
    """
    leaves = [module for module in network.modules() if not any(module.children())]
    with torch.no_grad(), _Watch(leaves) as watch:
        network(inputs)
    places = [
        place
        for place, (_, output) in enumerate(watch.seen)
        if output.ndim == inputs.ndim and output[0, 0].numel() > 1 and output.is_floating_point()
    ]
    if not places or places[-1] + 1 < len(watch.seen) / 2:
        return None
    return watch.seen[places[-1]][0]


def grad_cam(
    network: nn.Module, inputs: Tensor, classes: Tensor, layer: nn.Module | None = None
) -> Tensor | None:
    """How much each place of each picture spoke for a class.

    Args:
        network: pictures to logits ``(B, K)``; its mode, parameters and gradients stay as they are.
        inputs: ``(B, C, H, W)`` or ``(B, C, D, H, W)``, as the network reads them.
        classes: the class asked about for each picture, int64 ``(B,)``.
        layer: the module whose output is explained; `last_feature_map` where not given.

    Returns:
        float32 ``(B, H, W)`` or ``(B, D, H, W)``, each sample's largest value 1 (all 0 where
        nothing spoke for the class), or None where the network has no feature map to explain.
    """
    training = network.training
    network.eval()
    try:
        # Frozen parameters would leave nothing to differentiate, so the inputs carry the gradient.
        source = inputs.detach().float().requires_grad_()
        layer = layer or last_feature_map(network, source[:1])
        if layer is None:
            return None
        with torch.enable_grad(), _Watch([layer]) as watch:
            logits = network(source)
            features = watch.seen[-1][1]
            chosen = logits.gather(1, classes[:, None]).sum()
            (gradient,) = torch.autograd.grad(chosen, features)
    finally:
        network.train(training)
    places = tuple(range(2, inputs.ndim))
    weights = gradient.mean(dim=places, keepdim=True)
    heat = (weights * features).sum(dim=1, keepdim=True).clamp(min=0).detach().float()
    mode = "trilinear" if len(places) == _SPACE else "bilinear"
    heat = F.interpolate(heat, size=inputs.shape[2:], mode=mode, align_corners=False)[:, 0]
    top = heat.amax(dim=tuple(range(1, heat.ndim)), keepdim=True)
    return torch.where(top > 0, heat / top.clamp(min=torch.finfo(heat.dtype).tiny), heat)


def heat_maps(
    network: nn.Module, images: NDArray[np.uint8], classes: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """`grad_cam` of images ``(N, C, H, W)`` or ``(N, C, D, H, W)`` in memory, on the network's own device.

    Args:
        network: pictures to logits ``(N, K)``.
        images: as they are read, before any scaling.
        classes: the one asked about for each.
    """
    device = next(network.parameters()).device
    asked = torch.as_tensor(classes, dtype=torch.int64, device=device)
    heat = grad_cam(network, torch.from_numpy(images).to(device), asked)
    return None if heat is None else np.asarray(heat.cpu().numpy(), dtype=np.float32)
