"""``fivefold driving leave-one-out DATA``: train once for each scene, which is then the test, and tell the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from fivefold.cli.output import emit, grid, say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import Device, Json, SettingsFile
from fivefold.cli.verbs.settings import Settings
from fivefold.errors import ConfigError, DataError, RunError, StorageError
from fivefold.files import write_json
from fivefold_driving.predict.config import PredictConfig
from fivefold_driving.predict.presets import PRESETS

if TYPE_CHECKING:
    from fivefold.config import PipelineConfig

PIPELINE = "driving/predict"
SUMMARY = "scenes.json"
"""Name of the table in the folder of the runs."""

Data = Annotated[str, Parameter(name="DATA", help="Tracks of two scenes or more, or a dataset's name.")]
Out = Annotated[Path, Parameter(name="OUT", help="A new folder, with a run for each scene.")]
PRESET: Any = Annotated[Literal[tuple(PRESETS)] | None, Parameter(help="Named settings of driving/predict.")]
SETTINGS = Settings(PredictConfig, PRESETS)


def leave_one_out(
    data: Data,
    out: Out,
    /,
    *,
    preset: Any = None,
    config: SettingsFile = None,
    device: Device = "auto",
    json: Json = False,
    settings_typed: Any = None,
) -> None:
    """Train once for each scene, which is then held out to test, and tell each scene's errors and their mean.

    A folder that is there already is gone on with: scenes that are finished are not trained again. All settings of
    driving/predict are taken.

    Example:
        fivefold driving leave-one-out traffic runs/scenes --epochs 1
    """
    typed = dict(settings_typed or {})
    if "held_out" in typed:
        raise ConfigError(
            f"--held-out {typed['held_out']}: expected no single scene, as each is held out in turn; leave it away"
        )
    reports = {
        place: _report(
            data, out / place, SETTINGS.resolve(preset, config, {**typed, "held_out": place}), device
        )
        for place in _places(data, SETTINGS.resolve(preset, config, typed))
    }
    table = summary(reports)
    write_json(out / SUMMARY, table)
    if json:
        emit({"out": out, **table})
        return
    scenes = {**table["scenes"], "mean": table["mean"]}
    for metric in table["metrics"]:
        rows = [(who, *(_cell(values[who], metric) for values in scenes.values())) for who in table["mean"]]
        grid((metric, *scenes), rows)
    say(f"Runs and their reports: {out}; the table: {out / SUMMARY}")


leave_one_out.__annotations__ |= {"preset": PRESET, "settings_typed": SETTINGS.options}


def summary(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Metrics of the model and each baseline by scene, and their mean over scenes, where all of them have a value.

    Args:
        reports: name of the scene held out to the content of its ``report.json``.
    """
    metrics = [
        name for name, one in next(iter(reports.values()))["metrics"].items() if one["style"] == "number"
    ]
    scenes = {
        scene: {
            "model": {name: report["metrics"][name]["value"] for name in metrics},
            **{rival: {name: of.get(name) for name in metrics} for rival, of in report["baselines"].items()},
        }
        for scene, report in reports.items()
    }
    first = next(iter(scenes.values()))
    mean = {
        who: {name: _mean([values[who][name] for values in scenes.values()]) for name in metrics}
        for who in first
    }
    return {"metrics": metrics, "scenes": scenes, "mean": mean}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _cell(values: Mapping[str, float | None], metric: str) -> str:
    value = values[metric]
    return "-" if value is None else f"{value:.3f}"


def _places(data: str, settings: PipelineConfig) -> list[str]:
    """The scenes of ``data`` that can be held out.

    Raises:
        DataError: the tracks cannot be read, or are of a single scene.
    """
    from fivefold_driving.predict.pipeline import Predict  # noqa: PLC0415 - imports torch
    from fivefold_driving.predict.places import held_out_places  # noqa: PLC0415 - see above

    places = held_out_places(Predict(settings).read(Session.current.locate(data)))
    if len(places) < 2:  # noqa: PLR2004 - one to test and one to learn from
        raise DataError(f"{data}: expected two scenes or more, found only '{places[0]}'; add another")
    return places


def _report(data: str, out: Path, settings: PipelineConfig, device: str) -> Mapping[str, Any]:
    """The report of the run that holds one scene out, trained now where it is not finished."""
    from fivefold.runs import Run  # noqa: PLC0415 - only when it runs
    from fivefold.workflow import train  # noqa: PLC0415 - imports torch

    registry = Session.current.registry()
    if out.exists():
        run = Run.open(out)
        if run.status == "complete" and run.report is not None:
            say(f"{out}: finished already")
            return run.report
        raise StorageError(
            f"{out}: expected no unfinished run, found one; finish it by --resume, or remove it"
        )
    run = train(registry.pipeline_spec(PIPELINE), data, settings, out=out, device=device, registry=registry)
    if run.report is None:
        raise RunError(f"{out}: expected a report, found none; train it again")
    return run.report
