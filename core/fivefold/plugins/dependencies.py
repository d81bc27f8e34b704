"""The packages that fivefold itself needs: a sentence where one is missing or too old.

pip sees to them when fivefold is installed; what it cannot see is what is removed, or overlaid by another
environment, later on.
"""

from __future__ import annotations

import importlib.metadata

from fivefold.errors import DependencyError


def check_dependencies(distribution: str = "fivefold") -> None:
    """Compare what is installed with what ``distribution`` says it needs.

    Raises:
        DependencyError: a package is missing or too old; says what to install.
    """
    problems = unmet(distribution)
    if problems:
        raise DependencyError(
            f"{distribution} {'; '.join(problems)}; run: pip install --upgrade {distribution}"
        )


def unmet(distribution: str) -> list[str]:
    """What is missing or of a version that does not fit, one phrase each; extras are left out."""
    try:
        from packaging.requirements import Requirement  # noqa: PLC0415 - itself one of the packages in question
    except ModuleNotFoundError:
        return ["needs packaging, which is not installed"]
    problems = []
    for line in importlib.metadata.requires(distribution) or ():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        wanted = f"{requirement.name}{requirement.specifier}"
        try:
            found = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            problems.append(f"needs {wanted}, which is not installed")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            problems.append(f"needs {wanted}, found {found}")
    return problems
