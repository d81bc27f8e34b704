"""Data for many trials, read and split once: again only where a trial changes a setting that shapes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from fivefold.config import PipelineConfig
from fivefold.pipeline import Pipeline
from fivefold.plugins.registry import Registry
from fivefold.tuning.expressions import group_of, setting_names
from fivefold.tuning.space import value_of
from fivefold.workflow.preparing import Prepared, prepare


class Watched:
    """Settings that note which of them are read; otherwise they are as those that they stand for.

    Args:
        settings: the settings.
        seen: gets the names of those that are read, nested ones with dots.
        prefix: what these settings' names begin with.
    """

    def __init__(self, settings: BaseModel, seen: set[str], prefix: str = "") -> None:
        self._settings = settings
        self._seen = seen
        self._prefix = prefix

    # So that isinstance() answers as for the settings themselves.
    @property  # type: ignore[misc]  # a class may be a property, which mypy does not know
    def __class__(self) -> type[BaseModel]:  # type: ignore[override]  # as above
        return type(self._settings)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._settings, name)
        kind = type(self._settings)
        if name not in kind.model_fields:  # a method or property may read any of them
            self._seen.update(setting_names(kind, self._prefix))
        elif group_of(kind.model_fields[name]) is not None:
            return Watched(value, self._seen, f"{self._prefix}{name}.")
        else:
            self._seen.add(f"{self._prefix}{name}")
        return value

    def __iter__(
        self,
    ) -> Iterator[tuple[str, Any]]:  # looked up on the class, so that __getattr__ is not asked
        for name in type(self._settings).model_fields:
            yield name, getattr(self, name)


class SharedData:
    """The samples of a source, for one configuration after the other.

    What reading, splitting and sampling read of the settings is noted. Configurations that agree in that have
    the same data, and get the same.

    Args:
        pipeline: the pipeline's class.
        source: a path, or the name of a dataset.
        registry: the plugins.
        strict: refuse data with leakage between the splits.
    """

    def __init__(self, pipeline: type[Pipeline], source: str, registry: Registry, *, strict: bool) -> None:
        self._pipeline = pipeline
        self._source = source
        self._registry = registry
        self._strict = strict
        self._held: Prepared | None = None
        self._config: PipelineConfig | None = None
        self._seen: set[str] = set()

    def prepared(self, config: PipelineConfig) -> Prepared:
        """The data as they are for ``config``.

        Raises:
            DataError: they cannot be read or split.
            LeakageError: ``strict``, and a sample stands on both sides of a split.
        """
        if self._held is not None and self._agrees(config):
            return self._held
        self._held = None  # let go of the old samples before the new ones are read
        self._config, self._seen = config, set()
        pipeline = self._pipeline(Watched(config, self._seen))
        self._held = prepare(pipeline, self._source, self._registry, strict=self._strict)
        return self._held

    def _agrees(self, config: PipelineConfig) -> bool:
        """Whether ``config`` sets what the data at hand depend on as theirs did."""
        before = self._config
        return before is not None and all(
            value_of(config, name) == value_of(before, name) for name in self._seen
        )
