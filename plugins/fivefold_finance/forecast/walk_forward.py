"""``fivefold finance walk-forward DATA OUT``: train again and again as time goes on, judge all forecasts together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from fivefold.cli.output import emit, grid, say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import Device, Json, SettingsFile
from fivefold.cli.verbs.settings import Settings
from fivefold.errors import ConfigError, RunError
from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.forecast.presets import PRESETS

if TYPE_CHECKING:
    from fivefold.config import PipelineConfig
    from fivefold.evaluation.section import Section
    from fivefold.runs import Run
    from fivefold.workflow.pooling import Part

PIPELINE = "finance/forecast"

Data = Annotated[str, Parameter(name="DATA", help="Prices or other series, or a dataset's name.")]
Out = Annotated[Path, Parameter(name="OUT", help="A folder, with a run for each fold and the report on all.")]
FOLDS = 10
"""Test periods where the settings name no number."""
PRESET: Any = Annotated[Literal[tuple(PRESETS)] | None, Parameter(help="Named settings of finance/forecast.")]
SETTINGS = Settings(ForecastConfig, PRESETS)


def walk_forward(
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
    """Train once for each fold, on what lies before its test period, and judge the forecasts of all folds together.

    A folder that is there already is gone on with: folds that are finished are not trained again, and one that was
    interrupted is resumed. All settings of finance/forecast are taken; without --folds there are 10 test periods, the
    last of the history, whose share --walk.tested says.

    Example:
        fivefold finance walk-forward demand runs/walk --folds 3 --epochs 1
    """
    from fivefold.evaluation.verdict import overall  # noqa: PLC0415 - only when it runs
    from fivefold.workflow.pooling import judge_pooled, predict_part, report_pooled  # noqa: PLC0415 - imports torch

    typed = dict(settings_typed or {})
    if "fold" in typed:
        raise ConfigError(
            f"--fold {typed['fold']}: expected no single fold, as all of them are walked; leave it away"
        )
    folds = SETTINGS.resolve(preset, config, typed).folds or FOLDS
    registry = Session.current.registry()
    parts = []
    for fold in range(folds):
        settings = SETTINGS.resolve(preset, config, {**typed, "folds": folds, "fold": fold})
        run = _trained(data, out / f"fold-{fold}", settings, device)
        parts.append(predict_part(run, registry, device=device))
    evaluation = judge_pooled(parts, split=f"test periods of {folds} folds")
    how = (
        f"Walk forward in {folds} folds: each network and each baseline learned from what lies before its own test "
        f"period. The first: {parts[0].prepared.splits.how} The last: {parts[-1].prepared.splits.how}"
    )
    sections = fold_section(parts)
    report_pooled(parts, evaluation, out, how=how, own=lambda _: [sections])
    _, sentence = overall(evaluation)
    if json:
        emit({"out": out, "folds": folds, "headline": evaluation.summary(), "by_fold": sections.facts})
        return
    for one in sections.grids:
        grid(one.head, one.rows)
    say(sentence)
    say(f"Runs and their reports: {out}; the report on all of them: {out / 'report.html'}")


walk_forward.__annotations__ |= {"preset": PRESET, "settings_typed": SETTINGS.options}


def fold_section(parts: Sequence[Part]) -> Section:
    """The headline metric of the model and every baseline in each fold, and the fold's period."""
    from fivefold.evaluation.section import Grid, Section  # noqa: PLC0415 - only when it runs

    metric = parts[0].task.metrics()[0]
    names = list(parts[0].baselines)
    rows, facts = [], {}
    for number, part in enumerate(parts):
        given = {name: part.outputs[name] for name in part.task.given if name in part.outputs}
        values = {
            "the model": metric.compute(part.outputs, None),
            **{name: metric.compute({**part.baselines[name], **given}, None) for name in names},
        }
        ids = part.prepared.test.ids
        first, last = (str(name).rpartition("@")[2] for name in (ids[0], ids[-1]))
        rows.append(
            (
                number,
                f"{len(part.prepared.train):,}",
                f"{first} to {last}",
                *map(metric.format, values.values()),
            )
        )
        facts[str(number)] = {
            "train": len(part.prepared.train),
            "from": first,
            "to": last,
            metric.name: values,
        }
    head = ("Fold", "Trained on", "Forecast from", "The model", *names)
    return Section(
        "Folds",
        "One row a fold. Single folds are small: the verdict is on all of them together.",
        grids=(Grid(f"{metric.name} by fold", head, tuple(rows)),),
        facts=facts,
        key="folds",
    )


def _trained(data: str, out: Path, settings: PipelineConfig, device: str) -> Run:
    """The run of one fold, trained now, or on from where it stopped, where it is not finished.

    Raises:
        RunError: there is a finished run of other settings.
    """
    from fivefold.runs import Run  # noqa: PLC0415 - only when it runs
    from fivefold.workflow import train  # noqa: PLC0415 - imports torch

    registry = Session.current.registry()
    if out.exists():
        run = Run.open(out)
        if run.status == "complete":
            _check_settings(run, settings)
            say(f"{out}: finished already")
            return run
    return train(
        registry.pipeline_spec(PIPELINE),
        data,
        settings,
        out=out,
        device=device,
        resume=True,
        registry=registry,
    )


def _check_settings(run: Run, settings: PipelineConfig) -> None:
    found, wanted = run.config, settings.model_dump(mode="json")
    for name, value in wanted.items():
        if name in found and found[name] != value and value != "auto":
            raise RunError(
                f"{run.path}: expected a run with {name} {value!r}, found one with {found[name]!r}; choose another "
                "folder, or the settings that it was begun with"
            )
