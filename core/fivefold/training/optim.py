"""Optimizers of torch.optim, the fastest of each kind, with weight decay only where it belongs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Muon, Optimizer

from fivefold.config import OptimizerConfig

_MATRIX = 2


def build_optimizers(
    parameters: Mapping[str, nn.Parameter], embeddings: set[int], config: OptimizerConfig
) -> list[Optimizer]:
    """The optimizers that together update ``parameters``: one, or two for Muon.

    Weight decay spares parameters of fewer than two dimensions: biases, and the scales of norms. Muon
    (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) updates matrices that are not embeddings,
    scaled so that AdamW's learning rate fits both; everything else goes to AdamW.

    Args:
        parameters: by name, on their device already.
        embeddings: ids of the parameters that are lookup tables.
        config: the settings.
    """
    values = list(parameters.values())
    if config.name == "sgd":
        return [
            SGD(
                _groups(values, config),
                lr=config.lr,
                momentum=config.momentum,
                nesterov=config.momentum > 0,
                fused=True,
            )
        ]
    if config.name == "adamw":
        return [_adamw(values, config)]
    matrices = [value for value in values if value.ndim == _MATRIX and id(value) not in embeddings]
    rest = [value for value in values if value.ndim != _MATRIX or id(value) in embeddings]
    return ([_muon(matrices, config)] if matrices else []) + ([_adamw(rest, config)] if rest else [])


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Give every parameter group the learning rate ``rate``."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def embedding_ids(network: nn.Module) -> set[int]:
    """Ids of the parameters that are lookup tables."""
    tables = (module for module in network.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag))
    return {id(table.weight) for table in tables}


def optimizer_tensors(optimizer: Optimizer, names: Mapping[int, str]) -> dict[str, Tensor]:
    """The optimizer's state as ``parameter name/state name`` to tensor, exactly as it is.

    Args:
        optimizer: one of `build_optimizers`.
        names: from the id of a parameter to its name.
    """
    return {
        f"{names[id(parameter)]}/{key}": value
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
        if isinstance(value, Tensor)
    }


def load_optimizer_tensors(
    optimizer: Optimizer, names: Mapping[int, str], tensors: Mapping[str, Tensor]
) -> None:
    """Put back the state of `optimizer_tensors`: values bit for bit, memory layout as the parameter's."""
    by_name: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        parameter_name, _, state_name = key.rpartition("/")
        by_name.setdefault(parameter_name, {})[state_name] = value
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state = {
        index: by_name[names[id(parameter)]]
        for index, parameter in enumerate(parameters)
        if names[id(parameter)] in by_name
    }
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    for parameter in parameters:
        for key, value in optimizer.state.get(parameter, {}).items():
            if (
                isinstance(value, Tensor)
                and value.shape == parameter.shape
                and value.stride() != parameter.stride()
            ):
                optimizer.state[parameter][key] = torch.empty_like(parameter).copy_(value)


def _groups(parameters: list[nn.Parameter], config: OptimizerConfig) -> list[dict[str, object]]:
    decayed = [value for value in parameters if value.ndim >= _MATRIX]
    spared = [value for value in parameters if value.ndim < _MATRIX]
    groups = [(decayed, config.weight_decay), (spared, 0.0)]
    return [{"params": members, "weight_decay": decay} for members, decay in groups if members]


def _adamw(parameters: list[nn.Parameter], config: OptimizerConfig) -> AdamW:
    return AdamW(_groups(parameters, config), lr=config.lr, betas=(config.momentum, config.beta2), fused=True)


def _muon(matrices: list[nn.Parameter], config: OptimizerConfig) -> Optimizer:
    decay, momentum = config.weight_decay, config.momentum
    return Muon(matrices, lr=config.lr, weight_decay=decay, momentum=momentum, adjust_lr_fn="match_rms_adamw")
