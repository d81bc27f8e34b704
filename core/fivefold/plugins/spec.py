"""What plugins hand to the core: small values that name things, cheap to build, without torch."""

from __future__ import annotations

from dataclasses import dataclass

CONTRACT = 1
"""Version of the plugin contract. A plugin states the one it was built for as ``FIVEFOLD_CONTRACT`` in its
module; without that it is taken to be 1, the first."""


@dataclass(frozen=True)
class PipelineSpec:
    """A pipeline, before it is imported.

    Attributes:
        name: ``domain/task``, lower case; also its commands: ``fivefold domain task train``.
        summary: one line for help texts.
        target: ``module:Class`` of the `Pipeline`, imported when the pipeline is used.
        config: ``module:Class`` of its config where that imports faster than the pipeline, for quick help texts;
            empty takes ``Pipeline.Config``.
        example: the data argument that help texts show: a named dataset or a path.
    """

    name: str
    summary: str
    target: str
    config: str = ""
    example: str = "data/"

    @property
    def domain(self) -> str:
        """``vision`` of ``vision/classify``."""
        return self.name.partition("/")[0]

    @property
    def task(self) -> str:
        """``classify`` of ``vision/classify``."""
        return self.name.partition("/")[2]


@dataclass(frozen=True)
class DatasetSpec:
    """A named dataset: ``manifest`` is ``package:file.yaml``, a resource inside an importable package."""

    name: str
    summary: str
    manifest: str
    pipelines: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSpec:
    """A named backbone: ``target`` is ``module:Class``; ``manifest`` names its weights, empty where it has none."""

    name: str
    summary: str
    target: str
    manifest: str = ""


@dataclass(frozen=True)
class CommandSpec:
    """A command of a domain's own: ``name`` is ``domain/command``, ``target`` the ``module:function`` it runs."""

    name: str
    summary: str
    target: str
