"""What plugins hand to the core: small values that name things, cheap to build, without torch."""

from __future__ import annotations

from dataclasses import dataclass

CONTRACT = 1
"""Version of the plugin contract. A plugin states the one it was built for as ``FIVEFOLD_CONTRACT`` in its
module; without that it is taken to be 1, the first."""


@dataclass(frozen=True)
class Demo:
    """A small real job that shows a domain: ``fivefold demo`` runs it, one for each domain.

    Attributes:
        data: the dataset to train on.
        preset: the settings; empty takes the pipeline's own.
        inputs: the dataset that is then predicted, or whose files are.
        pattern: which of its files, as a glob; empty predicts the dataset as a whole.
        settings: single settings beside the preset, by their dotted names: ``(("epochs", 2),)``.
        picture: heading of the report's section whose first picture is shown; empty takes the report's first.
    """

    data: str
    preset: str
    inputs: str
    pattern: str = "**/*"
    settings: tuple[tuple[str, str | int | float | bool], ...] = ()
    picture: str = ""


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
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def task(self) -> str:
        """The part of the name behind the slash."""
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
class SourceSpec:
    """Data that lie elsewhere, by address: ``prefix:rest`` can stand wherever a command takes data.

    Attributes:
        prefix: what the addresses begin with, before the colon; lower case, two letters or more.
        summary: one line for lists.
        target: ``module:function``, imported when an address is used. The function takes the address behind the
            prefix, a folder of the cache that is its own, and a function that tells the user a sentence; it
            returns the path of a file or folder that a pipeline reads. It raises `fivefold.errors.DataError`
            (or `DownloadError`) where it cannot.
        example: an address that help texts show, with its prefix.
        terms: what a user must know before the first use: whose data, on which conditions.
    """

    prefix: str
    summary: str
    target: str
    example: str = ""
    terms: str = ""

    @property
    def name(self) -> str:
        """The prefix, by which it is known."""
        return self.prefix


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
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def command(self) -> str:
        """The part of the name behind the slash."""
        return self.name.partition("/")[2]
