"""Optimizers of torch.optim, the fastest of each kind, with weight decay only where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Muon, Optimizer

from fivefold.config import OptimizerConfig
from fivefold.errors import ConfigError
from fivefold.training.speed.offload import OffloadedOptimizer

_MATRIX = 2

Groups = list[dict[str, Any]]
"""Parameter groups as torch has them."""
Build = Callable[[Groups], Optimizer]
"""Makes an optimizer of groups."""


def build_optimizers(
    parameters: Mapping[str, nn.Parameter],
    embeddings: set[int],
    config: OptimizerConfig,
    *,
    offload: bool = False,
) -> list[Optimizer]:
    """The optimizers that together update ``parameters``: one, or two for Muon.

    Weight decay spares parameters of fewer than two dimensions: biases, and the scales of norms. Muon
    (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) updates matrices that are not embeddings,
    scaled so that AdamW's learning rate fits both; everything else goes to AdamW.

    Args:
        parameters: by name, on their device already; shards of FSDP2 are welcome.
        embeddings: ids of the parameters that are lookup tables.
        config: the settings.
        offload: whether state and update shall live in the machine's memory; on a CPU they do anyway.

    Raises:
        ConfigError: shards shall be offloaded.
    """
    values = list(parameters.values())
    # By their attribute, because importing the type of shards takes most of a second.
    sharded = any(hasattr(value, "device_mesh") for value in values)
    if offload and sharded:
        raise ConfigError(
            "trainer.offload_optimizer moves whole parameters, and trainer.parallel has split them into shards; "
            "choose ddp, or turn the offload off"
        )
    recipes = _recipes(values, embeddings, config, sharded=sharded)
    if offload and any(value.device.type != "cpu" for value in values):
        return [OffloadedOptimizer(groups, build) for groups, build in recipes]
    return [build(groups) for groups, build in recipes]


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
                optimizer.state[parameter][key] = torch.empty_like(parameter, device=value.device).copy_(
                    value
                )


def _recipes(
    values: list[nn.Parameter], embeddings: set[int], config: OptimizerConfig, *, sharded: bool
) -> list[tuple[Groups, Build]]:
    """Groups, and what makes an optimizer of them."""
    lr, momentum = config.lr, config.momentum
    adamw: Build = partial(AdamW, lr=lr, betas=(momentum, config.beta2), fused=True)
    if config.name == "adamw":
        return [(_groups(values, config), adamw)]
    if config.name == "sgd":
        # torch's fused SGD knows no shards; foreach is the next fastest.
        sgd: Build = partial(
            SGD, lr=lr, momentum=momentum, nesterov=momentum > 0, fused=not sharded, foreach=sharded
        )
        return [(_groups(values, config), sgd)]
    muon: Build = partial(Muon, lr=lr, momentum=momentum, adjust_lr_fn="match_rms_adamw")
    matrices = [value for value in values if value.ndim == _MATRIX and id(value) not in embeddings]
    rest = [value for value in values if value.ndim != _MATRIX or id(value) in embeddings]
    recipes = [(_groups(matrices, config), muon), (_groups(rest, config), adamw)]
    return [(groups, build) for groups, build in recipes if groups]


def _groups(parameters: list[nn.Parameter], config: OptimizerConfig) -> Groups:
    """Parameters with weight decay and without it; together where there is none, as each group costs time."""
    if config.weight_decay == 0:
        return [{"params": parameters, "weight_decay": 0.0}] if parameters else []
    decayed = [value for value in parameters if value.ndim >= _MATRIX]
    spared = [value for value in parameters if value.ndim < _MATRIX]
    groups = [(decayed, config.weight_decay), (spared, 0.0)]
    return [{"params": members, "weight_decay": decay} for members, decay in groups if members]
