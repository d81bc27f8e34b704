"""An optimizer whose state and arithmetic live in the machine's memory, while the network is on a GPU.

Ren et al. 2021, "ZeRO-Offload", arXiv:2101.06840: saves the device the optimizer's state (two values a
parameter for AdamW) for the price of moving gradients and weights once a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class OffloadedOptimizer(Optimizer):
    """Updates copies of the parameters in the machine's memory and sends them to the device.

    To the caller it is an optimizer of the device's parameters: groups, hyperparameters and saved state are
    theirs. Gradients come over in pinned memory, all at once; the step waits for them. Weights that someone
    else writes in between (a checkpoint, a moving average) are taken over at the next step.

    Args:
        groups: parameter groups as torch has them, of parameters on the device.
        build: makes the optimizer that updates, from groups of the same settings with parameters on the CPU.
    """

    def __init__(
        self, groups: list[dict[str, Any]], build: Callable[[list[dict[str, Any]]], Optimizer]
    ) -> None:
        parameters = [parameter for group in groups for parameter in group["params"]]
        self._masters = {parameter: _on_host(parameter) for parameter in parameters}
        self._gradients = {parameter: _on_host(parameter).data for parameter in parameters}
        self._written = {parameter: parameter._version for parameter in parameters}
        self._inner = build(
            [{**group, "params": [self._masters[value] for value in group["params"]]} for group in groups]
        )
        super().__init__(groups, dict(self._inner.defaults))

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:  # noqa: ARG002 - torch's signature
        """Fetch gradients, update in the machine's memory, send the weights to the device; takes no closure."""
        trained = [parameter for parameter in self._masters if parameter.grad is not None]
        for parameter in trained:
            self._fetch(parameter)
        if trained and trained[0].is_cuda:
            # The copies above must have arrived, and those of the last step left.
            torch.cuda.current_stream(trained[0].device).synchronize()
        for own, inner in zip(self.param_groups, self._inner.param_groups, strict=True):
            inner.update({key: value for key, value in own.items() if key != "params"})
        self._inner.step()
        for parameter in trained:
            parameter.copy_(self._masters[parameter], non_blocking=True)
            self._written[parameter] = parameter._version
            self._masters[parameter].grad = None
        self._share_state()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a saved state into the machine's memory."""
        self._inner.load_state_dict(state_dict)
        for own, inner in zip(self.param_groups, self._inner.param_groups, strict=True):
            own.update({key: value for key, value in inner.items() if key != "params"})
        self._share_state()

    def _fetch(self, parameter: Tensor) -> None:
        master = self._masters[parameter]
        if parameter._version != self._written[parameter]:
            master.copy_(parameter, non_blocking=True)
        gradient = self._gradients[parameter]
        master.grad = gradient.copy_(parameter.grad, non_blocking=True)  # type: ignore[arg-type]  # only those with a gradient come here

    def _share_state(self) -> None:
        """Show the state by the device's parameters; the tensors are the same."""
        for parameter, master in self._masters.items():
            if master in self._inner.state:
                self.state[parameter] = self._inner.state[master]


def _on_host(parameter: Tensor) -> nn.Parameter:
    """A copy in the machine's memory, pinned for a GPU, laid out as the parameter is."""
    copy = torch.empty_like(parameter, device="cpu", pin_memory=parameter.is_cuda, requires_grad=False)
    return nn.Parameter(copy.copy_(parameter.detach()))
