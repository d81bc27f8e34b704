"""From images to a judged generator, at the command line, and what its report says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fivefold.cli.main import main
from fivefold.data.dataset import Facts
from fivefold.evaluation.frechet import frechet_distance
from fivefold.plugins.registry import load_registry
from fivefold.runs import Run
from fivefold.workflow.loading import load_task
from fivefold.workflow.preparing import prepare
from fivefold_vision.generate.cautions import cautions_of
from fivefold_vision.generate.config import GenerateConfig
from fivefold_vision.generate.making import images_of
from fivefold_vision.generate.presets import PRESETS
from fivefold_vision.generate.sections import judged_images
from fivefold_vision.generate.sheets import kept_sheets
from fivefold_vision.generate.task import ImageGeneration
from plugins.vision.generated import trained
from plugins.vision.pictures import idx_folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("classifier")
    source = idx_folder(root / "digits")
    words = [
        "vision",
        "classify",
        "train",
        str(source),
        "--epochs",
        "1",
        "--model.width",
        "4",
        "--device",
        "cpu",
    ]
    words += [
        "--evaluation.resamples",
        "100",
        "--trainer.no-probe",
        "--size",
        "28",
        "--out",
        str(root / "sorter"),
    ]
    assert main(words) == 0
    return root / "sorter"


@pytest.fixture(scope="module")
def run(classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    options = ("--conditional", "--epochs", "3", "--extractor", str(classifier), "--judge", str(classifier))
    return Run.open(trained(tmp_path_factory.mktemp("run"), *options, "--adversarial.alarms", "off"))


def report_of(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run.path / "report.json").read_text())
    return found


def test_metrics_are_named_by_extractor_and_number(run: Run) -> None:
    names = list(report_of(run)["metrics"])
    assert names[0] == "FID (sorter, 10)"
    watched = [record for record in run.records if record["split"] == "val"]
    assert len(watched) == 3
    assert all("FID (sorter, 4)" in record for record in watched)


def test_the_best_weights_by_fid_are_kept(run: Run) -> None:
    values = [record["FID (sorter, 4)"] for record in run.records if record["split"] == "val"]
    assert run.info["training"]["monitor"] == "FID (sorter, 4)"
    assert run.info["training"]["best"] == min(values)


def test_the_reported_distance_is_that_of_the_features(run: Run) -> None:
    _, task = load_task(run, load_registry())
    assert isinstance(task, ImageGeneration)
    data = prepare(load_registry().pipeline_of(run), run.info["data"]["source"], load_registry())
    with torch.no_grad():
        outputs = task.predict(data.test.batch(torch.arange(10)))
    expected = frechet_distance(outputs["target"].numpy(), outputs["generated"].numpy())
    assert report_of(run)["metrics"]["FID (sorter, 10)"]["value"] == pytest.approx(expected, rel=1e-3)


def test_the_report_has_its_sections(run: Run) -> None:
    page = (run.path / "report.html").read_text()
    for title in (
        "Against the floor", "Fidelity and diversity", "Samples over time", "Samples of each class", "Memorisation",
        "Classes asked for",
    ):  # fmt: skip
        assert title in page, title
    assert "Gaussian in PCA space" in page
    assert "synthetic" in page


def test_judged_images_are_those_that_are_written(run: Run) -> None:
    _, task = load_task(run, load_registry())
    assert isinstance(task, ImageGeneration)
    data = prepare(load_registry().pipeline_of(run), run.info["data"]["source"], load_registry())
    shown = judged_images(task, data.test)
    labels = data.test.batch(torch.arange(10))["label"].tolist()
    written = images_of(task, list(enumerate(labels)))
    assert np.abs(shown.astype(int) - written.astype(int)).max() <= 1


def test_sheets_of_every_validation_are_kept_with_their_origin(run: Run) -> None:
    sheets = kept_sheets(run.path)
    steps = [record["step"] for record in run.records if record["split"] == "val"]
    assert [step for step, _ in sheets] == steps
    assert sheets[0][1].shape == (4, 1, 28, 28)
    assert b"trainedAlgorithmicMedia" in next((run.path / "samples").glob("*.png")).read_bytes()
    assert kept_sheets(None) == []


def test_a_run_is_judged_again_alike(run: Run) -> None:
    before = report_of(run)["metrics"]["FID (sorter, 10)"]["value"]
    assert main(["vision", "generate", "evaluate", str(run.path), "--device", "cpu"]) == 0
    assert report_of(run)["metrics"]["FID (sorter, 10)"]["value"] == pytest.approx(before, rel=1e-5)


def test_other_data_are_judged_under_their_own_number(run: Run, tmp_path: Path) -> None:
    source = idx_folder(tmp_path / "more", train=16, test=8)
    assert main(["vision", "generate", "evaluate", str(run.path), str(source), "--device", "cpu"]) == 0
    report = json.loads((run.path / "evaluations" / "more" / "report.json").read_text())
    assert "FID (sorter, 24)" in report["metrics"]


def test_features_of_the_same_real_images_are_computed_once(run: Run) -> None:
    _, task = load_task(run, load_registry())
    assert isinstance(task, ImageGeneration)
    data = prepare(load_registry().pipeline_of(run), run.info["data"]["source"], load_registry())
    batch, calls = data.test.batch(torch.arange(10)), []
    extractor = task._features[0]
    handle = extractor.register_forward_hook(lambda *_: calls.append(1))
    first, again = task.predict(batch), task.predict(batch)
    handle.remove()
    assert len(calls) == 3  # real once, generated twice
    assert torch.equal(first["target"], again["target"])


def test_cautions_name_what_the_judge_was_trained_on(run: Run) -> None:
    pipeline, _ = load_task(run, load_registry())
    words = " ".join(pipeline.cautions(Facts(run.facts)))
    assert "features of sorter, a classifier trained on" in words
    assert "The same classifier tells the classes" in words
    assert "few are soon known by heart" in words


def test_the_same_data_are_known_by_name_or_path(classifier: Path) -> None:
    config = GenerateConfig(extractor=str(classifier))
    facts = Facts(extractor="sorter", images=50_000, mixed=False, size=[28, 28])
    trained_on = str(Run.open(classifier).info["data"]["source"])
    assert "has learned from the data" in " ".join(cautions_of(Facts(facts, source=trained_on), config))
    assert "has learned from the data" not in " ".join(cautions_of(Facts(facts, source="elsewhere"), config))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_build_their_networks(name: str) -> None:
    from fivefold_vision.generate.pipeline import Generate

    facts = Facts(size=[32, 32], channels=3, classes=["a", "b"], judged=10, extractor="pixels")
    task = Generate(PRESETS[name]()).task(facts)
    assert task.sample(task.noise(torch.arange(2)), torch.tensor([0, 1])).shape == (2, 3, 32, 32)
