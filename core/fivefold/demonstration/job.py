"""One domain's job: train on real data, judge, predict."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fivefold.config import build_config
from fivefold.data.catalog import resolve
from fivefold.demonstration.picture import Picture, first_picture
from fivefold.errors import RunError
from fivefold.plugins.registry import Registry
from fivefold.plugins.spec import Demo, PipelineSpec
from fivefold.runs import Run
from fivefold.workflow import predict, train
from fivefold.workflow.loading import load_task


@dataclass(frozen=True)
class Shown:
    """What the demonstration of one pipeline came to.

    Attributes:
        spec: the pipeline.
        command: that trained, as it can be typed again.
        next: the command to go on with.
        run: the finished run; None where there is none.
        seconds: that it took, data and judgement included.
        network: what was trained, in a few words.
        records: predictions.
        picture: out of the report.
        lacking: why there is no run, and what to do.
    """

    spec: PipelineSpec
    command: str
    next: str = ""
    run: Run | None = None
    seconds: float = 0.0
    network: str = ""
    records: list[dict[str, Any]] = field(default_factory=list)
    picture: Picture | None = None
    lacking: str = ""


def demonstrate(
    spec: PipelineSpec, job: Demo, out: Path, registry: Registry, tell: Callable[[str], None]
) -> Shown:
    """Train, judge and predict with one pipeline.

    Args:
        spec: the pipeline.
        job: what to do.
        out: directory of the run; an earlier run in it is replaced.
        registry: the plugins.
        tell: told each command before it runs.

    Raises:
        FivefoldError: a package is missing, data cannot be had, or the training fails.
    """
    started = time.monotonic()
    kind = registry.pipeline_class(spec.name)
    config = build_config(kind, preset=job.preset, overrides=_nested(job.settings))
    if (out / "run.json").is_file():
        shutil.rmtree(out)
    command = train_command(spec, job, out)
    tell(command)
    run = train(spec, job.data, config, out=out, registry=registry)
    inputs = _inputs(job, registry)
    few = " ".join(Path(one).name if Path(one).exists() else one for one in inputs[:2])
    tell(f"fivefold {spec.domain} {spec.task} predict {out} {few}{' ...' if len(inputs) > 2 else ''}")  # noqa: PLR2004 - as many as were named
    records = predict(run, inputs, registry=registry)
    if run.report is None:
        raise RunError(f"{out}: expected a report, found none; remove the folder and start again")
    return Shown(
        spec,
        command,
        f"fivefold {spec.domain} {spec.task} predict {out} YOUR_DATA",
        run,
        time.monotonic() - started,
        _network(run, registry),
        _named_shortly(records),
        first_picture(out / "report.html", job.picture) or first_picture(out / "report.html"),
    )


def lacking(spec: PipelineSpec, job: Demo, out: Path, reason: str) -> Shown:
    """A pipeline that cannot be shown, and why."""
    return Shown(spec, train_command(spec, job, out), lacking=reason)


def train_command(spec: PipelineSpec, job: Demo, out: Path) -> str:
    """The command line of the job."""
    settings = [word for name, value in job.settings for word in (f"--{name.replace('_', '-')}", str(value))]
    preset = ["--preset", job.preset] if job.preset else []
    words = ["fivefold", spec.domain, spec.task, "train", job.data, *preset, *settings, "--out", str(out)]
    return shlex.join(words)


def _nested(settings: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """``(("model.kind", "cnn"),)`` as ``{"model": {"kind": "cnn"}}``."""
    nested: dict[str, Any] = {}
    for name, value in settings:
        *outer, last = name.split(".")
        place = nested
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return nested


def _inputs(job: Demo, registry: Registry) -> list[str]:
    if not job.pattern:
        return [job.inputs]
    folder, _ = resolve(job.inputs, registry.dataset_specs)
    return sorted(str(path) for path in folder.glob(job.pattern))


def _network(run: Run, registry: Registry) -> str:
    """``cnn, 98,122 parameters``: the kind of network that the settings name, and its size as training tells it."""
    _, task = load_task(run, registry)
    count = sum(parameter.numel() for parameter in task.parameters())
    model = run.config.get("model")
    kind = model.get("kind", "") if isinstance(model, dict) else ""
    return f"{kind}, {count:,} parameters" if kind else f"{count:,} parameters"


def _named_shortly(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records whose ``id`` is a whole path, named below the folder that all of them share."""
    paths = [record["id"] for record in records if Path(str(record.get("id", ""))).is_absolute()]
    if not paths:
        return records
    folder = os.path.commonpath([Path(path).parent for path in paths])
    return [{**record, "id": os.path.relpath(record["id"], folder)} for record in records]
