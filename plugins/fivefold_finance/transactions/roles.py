"""Which column is which: by the user's word, else by its usual names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from fivefold.config.fields import require_named
from fivefold.errors import DataError
from fivefold_finance.transactions.options import NONE, SYNONYMS, ColumnsConfig
from fivefold_finance.transactions.schema import Roles

_NEEDED = ("time", "amount")


def find_roles(
    names: Sequence[str], columns: ColumnsConfig, source: str, trained: Collection[str] = ()
) -> Roles:
    """The role of each column.

    Args:
        names: of the columns that there are.
        columns: what they are called.
        source: for messages.
        trained: roles whose columns are called as in a training, and were not named for these data.

    Raises:
        DataError: a column that the options name is not there, or a time or amount cannot be found.
    """
    _require_named(names, columns, source, trained)
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(_plain(name), name)
    chosen: dict[str, str | None] = {}
    found: list[str] = []
    for role, synonyms in SYNONYMS.items():
        told = getattr(columns, role)
        if told is not None:
            chosen[role] = None if told == NONE else told
            continue
        usual = (plain[word] for word in synonyms if word in plain)
        taken = {*chosen.values(), *columns.ignore}
        chosen[role] = next((name for name in usual if name not in taken), None)
        if chosen[role] is not None:
            found.append(role)
    for role in _NEEDED:
        if chosen[role] is None:
            raise DataError(
                f"{source}: expected a column with the {role}, found {', '.join(names) or 'none'}; name it by "
                f"--columns.{role.replace('_', '-')}"
            )
    return Roles(found=tuple(found), **chosen)  # type: ignore[arg-type]  # time and amount were checked above


def known_roles(names: Sequence[str], columns: ColumnsConfig) -> bool:
    """Whether these are columns of transactions: a time, an amount, and a label or an account."""
    try:
        roles = find_roles(names, columns, "")
    except DataError:
        return False
    return roles.label is not None or roles.account is not None


def told_roles(roles: Roles) -> list[str]:
    """A sentence that says which columns were taken by their usual names; none where the user named all."""
    if not roles.found:
        return []
    named = ", ".join(f"{role.replace('_', ' ')} from '{getattr(roles, role)}'" for role in roles.found)
    return [
        f"Columns were recognised by their names: {named}. If one is wrong, name it by --columns.time and so on."
    ]


def _require_named(
    names: Sequence[str], columns: ColumnsConfig, source: str, trained: Collection[str]
) -> None:
    """Refuse columns that the settings name and that are not there."""
    for role, value in dict(columns).items():
        option = f"--columns.{role.replace('_', '-')}"
        for name in [value] if isinstance(value, str) else value or ():
            if name != NONE and role in trained and name not in names:
                raise DataError(
                    f"{source}: expected the column '{name}', as in training, found {', '.join(names)}; name it by "
                    f"{option}, or rename it"
                )
            if name != NONE:
                require_named(source, names, {option: name})


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
