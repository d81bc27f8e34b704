"""What plugins hand to the core: small values that name things, cheap to build, without torch."""

from __future__ import annotations

from dataclasses import dataclass

CONTRACT = 1
"""Version of the plugin contract. A plugin states the one it was built for as ``FIVEFOLD_CONTRACT`` in its
module; without that it is taken to be 1, the first."""


@dataclass(frozen=True)
class Demo:
    """A small real job that shows a pipeline: ``fivefold demo`` runs it.

    Attributes:
        data: the dataset to train on.
        preset: the settings.
        inputs: the dataset whose files are then predicted.
        pattern: which of its files, as a glob.
    """

    data: str
    preset: str
    inputs: str
    pattern: str = "**/*"


@dataclass(frozen=True)
class PipelineSpec:
    """A pipeline, before it is imported.

    Attributes:
        name: ``domain/task``, lower case; also its commands: ``fivefold domain task train``.
        summary: one line for help texts.
        target: ``module:Class`` of the `Pipeline`, imported when the pipeline is used.
        config: ``module:Class`` of its config where that imports faster than the pipeline, for quick help;
            empty takes ``Pipeline.Config``.
        example: the data argument that help texts show: a named dataset or a path.
        presets: ``module:MAPPING`` of its presets where that imports faster than the pipeline; empty takes
            ``Pipeline.presets``.
        demo: the job by which ``fivefold demo`` shows the pipeline, if it has one.
        prediction: ``module:Class`` of the options of ``predict`` where that imports faster than the pipeline;
            empty takes ``Pipeline.Prediction``.
        predict: what help texts show behind ``predict RUN``; empty takes the example.
    """

    name: str
    summary: str
    target: str
    config: str = ""
    example: str = "data/"
    presets: str = ""
    demo: Demo | None = None
    prediction: str = ""
    predict: str = ""

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
    """A named backbone: ``target`` is ``module:Class``; ``manifest`` names its weights, if any."""

    name: str
    summary: str
    target: str
    manifest: str = ""


@dataclass(frozen=True)
class CommandSpec:
    """A domain's own command: ``name`` is ``domain/command``, ``target`` the ``module:function`` to run.

    A target may be a ``cyclopts.App`` as well, for a command with commands of its own.
    """

    name: str
    summary: str
    target: str

    @property
    def domain(self) -> str:
        """``finance`` of ``finance/backtest``."""
        return self.name.partition("/")[0]

    @property
    def command(self) -> str:
        """``backtest`` of ``finance/backtest``."""
        return self.name.partition("/")[2]
