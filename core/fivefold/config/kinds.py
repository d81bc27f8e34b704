"""Settings of networks of several kinds, each of which has only some of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fivefold.config.models import StrictModel


def refuse_fields_of_other_kinds(
    settings: StrictModel, kind: str, fields: Mapping[Any, Collection[str]], common: Collection[str] = ()
) -> None:
    """Refuse a setting that is given and does nothing for the kind of network chosen.

    Args:
        settings: with a field ``kind``; a field that is None is not given.
        kind: the one chosen.
        fields: which settings each kind has.
        common: those that every kind has.

    Raises:
        ValueError: there is one; for pydantic to tell.
    """
    known = {*common, *fields[kind]}
    for field in type(settings).model_fields:
        if field != "kind" and field not in known and getattr(settings, field) is not None:
            raise ValueError(
                f"'{field}' does not apply to the kind '{kind}', which has {', '.join(sorted(known))}; leave it away"
            )
