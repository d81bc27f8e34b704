"""Discovery: entry points of the group ``fivefold.plugins``, each imported in isolation.

pluggy's own loader stops at the first broken plugin, so the loop is ours: whatever one plugin does at import
or in a hook costs that plugin only. Disabled plugins are never imported.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import pluggy

from fivefold.errors import PluginError
from fivefold.plugins import hookspecs
from fivefold.plugins.spec import CONTRACT

GROUP = "fivefold.plugins"
PREFIX = "fivefold_"
SLOW = ("torch", "transformers", "cv2", "pandas", "scipy", "sklearn")
"""Packages that a plugin should import where they are used, not when it is discovered."""


@dataclass(frozen=True)
class Owner:
    """Who registered something: the entry point's name and the distribution that brings it."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"plugin '{self.plugin}' of {self.distribution} {self.version}"

    def describe(self) -> dict[str, str]:
        """As plain values, for ``run.json`` and ``--json``."""
        return {"plugin": self.plugin, "distribution": self.distribution, "version": self.version}


@dataclass(frozen=True)
class Candidate:
    """An entry point that was found and not imported yet."""

    owner: Owner
    entry_point: importlib.metadata.EntryPoint


@dataclass(frozen=True)
class Plugin:
    """A plugin that was imported and keeps to the contract.

    Attributes:
        owner: whose it is.
        manager: calls its hooks, and those of no other.
        slow: packages that its import brought in and that make every help text wait.
    """

    owner: Owner
    manager: pluggy.PluginManager
    slow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """A plugin that was refused.

    Attributes:
        owner: whose it is.
        reason: one sentence.
        details: the traceback, for ``fivefold plugins doctor``.
        domains: what it would have served, as far as that is known; its entry point's name among them.
    """

    owner: Owner
    reason: str
    details: str
    domains: frozenset[str]


class Isolated:
    """What became of code of a plugin's: ``failure`` is None, or why the plugin is refused."""

    def __init__(self, owner: Owner, domains: frozenset[str] = frozenset()) -> None:
        self.owner = owner
        self.domains = domains | {owner.plugin}
        self.failure: Broken | None = None

    def refuse(self, error: BaseException) -> None:
        """Note ``error`` as the reason."""
        if isinstance(error, PluginError):
            reason = str(error)
        else:
            said = str(error).strip().splitlines()
            reason = f"{self.owner} failed with {type(error).__name__}{': ' + said[0] if said else ''}"
        details = "".join(traceback.format_exception(error))
        self.failure = Broken(self.owner, reason, details, self.domains)


@contextlib.contextmanager
def isolated(owner: Owner, domains: frozenset[str] = frozenset()) -> Iterator[Isolated]:
    """Run a plugin's code: an exception, or an attempt to exit, costs that plugin only.

    What it prints goes to stderr, because stdout may carry the one JSON object that a command promised.
    """
    outcome = Isolated(owner, domains)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield outcome
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        outcome.refuse(error)


def candidates() -> list[Candidate]:
    """Entry points in a fixed order: fivefold's own, then by distribution and name.

    Of two installations of one distribution, the one that Python imports from counts (the first on its path).
    """
    found = []
    for entry_point in importlib.metadata.entry_points(group=GROUP):
        distribution = entry_point.dist
        name, version = (
            (distribution.name, distribution.version) if distribution else ("an unknown package", "")
        )
        found.append(Candidate(Owner(entry_point.name, name, version), entry_point))
    return sorted(found, key=_order)


def _order(candidate: Candidate) -> tuple[bool, str, str]:
    distribution = re.sub(r"[-_.]+", "-", candidate.owner.distribution).lower()
    return distribution != "fivefold", distribution, candidate.owner.plugin


def load(candidate: Candidate) -> Plugin:
    """Import a plugin and check it against the contract.

    Raises:
        PluginError: it was built for another contract, or defines hooks that there are not.
        Exception: whatever its module raises; call this inside `isolated`.
    """
    owner = candidate.owner
    before = set(sys.modules)
    loaded = candidate.entry_point.load()
    slow = tuple(name for name in SLOW if name in sys.modules and name not in before)
    _check_contract(owner, loaded, sys.modules.get(candidate.entry_point.module))
    manager = pluggy.PluginManager("fivefold")
    manager.add_hookspecs(hookspecs)
    _check_marked(owner, loaded)
    try:
        manager.register(loaded, name=owner.plugin)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        known = ", ".join(sorted(name for name in vars(manager.hook) if name.startswith(PREFIX)))
        reason = str(error).strip().splitlines()[-1]
        raise PluginError(
            f"{owner} does not keep to the contract ({reason}); the hooks are {known}"
        ) from error
    return Plugin(owner, manager, slow)


def _check_contract(owner: Owner, loaded: object, module: ModuleType | None) -> None:
    """Refuse a plugin of another contract version with what to upgrade."""
    stated = getattr(loaded, "FIVEFOLD_CONTRACT", getattr(module, "FIVEFOLD_CONTRACT", 1))
    if not isinstance(stated, int) or isinstance(stated, bool):
        raise PluginError(
            f"{owner} states FIVEFOLD_CONTRACT = {stated!r}; expected an integer such as {CONTRACT}"
        )
    if stated > CONTRACT:
        upgrade = "fivefold: pip install --upgrade fivefold"
    elif stated < CONTRACT:
        upgrade = f"the plugin: pip install --upgrade {owner.distribution}"
    else:
        return
    raise PluginError(
        f"{owner} was built for plugin contract {stated}, this fivefold has {CONTRACT}; upgrade {upgrade}"
    )


def _check_marked(owner: Owner, loaded: object) -> None:
    """Refuse a function that is named like a hook and lacks the mark, which pluggy passes over."""
    home = getattr(loaded, "__name__", "")
    for name, value in vars(loaded).items():
        own = callable(value) and getattr(value, "__module__", "") == home
        if name.startswith(PREFIX) and own and not hasattr(value, "fivefold_impl"):
            raise PluginError(
                f"{owner}: {name} lacks the mark @hookimpl (from fivefold.plugins import hookimpl)"
            )
