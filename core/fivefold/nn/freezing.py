"""Keeping the lower part of a trained network as it is, whatever the network."""

from __future__ import annotations

from torch import nn

from fivefold.errors import ConfigError


def freeze_lowest(network: nn.Module, count: int) -> None:
    """Stop training what reads the input, and the ``count`` lowest layers.

    Layers are found as the longest `nn.ModuleList` that lies in no other; what reads the input are the
    parameters that come before it.

    Args:
        network: its modules in the order in which they run, as is the custom.
        count: layers, 0 or more.

    Raises:
        ConfigError: the network has fewer layers.
    """
    layers = _layers(network)
    if not 0 <= count <= len(layers):
        raise ConfigError(
            f"expected to freeze 0 to {len(layers)} of the lowest layers of {type(network).__name__}, which has "
            f"{len(layers)}, found {count}; choose a number in this range"
        )
    above = {id(parameter) for parameter in layers.parameters()}
    for parameter in network.parameters():
        if id(parameter) in above:
            break
        parameter.requires_grad = False
    for layer in layers[:count]:
        layer.requires_grad_(requires_grad=False)


def frozen_modules(network: nn.Module) -> tuple[nn.Module, ...]:
    """The modules with parameters, none of which is trained; of those inside each other, the outer ones."""
    found: dict[str, nn.Module] = {}
    for name, module in network.named_modules():  # a module comes before those inside it
        if any(name.startswith(f"{outer}.") or not outer for outer in found):
            continue
        trains = [parameter.requires_grad for parameter in module.parameters()]
        if trains and not any(trains):
            found[name] = module
    return tuple(found.values())


def _layers(network: nn.Module) -> nn.ModuleList:
    found: dict[str, nn.ModuleList] = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.ModuleList) and not any(name.startswith(f"{outer}.") for outer in found):
            found[name] = module
    return max(found.values(), key=len, default=nn.ModuleList())
