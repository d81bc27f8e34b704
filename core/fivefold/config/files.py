"""Settings as YAML: read safely, written with each setting's description above it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from fivefold.errors import ConfigError

LARGEST = 1_000_000
"""Bytes; a settings file is a page or two, anything beyond is a mistake."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses a key that stands twice instead of taking the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                problem = f"the key '{key.value}' stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The settings in a YAML file; an empty file has none.

    Raises:
        ConfigError: the file is missing, is no YAML, or holds no mapping of settings.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(
                f"{path}: {path.stat().st_size} bytes, expected a settings file of at most {LARGEST}"
            )
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - derives from SafeLoader
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); expected a YAML file of settings"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: not UTF-8 text (byte {error.start}); expected a YAML file of settings"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{path}{_place(error)}: not valid YAML ({_problem(error)}); correct that line"
        ) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: holds a {type(values).__name__}, expected settings as 'key: value' lines")
    return {str(key): value for key, value in values.items()}


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or "unreadable")


def to_yaml(config: BaseModel) -> str:
    """All settings as YAML, each under a comment that says what it is."""
    return "\n".join(_lines(config, "")) + "\n"


def _lines(config: BaseModel, indent: str) -> Iterator[str]:
    values = config.model_dump(mode="json")
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if field.description:
            yield f"{indent}# {' '.join(field.description.split())}"
        if isinstance(value, BaseModel) and type(value).model_fields:
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        else:
            # Flow style keeps a list on the line of its name; PyYAML ends a lone scalar with a "..." line.
            text = yaml.safe_dump(values[name], default_flow_style=True, sort_keys=False, width=10_000)
            yield f"{indent}{name}: {text.removesuffix('...' + chr(10)).strip()}"
