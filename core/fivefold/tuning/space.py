"""The search space: which settings a study tries, and within what limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeVar

from fivefold.config import PipelineConfig
from fivefold.config.overlay import overlay
from fivefold.config.resolve import resolve
from fivefold.errors import ConfigError
from fivefold.tuning.expressions import Choice, Domain, Value, parse_domain, split_expression

Config = TypeVar("Config", bound=PipelineConfig)

_FIXED = ("seed", "trainer.monitor", "evaluation")
"""What trials are compared by; it must be the same in all."""


@dataclass(frozen=True)
class SearchSpace:
    """What is searched and what is held.

    Attributes:
        domains: name to domain of each setting that is searched.
        held: settings that were given one value only.
    """

    domains: Mapping[str, Domain]
    held: Mapping[str, Value]

    @property
    def texts(self) -> dict[str, str]:
        """Each domain as it would be typed."""
        return {name: str(domain) for name, domain in self.domains.items()}


def search_space(
    config: PipelineConfig, declared: Mapping[str, str], typed: Iterable[str] = ()
) -> SearchSpace:
    """The core's own space around ``config``, overlaid by what the pipeline declares and what was typed.

    Args:
        config: the settings to search around.
        declared: `Pipeline.search_space`.
        typed: expressions such as ``optimizer.lr=1e-4:1e-1:log``; a single value holds a setting there.

    Raises:
        ConfigError: an expression does not fit, a setting is named twice, or nothing is left to search.
    """
    model = type(config)
    domains: dict[str, Domain] = {}
    for name, text in (*default_texts(config).items(), *declared.items()):
        domains[name] = parse_domain(model, name, text, where=f"search space, {name}={text}")
    seen: set[str] = set()
    for expression in typed:
        name, text = split_expression(expression)
        where = f"--search {expression}"
        if name in seen:
            raise ConfigError(f"{where}: expected each setting once, found '{name}' a second time")
        if name in _FIXED or name.partition(".")[0] in _FIXED:
            raise ConfigError(
                f"{where}: '{name}' cannot be searched, because trials are compared by it; "
                "set it for all of them as an option or in the file of settings"
            )
        seen.add(name)
        domains[name] = parse_domain(model, name, text, where=where)
    held = {
        name: domain.values[0]
        for name, domain in domains.items()
        if isinstance(domain, Choice) and len(domain.values) == 1
    }
    searched = {name: domain for name, domain in domains.items() if name not in held}
    if not searched:
        raise ConfigError(
            "every setting is held at one value and nothing is left to search; "
            "give one a range, such as --search optimizer.lr=1e-4:1e-1:log"
        )
    return SearchSpace(searched, held)


def default_texts(config: PipelineConfig) -> dict[str, str]:
    """What is worth searching in any pipeline: learning rate, weight decay, batch size."""
    rate, decay, batch = config.optimizer.lr, config.optimizer.weight_decay or 0.01, config.batch_size
    texts = {
        "optimizer.lr": f"{rate / 10:.6g}:{rate * 10:.6g}:log",
        "optimizer.weight_decay": f"{decay / 100:.6g}:{decay * 10:.6g}:log",
    }
    if batch != "auto":
        texts["batch_size"] = ",".join(str(size) for size in (batch // 2, batch, 2 * batch) if size)
    return texts


def with_values(config: Config, values: Mapping[str, Any]) -> Config:
    """``config`` with other values of some settings, nested ones named with dots.

    Raises:
        ConfigError: a value does not fit, alone or beside the others.
    """
    nested = (
        reduce(lambda inner, part: {part: inner}, reversed(name.split(".")), value)
        for name, value in values.items()
    )
    return resolve(type(config), options=reduce(overlay, nested, config.model_dump()))


def value_of(config: PipelineConfig, name: str) -> Any:
    """The value of the setting ``name``, nested ones named with dots."""
    return reduce(getattr, name.split("."), config)
