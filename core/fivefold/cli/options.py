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
    model: type[BaseModel],
    reserved: Collection[str] = (),
    defaults: BaseModel | None = None,
    *,
    only: Collection[str] | None = None,
) -> Any:
    """A typed dict with the fields of ``model``, every one of which can be left out.

    Args:
        model: the settings.
        reserved: names that the command has as options of its own.
        defaults: an instance whose values help texts show, where those differ from the model's own.
        only: names of the fields to offer, of a group also single ones (``columns.time``), without their defaults;
            all where None.

    Raises:
        PluginError: a field has the name of an option that every command has.
    """
    offered = set(model.model_fields) if only is None else {name.partition(".")[0] for name in only}
    clash = sorted(offered & set(reserved))
    if clash:
        raise PluginError(
            f"{model.__module__}.{model.__qualname__}: the setting '{clash[0]}' has the name of an option "
            "that the command has already; rename it"
        )
    return _typed_dict(model, _fields(model, defaults, only))


def _fields(
    model: type[BaseModel], defaults: BaseModel | None, only: Collection[str] | None
) -> dict[str, Any]:
    """The options of a model or group that ``only`` names; all where it is None, or holds an empty name."""
    fields = {}
    for name, field in model.model_fields.items():
        if only is None or "" in only:
            fields[name] = _field(name, field, defaults, only)
        elif inner := {one.partition(".")[2] for one in only if one.partition(".")[0] == name}:
            fields[name] = _field(name, field, defaults, inner)
    return fields


def _typed_dict(model: type[BaseModel], fields: dict[str, Any]) -> Any:
    make: Any = TypedDict  # type checkers know its class form only; these fields are known at run time
    return make(f"{model.__name__}Options", fields, total=False)


def _field(name: str, field: FieldInfo, defaults: BaseModel | None, only: Collection[str] | None) -> Any:
    """The annotation of one option: its type and its help."""
    if defaults is not None:
        default = getattr(defaults, name)
    else:
        default = field.get_default(call_default_factory=True, validated_data={})
    annotation: Any = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        own = default if isinstance(default, annotation) else None
        fields = _fields(annotation, own, only)
        return Annotated[
            _typed_dict(annotation, {"": _bare(next(iter(fields))), **fields}),
            Parameter(help=_plain(field.description)),
        ]
    hidden = only is not None or default is None or default is PydanticUndefined or default == ()
    # A line break, say, would not be seen.
    told = repr(default) if isinstance(default, str) and default != default.strip() else default
    shown = "" if hidden else f" [default: {told}]"
    return Annotated[annotation, Parameter(help=f"{_plain(field.description)}{shown}".strip())]


def _bare(first: str) -> Any:
    """What stands before ``first`` in a group: it gets a value typed behind the group's name, and refuses it."""
    example = first.replace("_", "-")

    def refuse(_type: Any, tokens: Sequence[Token]) -> None:
        typed = f"{tokens[0].keyword}".rstrip(".")
        raise ConfigError(
            f"option {typed}: expected the name of a setting behind it, found the value '{tokens[0].value}'; type, for "
            f"example, {typed}.{example} {tokens[0].value}"
        )

    return Annotated[str, Parameter(show=False, converter=refuse)]


def _plain(description: str | None) -> str:
    """A description without the marks of reStructuredText, which terminals show as they are."""
    return " ".join((description or "").replace("``", "'").split())
