"""``fivefold demo``: a small real job for every pipeline that offers one, from data to judged model."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fivefold.cli.judgement import show_run
from fivefold.cli.output import emit, say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import Json
from fivefold.cli.verbs.predict import show_records
from fivefold.errors import PluginError
from fivefold.plugins.dependencies import check_dependencies
from fivefold.plugins.spec import Demo, PipelineSpec
from fivefold.runs import Run

Out = Annotated[Path, Parameter(help="Folder of the demonstration; an earlier one in it is replaced.")]


def demo(*, out: Out = Path("runs/demo"), json: Json = False) -> None:
    """Show what fivefold does: fetch real data, train, judge, predict files, say where the report is.

    Takes a few minutes on two cores and fetches about 30 MB once.
    """
    session = Session.current
    shown = [(spec, spec.demo) for spec, _ in session.registry().pipelines.values() if spec.demo is not None]
    if not shown:
        raise PluginError("no enabled plugin has a demonstration; see 'fivefold plugins list'")
    check_dependencies()
    results = [demonstrate(spec, job, out / spec.name.replace("/", "-"), json=json) for spec, job in shown]
    if json:
        emit({"runs": [{"run": run.path, "headline": run.info["headline"]} for run in results]})


def demonstrate(spec: PipelineSpec, job: Demo, out: Path, *, json: bool) -> Run:
    """Train, judge and predict with one pipeline; prints each command, so that it can be typed again."""
    from fivefold.data.catalog import resolve  # noqa: PLC0415 - help texts need no torch
    from fivefold.workflow import predict, train  # noqa: PLC0415 - imports torch

    registry = Session.current.registry()
    if (out / "run.json").is_file():
        shutil.rmtree(out)
    command = f"fivefold {spec.domain} {spec.task}"
    say(f"\n$ {command} train {job.data} --preset {job.preset} --out {out}", style="bold")
    config = registry.pipeline_class(spec.name).presets[job.preset]()
    run = train(spec, job.data, config, out=out, registry=registry)
    folder, _ = resolve(job.inputs, registry.dataset_specs)
    files = sorted(str(path) for path in folder.glob(job.pattern))
    if not json:
        show_run(run, json=False)
    say(
        f"\n$ {command} predict {out} {Path(files[0]).name} ... ({len(files)} files of {job.inputs})",
        style="bold",
    )
    records = predict(run, files, registry=registry)
    if not json:
        show_records([{**record, "id": os.path.relpath(record["id"], folder)} for record in records])
        say(f"\nReport: {(out / 'report.html').resolve()}", style="bold")
        say(f"Next:   {command} predict {out} YOUR_FILES")
    return run
