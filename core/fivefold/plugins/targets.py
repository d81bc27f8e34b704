"""Targets: ``module:name`` strings of specs, imported when used, with a sentence where that fails."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fivefold.errors import DependencyError, FivefoldError, PluginError
from fivefold.plugins.spec import CommandSpec, PipelineSpec, SourceSpec

if TYPE_CHECKING:
    from fivefold.config import PipelineConfig, Presets, StrictModel
    from fivefold.pipeline import Pipeline


def load_target(target: str, *, domain: str = "") -> Any:
    """The object that ``module:name`` names.

    Args:
        target: module and attribute.
        domain: of the pipeline or command, which may have an extra of its name.

    Raises:
        DependencyError: a package that the module needs is not installed; says what to install.
        PluginError: the module cannot be imported or has no such attribute; names its distribution.
    """
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except FivefoldError:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or str(error)
        own = missing.partition(".")[0] == module_name.partition(".")[0]
        if own:
            raise PluginError(
                f"{_distribution(target)}: cannot import {module_name} (no module {missing})"
            ) from error
        raise DependencyError(missing_package(missing, target, domain)) from error
    except Exception as error:
        raise PluginError(
            f"{_distribution(target)}: importing {module_name} failed with {type(error).__name__}: {error}"
        ) from error
    if not hasattr(module, attribute):
        raise PluginError(
            f"{_distribution(target)}: {module_name} has no '{attribute}', which target '{target}' names"
        )
    return getattr(module, attribute)


def missing_package(missing: str, target: str, domain: str) -> str:
    """The sentence for a package that ``target`` needs and that is not installed.

    Names the extra of the owning distribution that is called like the domain, where there is one.
    """
    distribution = _distribution(target)
    package = missing.partition(".")[0]
    try:
        extras = importlib.metadata.metadata(distribution).get_all("Provides-Extra") or []
    except importlib.metadata.PackageNotFoundError:
        extras = []
    wanted = f'"{distribution}[{domain}]"' if domain in extras else package
    module = target.partition(":")[0]
    return f"{module} needs the package '{package}', which is not installed; run: pip install {wanted}"


def _distribution(target: str) -> str:
    """The distribution that brings the module of ``target``, or the module's own name where none says so."""
    package = target.partition(":")[0].partition(".")[0]
    owners = importlib.metadata.packages_distributions().get(package)
    if owners:
        return owners[0]
    # Editable installations list no packages; the entry point that leads into the module does.
    for entry_point in importlib.metadata.entry_points(group="fivefold.plugins"):
        if re.split(r"[.:]", entry_point.value)[0] == package and entry_point.dist:
            return entry_point.dist.name
    return package


def load_pipeline(spec: PipelineSpec) -> type[Pipeline]:
    """The pipeline's class.

    Raises:
        PluginError: it cannot be imported, or is no `Pipeline`.
        DependencyError: a package that it needs is not installed.
    """
    loaded = load_target(spec.target, domain=spec.domain)
    from fivefold.pipeline import Pipeline  # noqa: PLC0415 - imports torch

    if not (isinstance(loaded, type) and issubclass(loaded, Pipeline)):
        raise PluginError(
            f"{_distribution(spec.target)}: {spec.target} is no subclass of fivefold.pipeline.Pipeline"
        )
    return loaded


def load_config(spec: PipelineSpec) -> type[PipelineConfig]:
    """The pipeline's settings model, without the pipeline where the spec says how.

    Raises:
        PluginError: it is none, or its ``reading`` names settings that it does not have.
        DependencyError: a package that it needs is not installed.
    """
    loaded = load_target(spec.config, domain=spec.domain) if spec.config else load_pipeline(spec).Config
    from fivefold.config import PipelineConfig  # noqa: PLC0415 - imports pydantic

    if not (isinstance(loaded, type) and issubclass(loaded, PipelineConfig)):
        where = spec.config or f"{spec.target}.Config"
        raise PluginError(
            f"{_distribution(spec.target)}: {where} is no subclass of fivefold.config.PipelineConfig"
        )
    from fivefold.config.reading import check_reading  # noqa: PLC0415 - imports pydantic

    check_reading(loaded)
    return loaded


def load_presets(spec: PipelineSpec) -> Presets:
    """The pipeline's presets, without the pipeline where the spec says how."""
    loaded = load_target(spec.presets, domain=spec.domain) if spec.presets else load_pipeline(spec).presets
    if not isinstance(loaded, Mapping):
        where = spec.presets or f"{spec.target}.presets"
        raise PluginError(f"{_distribution(spec.target)}: {where} is no mapping of names to functions")
    return loaded


def load_prediction(spec: PipelineSpec) -> type[StrictModel]:
    """The options of the pipeline's predictions, without the pipeline where the spec says how."""
    loaded = (
        load_target(spec.prediction, domain=spec.domain)
        if spec.prediction
        else load_pipeline(spec).Prediction
    )
    from fivefold.config import StrictModel  # noqa: PLC0415 - imports pydantic

    if not (isinstance(loaded, type) and issubclass(loaded, StrictModel)):
        where = spec.prediction or f"{spec.target}.Prediction"
        raise PluginError(
            f"{_distribution(spec.target)}: {where} is no subclass of fivefold.config.StrictModel"
        )
    return loaded


def load_command(spec: CommandSpec) -> Callable[..., Any]:
    """The function of a domain's own command."""
    return _load_function(spec.target, spec.domain)


def load_source(spec: SourceSpec) -> Callable[..., Any]:
    """The function that fetches what an address names."""
    return _load_function(spec.target)


def _load_function(target: str, domain: str = "") -> Callable[..., Any]:
    loaded = load_target(target, domain=domain)
    if not callable(loaded):
        raise PluginError(f"{_distribution(target)}: {target} is no function")
    return loaded  # type: ignore[no-any-return]  # callable() narrows Any to a callable that returns object
