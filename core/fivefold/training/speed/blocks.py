"""Repeated blocks: the layers that a deep network consists of, found by their place in it.

They are what is compiled, recomputed and sharded one at a time: small enough to be cheap alone, and together
nearly all of the network.
"""

from __future__ import annotations

from collections import Counter

from torch import nn

_LISTS = (nn.Sequential, nn.ModuleList)
_CONTAINERS = {nn.Sequential, nn.ModuleList, nn.ModuleDict}


def named_blocks(network: nn.Module) -> dict[str, nn.Module]:
    """The repeated blocks of ``network`` by name, in order, each once; empty where nothing repeats.

    Blocks are modules of one class that stand two or more times in one list (`nn.Sequential` or
    `nn.ModuleList`) and are made of other modules: transformer layers, residual blocks. Their shapes may
    differ, as they do from stage to stage of a residual network. Of blocks in blocks the outer ones count.
    """
    found: dict[str, nn.Module] = {}
    for name, module in network.named_modules():  # a list comes before what is in it
        if not isinstance(module, _LISTS) or any(name.startswith(f"{block}.") for block in found):
            continue
        children = {key: child for key, child in module.named_children() if _is_composed(child)}
        counts = Counter(type(child) for child in children.values())
        for key, child in children.items():
            if counts[type(child)] > 1 and child not in found.values():
                found[f"{name}.{key}".lstrip(".")] = child
    return found


def repeated_blocks(network: nn.Module) -> list[nn.Module]:
    """The blocks of `named_blocks` without their names."""
    return list(named_blocks(network).values())


def _is_composed(module: nn.Module) -> bool:
    """Whether a module is made of others, and is more than a list of them."""
    return (
        type(module) not in _CONTAINERS and any(module.children()) and any(True for _ in module.parameters())
    )
