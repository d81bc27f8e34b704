from __future__ import annotations

import importlib.metadata

from fivefold.provenance import versions


def test_versions_are_those_of_the_core_and_of_the_domain_s_extra() -> None:
    alone, with_extra = versions(), versions("fivefold", "healthcare")
    assert alone["torch"] == importlib.metadata.version("torch")
    assert "pydicom" not in alone
    assert with_extra["pydicom"] == importlib.metadata.version("pydicom")
    assert alone.items() <= with_extra.items()
    assert "pytest" not in with_extra  # what only developers need bears on no result


def test_a_distribution_that_is_not_installed_has_no_version() -> None:
    assert versions("a-distribution-that-is-nowhere") == versions()
