"""Every hook says what it is for, here and in the reference."""

from __future__ import annotations

import inspect

import pytest

from contracts.conftest import ROOT
from fivefold.plugins import hookspecs

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("fivefold_"))


def test_the_hooks_are_those_of_the_contract() -> None:
    assert [
        f"fivefold_{kind}" for kind in ("callbacks", "commands", "datasets", "models", "pipelines", "sources")
    ] == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook: str) -> None:
    document = inspect.getdoc(getattr(hookspecs, hook))
    assert document is not None
    assert document.endswith((".", "``."))
    reference = "\n".join(
        page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").rglob("*.md")
    )
    assert hook in reference
