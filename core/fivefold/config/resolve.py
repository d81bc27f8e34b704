"""From defaults, a preset, a file and options to one validated configuration; the later wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from fivefold.config.files import read_yaml
from fivefold.config.models import PipelineConfig, StrictModel, default_groups
from fivefold.config.overlay import overlay
from fivefold.config.sentences import Layer, sentence
from fivefold.errors import ConfigError

if TYPE_CHECKING:
    from fivefold.pipeline import Pipeline

Config = TypeVar("Config", bound=StrictModel)
Presets = Mapping[str, Callable[[], PipelineConfig]]


def resolve(
    model: type[Config],
    *,
    presets: Presets | None = None,
    preset: str | None = None,
    file: Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration: defaults, overlaid by the preset, then the file, then the options.

    Args:
        model: the pipeline's ``Config``, or other settings.
        presets: the pipeline's presets.
        preset: name of one of them.
        file: a YAML file of settings.
        options: settings as nested mappings (``{"optimizer": {"lr": 0.01}}``), as typed on the command line.

    Raises:
        ConfigError: an unknown preset or key, or a value that does not fit; names where it was set.
    """
    layers = []
    if preset is not None:
        layers.append(Layer(f"preset '{preset}'", preset_values(presets or {}, preset)))
    if file is not None:
        layers.append(Layer(str(file), read_yaml(file)))
    layers.append(Layer("", dict(options or {})))
    values: dict[str, Any] = {}
    for layer in layers:
        values = overlay(values, layer.values)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(sentence(error, model, layers)) from None


def build_config(
    pipeline: type[Pipeline],
    *,
    preset: str | None = None,
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> PipelineConfig:
    """The configuration of a pipeline; see `resolve`."""
    return resolve(pipeline.Config, presets=pipeline.presets, preset=preset, file=file, options=overrides)


def preset_values(presets: Presets, name: str) -> dict[str, Any]:
    """What the preset sets, leaving out what it takes from the defaults.

    Raises:
        ConfigError: there is no such preset.
    """
    if name not in presets:
        if not presets:
            raise ConfigError(f"preset '{name}': this pipeline has no presets; leave --preset out")
        close = get_close_matches(name, presets, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"preset '{name}' is unknown, expected one of {', '.join(presets)}{hint}")
    return _set_values(presets[name]())


def _set_values(settings: StrictModel) -> dict[str, Any]:
    """What ``settings`` set. A group that they set whole is whole, lest the rest of another default comes through."""
    replaced = default_groups(type(settings))
    values: dict[str, Any] = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, StrictModel) and name not in replaced:
            values[name] = _set_values(value)
        else:
            values[name] = settings.model_dump(include={name})[name]
    return values
