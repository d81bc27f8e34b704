"""A pipeline's settings on the command line: options, presets and a file, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from fivefold.cli.options import options_type
from fivefold.config import PipelineConfig, Presets, resolve
from fivefold.plugins.spec import PipelineSpec
from fivefold.plugins.targets import load_config, load_presets

GROUP = Group("Settings", help="Each can stand in a YAML file for --config, too.", sort_key=2)
RESERVED = (
    "config",
    "data",
    "debug",
    "device",
    "devices",
    "dry_run",
    "json",
    "minutes",
    "no_plugins",
    "out",
    "pipeline",
    "preset",
    "profile",
    "prune",
    "resume",
    "schema",
    "search",
    "steps",
    "storage",
    "strict",
    "study",
    "to",
    "trials",
)


@dataclass(frozen=True)
class Settings:
    """What the commands of a pipeline need to know of its settings."""

    model: type[PipelineConfig]
    presets: Presets

    @classmethod
    def of(cls, spec: PipelineSpec) -> Settings:
        """Import them."""
        return cls(load_config(spec), load_presets(spec))

    @property
    def options(self) -> Any:
        """Annotation of the parameter that takes all settings, each as an option of its own."""
        return Annotated[options_type(self.model, RESERVED) | None, Parameter(name="*", group=GROUP)]

    @property
    def preset(self) -> Any:
        """Annotation of ``--preset``."""
        names: Any = Literal[tuple(self.presets)] if self.presets else str
        text = (
            "Named settings; the list is above."
            if self.presets
            else "Named settings; this pipeline has none."
        )
        return Annotated[names | None, Parameter(help=text)]

    def resolve(
        self, preset: str | None, file: Path | None, typed: Mapping[str, Any] | None
    ) -> PipelineConfig:
        """The configuration that a command runs with.

        Raises:
            ConfigError: a key is unknown, or a value does not fit; says where it was set.
        """
        options: Mapping[str, Any] = typed or {}
        return resolve(self.model, presets=self.presets, preset=preset, file=file, options=options)
