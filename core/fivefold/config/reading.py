"""Settings that say how data are written: what a run's other data may have otherwise than its training data.

A pipeline names them in `fivefold.config.PipelineConfig.reading`: a field, or one of a group's by a point
(``columns.time``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fivefold.config.models import PipelineConfig
from fivefold.config.resolve import resolve
from fivefold.errors import ConfigError, PluginError


def check_reading(model: type[PipelineConfig]) -> None:
    """Refuse names in ``reading`` that are no fields of ``model``.

    Raises:
        PluginError: there is one; names the first.
    """
    for name in model.reading:
        group: Any = model
        for part in name.split("."):
            fields = group.model_fields if isinstance(group, type) and issubclass(group, BaseModel) else {}
            if part not in fields:
                raise PluginError(
                    f"{model.__module__}.{model.__qualname__}: 'reading' names the setting '{name}', which is not "
                    "there; name fields, such as 'encoding', or those of a group, such as 'columns.time'"
                )
            group = fields[part].annotation


def read_otherwise(model: type[PipelineConfig], file: Path, reading: Mapping[str, Any]) -> PipelineConfig:
    """The settings in ``file``, those of a training, with ``reading`` for data that are written otherwise.

    Args:
        model: the pipeline's settings.
        file: the run's ``config.yaml``.
        reading: settings as nested mappings (``{"columns": {"text": "subject"}}``).

    Raises:
        ConfigError: a setting is none of those that say how data are written, is unknown, or does not fit.
        PluginError: the pipeline names settings that it does not have.
    """
    check_reading(model)
    settings = resolve(model, file=file, options=reading)  # first, as it knows close names of unknown ones
    for name, _ in _flat(reading):
        if not any(name == one or name.startswith(f"{one}.") for one in model.reading):
            allowed = ", ".join(model.reading) or "none"
            raise ConfigError(
                f"reading: expected settings that say how data are written ({allowed}), found '{name}'; the model was "
                "trained with it, so leave it away"
            )
    return settings


def given_options(reading: Mapping[str, Any]) -> str:
    """``reading`` as options of the command line: ``--columns.text subject --encoding cp1252``."""
    return " ".join(word for name, value in _flat(reading) for word in _typed(name.replace("_", "-"), value))


def _typed(name: str, value: Any) -> Iterator[str]:
    """An option as it is typed, once for each of several values."""
    if isinstance(value, bool):
        group, _, last = name.rpartition(".")
        yield f"--{group}{'.' * bool(group)}{'' if value else 'no-'}{last}"
        return
    for one in value if isinstance(value, list | tuple) else [value]:
        yield f"--{name} {f'{one:g}' if isinstance(one, float) else one}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names with points, and their values."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
