"""The run: a directory that holds everything about one training.

<run>/config.yaml  run.json  metrics.jsonl  tensorboard/  checkpoints/step-*/
      model.safetensors  report.json  report.html  evaluations/<name>/report.*
      and the documents that the model needs, such as tokenizer.json
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from fivefold.errors import ConfigError, RunError
from fivefold.files import write_json, write_text
from fivefold.training.watching.records import read_records

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Evaluation

FORMAT = 1
"""Version of the run directory's format; newer ones are refused, older ones stay readable."""

RUNS = Path("runs")
"""Where runs go that are given no directory: ``runs/<domain>-<task>/<name>``."""


@dataclass(frozen=True)
class Run:
    """A run directory.

    Attributes:
        path: the directory.
        info: the contents of ``run.json``: pipeline, status, data, versions, facts, headline result.
    """

    path: Path
    info: dict[str, Any]

    @classmethod
    def create(
        cls,
        path: Path,
        config: Mapping[str, Any],
        info: Mapping[str, Any],
        documents: Mapping[str, str] | None = None,
    ) -> Run:
        """Make a new run directory with its configuration, its documents and the first ``run.json``.

        Raises:
            RunError: the directory exists and is not empty.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(
                f"{path}: expected a new or empty directory for the run, found files in it; "
                "choose another --out, or add --resume to go on with the run that is there"
            )
        path.mkdir(parents=True, exist_ok=True)
        named = {"documents": sorted(documents)} if documents else {}
        run = cls(path, {"format": FORMAT, **info, **named})
        run.write_config(config)
        for name, text in (documents or {}).items():
            write_text(path / name, text)
        run.update()
        return run

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Open an existing run directory.

        Raises:
            RunError: there is no run, its ``run.json`` is broken, or its format is newer than this version knows.
        """
        path = Path(path)
        file = path / "run.json"
        if not path.is_dir():
            raise RunError(
                f"{path}: no such run directory; `fivefold runs list` shows the runs that there are"
            )
        if not file.is_file():
            raise RunError(
                f"{path}: expected a run directory with a run.json, found none; give the directory of a run"
            )
        try:
            info = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunError(
                f"{file}: expected JSON, found something else ({error}); the run cannot be read"
            ) from error
        found = info.get("format") if isinstance(info, dict) else None
        if not isinstance(found, int):
            raise RunError(
                f"{file}: expected the key 'format' with a number, found {found!r}; the run cannot be read"
            )
        if found > FORMAT:
            raise RunError(
                f"{file}: expected a run of format {FORMAT} or older, found format {found}; upgrade fivefold to read it"
            )
        return cls(path, info)

    @property
    def pipeline(self) -> str:
        """Name of the pipeline, ``domain/task``."""
        return str(self.info["pipeline"])

    @property
    def status(self) -> str:
        """One of ``training``, ``interrupted``, ``failed``, ``complete``."""
        return str(self.info.get("status", "failed"))

    @property
    def config(self) -> dict[str, Any]:
        """The settings of the run, as plain values.

        Raises:
            RunError: ``config.yaml`` is missing or broken.
        """
        file = self.path / "config.yaml"
        try:
            return dict(yaml.safe_load(file.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError, TypeError, ValueError) as error:
            raise RunError(
                f"{file}: expected the run's settings as YAML, found none that can be read: {error}"
            ) from error

    @property
    def facts(self) -> dict[str, Any]:
        """What the task knows of the training data (classes, sizes)."""
        return dict(self.info.get("facts", {}))

    @property
    def documents(self) -> dict[str, str]:
        """Text files that belong to the model, such as its tokenizer: name to content.

        Raises:
            RunError: one is missing or cannot be read.
        """
        found = {}
        for name in self.info.get("documents", ()):
            file = self.path / Path(name).name  # a name, never a path that leads elsewhere
            try:
                found[name] = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise RunError(
                    f"{file}: expected a document that the model of this run needs, found none that can be read: "
                    f"{error}; restore it from a copy of the run"
                ) from error
        return found

    @property
    def weights(self) -> Path:
        """The trained weights."""
        return self.path / "model.safetensors"

    @property
    def report(self) -> dict[str, Any] | None:
        """The contents of ``report.json``, or None where the run has none yet."""
        file = self.path / "report.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of ``metrics.jsonl``, oldest first; a half-written last line is left out."""
        return read_records(self.path / "metrics.jsonl")

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the settings, whole or not at all."""
        write_text(self.path / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False))

    def update(self, **values: Any) -> None:
        """Set values in ``run.json`` and write it, whole or not at all."""
        self.info.update(values)
        write_json(self.path / "run.json", self.info)

    def predict(
        self,
        *sources: str | Path,
        texts: Sequence[str] | None = None,
        device: str = "auto",
        reading: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> list[dict[str, Any]]:
        """Predictions for files or folders: one record a sample, in the words of the training data.

        Args:
            sources: files, folders or names of datasets.
            texts: in the place of sources, for pipelines that read texts: what is to be predicted; the records are
                called ``text 1``, ``text 2``, ...
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
            reading: settings for sources that are written otherwise than the training's data, such as
                ``{"columns": {"text": "subject"}}``; those that the pipeline's ``Config.reading`` names.
            options: the pipeline's own options of prediction, by name.

        Raises:
            RunError: the run has no trained weights.
            ConfigError: an option is unknown or does not fit, or an input is neither a string nor a path.
            DataError: a file or text cannot be read.
        """
        from fivefold.workflow import predict  # noqa: PLC0415 - a run can be listed without torch

        for source in sources:
            if not isinstance(source, (str, Path)):
                raise ConfigError(
                    f"predict: expected files, folders or names of datasets, each an argument of its own, found a "
                    f"{type(source).__name__}; unpack a list of files (predict(*files)), and give texts as "
                    "predict(texts=[...])"
                )
        names = [str(source) for source in sources]
        return predict(self, names, texts=texts, device=device, options=options, reading=reading)

    def evaluate(
        self,
        source: str | Path | None = None,
        *,
        device: str = "auto",
        strict: bool = False,
        reading: Mapping[str, Any] | None = None,
    ) -> Evaluation:
        """Judge the run on its own test split, or on the labelled data at ``source``; writes a report.

        Args:
            source: labelled data; the run's own test split without.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
            strict: refuse data that share samples with the training data.
            reading: settings for a source that is written otherwise than the training's data, such as
                ``{"columns": {"text": "subject"}}``; those that the pipeline's ``Config.reading`` names.

        Raises:
            RunError: the run has no trained weights.
            ConfigError: ``reading`` does not fit, or is given without a source.
            DataError: the data cannot be read, or carry a label that the model does not know.
            LeakageError: ``strict`` and a sample of the training data stands in the data judged.
        """
        from fivefold.workflow import evaluate  # noqa: PLC0415 - a run can be listed without torch

        name = None if source is None else str(source)
        return evaluate(self, name, device=device, strict=strict, reading=reading)[0]


def run_to_resume(pipeline: str, source: str, out: Path | None) -> Run | None:
    """The run that ``--resume`` goes on with; None where ``out`` is new, which starts afresh.

    Args:
        pipeline: name of the pipeline.
        source: the data, as the user calls them.
        out: the run's directory; without it, the newest unfinished run of the pipeline on ``source`` is taken.

    Raises:
        RunError: the directory holds no run of this pipeline, or there is no unfinished one.
    """
    if out is not None:
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            return None
        run = Run.open(out)
        if run.pipeline != pipeline:
            raise RunError(
                f"{out}: expected a run of {pipeline}, found one of {run.pipeline}; choose another --out"
            )
        return run
    root = RUNS / pipeline.replace("/", "-")
    wanted = {source, str(Path(source).resolve())}
    runs = [run for run in list_runs(root) if isinstance(run, Run) and run.status != "complete"]
    runs = [run for run in runs if run.info.get("data", {}).get("source") in wanted]
    if not runs:
        raise RunError(
            f"{root}: expected an unfinished run on {source} to go on with, found none; "
            "name its directory by --out, or leave --resume away"
        )
    return max(runs, key=lambda run: str(run.info.get("created", "")))


def new_directory(pipeline: str, source: str, prefix: str = "") -> Path:
    """A directory below ``runs/`` that is not there yet, named by the time and the data.

    Args:
        pipeline: name of the pipeline.
        source: the data, as the user calls them.
        prefix: what its name begins with, where it is to hold no run.
    """
    base = RUNS / pipeline.replace("/", "-")
    # Addresses have characters that shells and file systems read as something else.
    called = re.sub(r"[^\w .()+-]+", "-", Path(source).stem) or "data"
    name = f"{prefix}{datetime.now():%Y-%m-%d-%H%M%S}-{called}"
    candidates = [base / name, *(base / f"{name}-{number}" for number in range(2, 1000))]
    return next(path for path in candidates if not path.exists())


def list_runs(root: Path) -> Iterator[Run | RunError]:
    """Every run below ``root``, in order of path; those that cannot be opened come as the error that says why."""
    for file in sorted(root.glob("**/run.json")):
        try:
            yield Run.open(file.parent)
        except RunError as error:
            yield error
