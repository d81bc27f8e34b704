"""Prediction: inputs of the user's through a run's network to records in the user's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fivefold.config import resolve as resolve_settings
from fivefold.config.follow import FollowOptions
from fivefold.config.reading import given_options
from fivefold.data.catalog import resolve
from fivefold.data.following import followed_lines
from fivefold.data.shown import shown
from fivefold.errors import ConfigError
from fivefold.plugins.registry import Registry, load_registry
from fivefold.prediction import Request, Source
from fivefold.runs import Run
from fivefold.training.device import choose_device
from fivefold.workflow.loading import load_task
from fivefold.workflow.texts import predict_texts


def predict(
    run: Run,
    sources: Sequence[str],
    *,
    texts: Sequence[str] | None = None,
    device: str = "auto",
    options: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    show: Callable[[str], None] | None = None,
    registry: Registry | None = None,
) -> list[dict[str, Any]]:
    """One record a sample of ``sources``, each with the sample's ``id`` first.

    Args:
        run: the trained run.
        sources: files, folders, names of datasets or addresses; may be empty where the pipeline needs no inputs
            (it generates).
        texts: in the place of sources, for pipelines that read texts; the records are called ``text 1``, ...
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        options: values of the pipeline's own options of prediction, by name.
        reading: settings for sources that are written otherwise than the training's data.
        show: writes text to the terminal as it comes to be; None where nobody watches.
        registry: the plugins; those installed and enabled without.

    Raises:
        RunError: the run has no trained weights.
        ConfigError: an option is unknown or does not fit, inputs are missing, or both sources and texts are given.
            Also where settings for reading are given without sources.
        DataError: a source is not there or cannot be read.
    """
    registry = registry or load_registry()
    kind = registry.pipeline_class(run.pipeline)
    chosen = resolve_settings(kind.Prediction, options=options)
    if sources and texts is not None:
        raise ConfigError(
            f"predict: expected sources or texts, found both ({shown(list(sources))} and {len(texts):,} texts); "
            "predict one after the other"
        )
    if not sources and texts is None and not kind.inputs_optional:
        raise ConfigError(f"INPUTS is missing: name files or folders to predict with {run.path}")
    if reading and not sources:
        raise ConfigError(
            f"{given_options(reading)}: expected files to read so, found {'none' if texts is None else 'texts'}; "
            "name files, or leave it away"
        )
    pipeline, task = load_task(run, registry, reading)
    place = choose_device(device)
    task.to(place)
    if texts is not None:
        return predict_texts(pipeline, task, texts, Request((), chosen, place, show, run.path))
    known = registry.dataset_specs, registry.source_specs
    found = tuple(Source(source, resolve(source, *known)[0]) for source in sources)
    return pipeline.predict(task, Request(found, chosen, place, show, run.path))


def follow(
    run: Run,
    source: str,
    *,
    device: str = "auto",
    options: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
) -> Iterator[list[dict[str, Any]]]:
    """Records of the lines of ``source`` as they come in; see `fivefold.data.following` and `Pipeline.follow`.

    Args:
        run: the trained run.
        source: a file that may grow, or ``-`` for stdin.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        options: values of the pipeline's own options of prediction, by name.
        reading: settings for a stream that is written otherwise than the training's data.
        registry: the plugins; those installed and enabled without.

    Raises:
        RunError: the run has no trained weights.
        ConfigError: an option is unknown or does not fit, or the pipeline cannot follow.
        DataError: the source cannot be read.
    """
    registry = registry or load_registry()
    kind = registry.pipeline_class(run.pipeline)
    chosen = resolve_settings(kind.Prediction, options=options)
    if not isinstance(chosen, FollowOptions):
        raise ConfigError(f"{run.pipeline} cannot follow a stream; predict whole files")
    pipeline, task = load_task(run, registry, reading)
    place = choose_device(device)
    task.to(place)
    lines = followed_lines(source, most=chosen.lines, idle=chosen.idle)
    return pipeline.follow(task, lines, Request((Source(source, Path(source)),), chosen, place))
