"""Walk forward: a run a fold, and one judgement on all of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from fivefold.cli.main import main
from fivefold.errors import RunError
from fivefold.plugins.registry import load_registry
from fivefold.runs import Run
from fivefold.workflow.pooling import PooledSamples, judge_pooled, predict_part
from fivefold_finance.forecast.data import Origins, measure
from plugins.finance.forecast_cases import origins, prices_csv, series, walk

SETTINGS = "epochs: 1\nlookback: 6\nhorizon: 2\nevaluation: {resamples: 100}\nwalk: {tested: 0.6}\n"


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walk")
    prices_csv(folder / "acme.csv", 200)
    (folder / "settings.yaml").write_text(SETTINGS)
    assert main(words(folder)) == 0
    return folder


def words(folder: Path, *more: str) -> list[str]:
    return [
        "finance", "walk-forward", str(folder / "acme.csv"), str(folder / "walk"), "--folds", "3", "--config",
        str(folder / "settings.yaml"), "--device", "cpu", "--model.kind", "nlinear", "--json", *more,
    ]  # fmt: skip


def test_the_report_is_on_all_folds(walked: Path) -> None:
    report = json.loads((walked / "walk" / "report.json").read_text())
    folds = [json.loads((walked / "walk" / f"fold-{fold}" / "report.json").read_text()) for fold in range(3)]
    # 0.6 of 200 rows in three periods of 40, each with 39 origins of two steps.
    assert [fold["samples"] for fold in folds] == [39] * 3
    assert report["samples"] == 117
    assert report["split"] == "test periods of 3 folds"
    assert report["verdict"]["verdict"] in {"no evidence that it beats", "loses to"}
    assert "Diebold-Mariano" in report["verdict"]["sentence"]
    assert report["interval"]["units"] == sum(fold["interval"]["units"] for fold in folds)
    assert set(report["sections"]["folds"]) == {"0", "1", "2"}
    starts = [report["sections"]["folds"][str(fold)]["from"] for fold in range(3)]
    assert starts == sorted(starts)
    assert (walked / "walk" / "report.html").is_file()


def test_pooled_figures_are_those_of_all_samples(walked: Path) -> None:
    registry = load_registry()
    runs = [Run.open(walked / "walk" / f"fold-{fold}") for fold in range(3)]
    parts = [predict_part(run, registry, device="cpu") for run in runs]
    evaluation = judge_pooled(parts)
    scale = parts[0].prepared.facts["column_scale"][0]
    errors = np.concatenate([part.outputs["prediction"] - part.outputs["target"] for part in parts])
    assert evaluation.estimates["MSE"].value == pytest.approx(np.mean((errors / scale) ** 2), rel=1e-5)
    rivals = np.concatenate([part.outputs["target"] for part in parts])
    none = next(one for one in evaluation.comparisons if one.baseline == "no change" and one.metric == "MSE")
    assert none.reference.value == pytest.approx(np.mean((rivals / scale) ** 2), rel=1e-5)
    report = json.loads((walked / "walk" / "report.json").read_text())
    assert report["metrics"]["MSE"]["value"] == pytest.approx(evaluation.estimates["MSE"].value)
    # Each baseline learned from its own fold: the drift moves on with the history.
    drifts = {float(part.baselines["drift"]["prediction"][0, 0, 0]) for part in parts}
    assert len(drifts) == 3
    with pytest.raises(RunError, match="expected test splits that share no sample, found 'acme@"):
        judge_pooled([parts[0], parts[0]])


def test_finished_folds_are_not_trained_again(
    walked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(walked, folder)
    # The data's place is part of the runs, so the copy is judged on the first folder's data.
    before = {
        fold: (folder / "walk" / f"fold-{fold}" / "model.safetensors").read_bytes() for fold in range(3)
    }
    interrupted = Run.open(folder / "walk" / "fold-2")
    interrupted.update(status="interrupted")
    interrupted.weights.unlink()
    source = [str(walked / "acme.csv"), str(folder / "walk")]
    assert main([*words(walked)[:2], *source, *words(walked)[4:]]) == 0
    assert capsys.readouterr().err.count("finished already") == 2
    for fold, weights in before.items():
        assert (folder / "walk" / f"fold-{fold}" / "model.safetensors").read_bytes() == weights
    assert main([*words(walked)[:2], *source, *words(walked, "--lookback", "9")[4:]]) == 2
    assert "expected a run with lookback 9, found one with 6; choose another" in capsys.readouterr().err


def test_pooled_samples_are_their_parts() -> None:
    parts = []
    for number in range(3):
        table = origins(series(walk(30, number), "abc"[number]))
        parts.append(Origins(table, measure(table, None, by_symbol=False)))
    pooled = PooledSamples(parts)
    assert len(pooled) == 75
    asked = torch.tensor([74, 0, 26, 50, 1])
    batch = pooled.batch(asked)
    for row, (part, place) in enumerate([(2, 24), (0, 0), (1, 1), (2, 0), (0, 1)]):
        expected = parts[part].batch(torch.tensor([place]))
        for name, tensor in expected.items():
            assert torch.equal(batch[name][row : row + 1], tensor), name
    assert pooled.ids[26] == parts[1].ids[1]
    assert pooled.units is not None
    # Series of the same days share their blocks.
    assert len(set(pooled.units)) == len(set(parts[0].units))


def test_too_few_folds_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = prices_csv(tmp_path / "acme.csv", 60)
    assert main(["finance", "walk-forward", str(source), str(tmp_path / "walk"), "--folds", "2"]) == 2
    assert "--folds" in capsys.readouterr().err
    assert main(["finance", "walk-forward", str(source), str(tmp_path / "walk"), "--folds", "3"]) == 2
    assert "expected at least 69 bars" in capsys.readouterr().err
    assert not (tmp_path / "walk").exists()


def test_all_settings_are_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = prices_csv(tmp_path / "acme.csv", 60)
    command = ["finance", "walk-forward", str(source), str(tmp_path / "walk")]
    assert main([*command, "--columns.time", "nosuch"]) == 2
    assert "expected one column 'nosuch', found date, open, high" in capsys.readouterr().err
    assert main([*command, "--covariates", "nosuch"]) == 2
    assert "expected a column 'nosuch', as --covariates says" in capsys.readouterr().err
    assert main([*command, "--zone", "nosuch"]) == 2
    assert "--zone: expected a time zone such as America/New_York or UTC" in capsys.readouterr().err
    assert main([*command, "--fold", "1", "--folds", "3"]) == 2
    assert "--fold 1: expected no single fold" in capsys.readouterr().err
