from __future__ import annotations

from pathlib import Path

import pytest

from fivefold.errors import DependencyError
from fivefold.plugins.dependencies import check_dependencies, unmet


def test_what_is_installed_here_is_enough() -> None:
    check_dependencies()
    assert unmet("fivefold") == []


@pytest.fixture
def metadata(site: Path) -> Path:
    """A distribution of its own; each test writes what it requires."""
    folder = site / "needy-1.0.dist-info"
    folder.mkdir()
    return folder / "METADATA"


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("not-to-be-found>=2", "needs not-to-be-found>=2, which is not installed"),
        ("numpy>=99", r"needs numpy>=99, found \d"),
        ("numpy>=99; extra == 'more'", None),
        ("numpy>=99; python_version < '3.0'", None),
        ("numpy", None),
    ],
)
def test_missing_and_old_packages_are_named(metadata: Path, requirement: str, said: str | None) -> None:
    metadata.write_text(
        f"Metadata-Version: 2.1\nName: needy\nVersion: 1.0\nRequires-Dist: {requirement}\n", encoding="utf-8"
    )
    if said is None:
        check_dependencies("needy")
    else:
        with pytest.raises(DependencyError, match=f"needy {said}.*pip install --upgrade needy"):
            check_dependencies("needy")
