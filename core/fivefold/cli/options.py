"""Settings as options: a copy of a pipeline's config that cyclopts can take apart without judging it.

What people type is only a part of the settings: a preset and a file come below it. So the copy is a nested
typed dict: it keeps names, types, defaults and descriptions, holds only what was typed, and leaves out
requirements, bounds and validators; `fivefold.config.resolve` checks the whole once it is put together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any, TypedDict

from cyclopts import Parameter, Token
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from fivefold.errors import ConfigError, PluginError


def options_type(
    model: type[BaseModel], reserved: Collection[str] = (), defaults: BaseModel | None = None
) -> Any:
    """A typed dict with the fields of ``model``, every one of which can be left out.

    Args:
        model: the settings.
        reserved: names that the command has as options of its own.
        defaults: an instance whose values help texts show, where those differ from the model's own.

    Raises:
        PluginError: a field has the name of an option that every command has.
    """
    clash = sorted(set(model.model_fields) & set(reserved))
    if clash:
        raise PluginError(
            f"{model.__module__}.{model.__qualname__}: the setting '{clash[0]}' has the name of an option "
            "that the command has already; rename it"
        )
    fields = {name: _field(name, field, defaults) for name, field in model.model_fields.items()}
    return _typed_dict(model, fields)


def _typed_dict(model: type[BaseModel], fields: dict[str, Any]) -> Any:
    make: Any = TypedDict  # type checkers know its class form only; these fields are known at run time
    return make(f"{model.__name__}Options", fields, total=False)


def _field(name: str, field: FieldInfo, defaults: BaseModel | None) -> Any:
    """The annotation of one option: its type and its help."""
    if defaults is not None:
        default = getattr(defaults, name)
    else:
        default = field.get_default(call_default_factory=True, validated_data={})
    annotation: Any = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        own = default if isinstance(default, annotation) else None
        fields = {one: _field(one, each, own) for one, each in annotation.model_fields.items()}
        return Annotated[
            _typed_dict(annotation, {"": _bare(annotation), **fields}),
            Parameter(help=_plain(field.description)),
        ]
    hidden = default is None or default is PydanticUndefined or default == ()
    # A line break, say, would not be seen.
    told = repr(default) if isinstance(default, str) and default != default.strip() else default
    shown = "" if hidden else f" [default: {told}]"
    return Annotated[annotation, Parameter(help=f"{_plain(field.description)}{shown}".strip())]


def _bare(group: type[BaseModel]) -> Any:
    """What stands first in a group: it gets a value that is typed behind the group's name, and refuses it."""

    def refuse(_type: Any, tokens: Sequence[Token]) -> None:
        first = next(iter(group.model_fields)).replace("_", "-")
        typed = f"{tokens[0].keyword}".rstrip(".")
        raise ConfigError(
            f"option {typed}: expected the name of a setting behind it, found the value '{tokens[0].value}'; type, for "
            f"example, {typed}.{first} {tokens[0].value}"
        )

    return Annotated[str, Parameter(show=False, converter=refuse)]


def _plain(description: str | None) -> str:
    """A description without the marks of reStructuredText, which terminals show as they are."""
    return " ".join((description or "").replace("``", "'").split())
