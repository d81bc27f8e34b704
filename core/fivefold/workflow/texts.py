"""Prediction of texts that are in memory, by any pipeline that reads a folder of text files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fivefold.errors import ConfigError, DataError
from fivefold.pipeline import Pipeline
from fivefold.prediction import Request, Source
from fivefold.tasks.base import Task

_CALLED = "texts"
"""What the folder is called in messages."""


def predict_texts(
    pipeline: Pipeline, task: Task, texts: Sequence[str], request: Request
) -> list[dict[str, Any]]:
    """One record a text, called ``text 1``, ``text 2``, ...

    The texts are handed over as a folder of files in UTF-8, which is what pipelines read, and which is gone after.

    Args:
        pipeline: with the facts of its training data.
        task: trained, in evaluation mode.
        texts: to predict.
        request: options and device; its sources are not looked at.

    Raises:
        ConfigError: ``texts`` is a single string, or holds something else than strings.
        DataError: the pipeline cannot read a text, or none at all.
    """
    _check(texts)
    if "encoding" in type(pipeline.config).model_fields:
        pipeline.config = pipeline.config.model_copy(update={"encoding": "utf-8"})
    with TemporaryDirectory(prefix="fivefold-") as made:
        folder = Path(made)
        digits = len(str(len(texts)))
        names = {}
        for number, text in enumerate(texts, 1):
            file = folder / f"text {number:0{digits}}.txt"
            file.write_text(text, encoding="utf-8", newline="")
            names[str(file)] = names[file.name] = f"text {number}"
        try:
            records = pipeline.predict(task, replace(request, sources=(Source(made, folder),)))
        except DataError as error:
            said = str(error)
            for path in sorted(names, key=len, reverse=True):
                said = said.replace(path, names[path])
            if said.startswith(made):
                said += "; this pipeline found no texts among them, so give it files of its kind"
            raise DataError(said.replace(made, _CALLED)) from error
    return [{**record, "id": names.get(str(record.get("id")), record.get("id"))} for record in records]


def _check(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise ConfigError("texts: expected a list of texts, found a single one; give [text]")
    for number, text in enumerate(texts, 1):
        if not isinstance(text, str):
            raise ConfigError(
                f"texts, number {number}: expected a text, found {type(text).__name__}; give strings"
            )
    if not texts:
        raise ConfigError("texts: expected a text at least, found none")
