"""Trainings of diagnosis: what can be learned is, what cannot is not claimed, the test split fits nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fivefold.evaluation.gradcam import heat_maps
from fivefold.evaluation.operating_point import threshold_at_specificity
from fivefold.plugins.registry import load_registry
from fivefold.runs import Run
from fivefold.training.inference import predict_outputs
from fivefold.workflow import prepare, train
from fivefold.workflow.loading import load_task
from fivefold_healthcare.diagnose.config import DiagnoseConfig
from fivefold_healthcare.diagnose.pipeline import Diagnose, Diagnosis
from fivefold_healthcare.diagnose.saliency import side_by_side
from plugins.healthcare.diagnose_cases import config, diagnose, pictures, png_table, save_npz, split_archive

CPU = torch.device("cpu")
SMALL = {"epochs": 2, "batch_size": 16, "model": {"width": 4}, "evaluation": {"resamples": 200}}
HALVES = (0.5, 0.65)


def trained(source: Path, out: Path, **settings: Any) -> Run:
    spec, _ = load_registry().pipelines["healthcare/diagnose"]
    return train(spec, str(source), config(**SMALL | settings), out=out, device="cpu")


def archive(path: Path, seed: int, *, shuffled: bool, count: int = 200) -> Path:
    """Pictures of ill and healthy; ``shuffled`` labels have nothing to do with them."""
    generator = np.random.default_rng(seed)
    codes = generator.permutation(np.arange(count) % 2)
    labels = generator.permutation(codes) if shuffled else codes
    return split_archive(path, pictures(codes, seed), labels[:, None], HALVES)


# Learning


def test_shuffled_labels_are_no_evidence(tmp_path: Path) -> None:
    """Of four trainings on labels that mean nothing, at most one may seem to beat: chance is one in forty each."""
    verdicts = []
    for seed in range(4):
        source = archive(tmp_path / f"{seed}.npz", seed, shuffled=True)
        run = trained(source, tmp_path / f"run-{seed}", seed=seed)
        verdicts.append(run.info["headline"]["verdict"])
    assert verdicts.count("beats") <= 1


def test_what_can_be_learned_beats_prevalence(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.npz", 0, shuffled=False)
    report = trained(source, tmp_path / "run", optimizer={"lr": 0.01}, epochs=4).report
    assert report is not None
    assert report["metrics"]["AUROC"]["value"] > 0.9
    verdicts = {one["baseline"]: one["verdict"] for one in report["comparisons"] if one["metric"] == "AUROC"}
    assert verdicts["prevalence"] == "beats"
    assert len(verdicts) == 3
    assert any("logistic regression on 12x12 pixels" in name for name in verdicts)


@pytest.mark.parametrize(
    ("settings", "loss"),
    [({}, "cross-entropy"), ({"focal": 2.0}, "focal"), ({"class_weights": True}, "weighted")],
    ids=["plain", "focal", "weighted"],
)
def test_every_loss_learns_a_batch_by_heart(settings: dict[str, object], loss: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    pipeline = diagnose(model={"width": 8}, **settings)
    samples = pipeline.samples(pipeline.read(png_table(tmp_path, 16, names=("a", "a", "b"))))
    task = pipeline.task(samples.facts)
    task.prepare(samples)
    batch = samples.batch(torch.arange(16))
    optimizer = torch.optim.AdamW(task.parameters(), lr=2e-2)
    first = task.loss(batch, "main").value.item()
    for _ in range(25):
        optimizer.zero_grad()
        value = task.loss(batch, "main").value
        value.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        optimizer.step()
    assert value.item() < 0.1 * first, loss


# What is fitted where


def test_nothing_is_fitted_on_the_test_split(tmp_path: Path) -> None:
    """Another test split, with other labels, gives the same weights, calibration and thresholds, bit for bit."""
    codes = np.arange(120) % 2
    images, others = pictures(codes, 1), pictures(codes, 2)
    others[:78] = images[:78]  # training and validation
    labels = codes.copy()
    labels[78:] = 1 - labels[78:]
    first = split_archive(tmp_path / "a.npz", images, codes, HALVES)
    second = split_archive(tmp_path / "b.npz", others, labels, HALVES)
    weights = [
        (trained(source, tmp_path / f"run-{source.stem}").path / "model.safetensors").read_bytes()
        for source in (first, second)
    ]
    assert weights[0] == weights[1]


def test_the_threshold_is_that_of_the_validation_split(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.npz", 0, shuffled=False)
    run = trained(source, tmp_path / "run", specificity=0.8)
    registry = load_registry()
    _, task = load_task(run, registry)
    assert isinstance(task, Diagnosis)
    prepared = prepare(Diagnose(DiagnoseConfig.model_validate(run.config)), str(source), registry)
    found = predict_outputs(task, prepared.val, device=CPU)
    scores, truth = found["probabilities"][:, 0], found["target"][:, 0]
    # to float32's last bits, which differ from one reading of the weights to the next
    assert float(task.threshold[0]) == pytest.approx(threshold_at_specificity(scores, truth, 0.8), rel=1e-4)
    assert (scores[truth == 0] < float(task.threshold[0])).mean() >= 0.8
    records = task.decode(found, prepared.facts)
    for record, score in zip(records, scores, strict=True):
        above = bool(score >= float(task.threshold[0]))
        assert record == {
            "label": ("0", "1")[above],
            "probabilities": {"1": pytest.approx(float(score))},
            "above_threshold": {"1": above},
        }


# What the report shows


@pytest.mark.parametrize("depth", [None, 6])
def test_maps_of_heat_are_of_the_images(depth: int | None, tmp_path: Path) -> None:
    pipeline = diagnose(model={"width": 4})
    images = pictures([0, 1, 1], depth=depth)
    source = save_npz(tmp_path / "a.npz", train_images=images, train_labels=np.array([0, 1, 1]))
    task = pipeline.task(pipeline.samples(pipeline.read(source)).facts).eval()
    heat = heat_maps(task.network, images[:, None], [0, 0, 0])
    assert heat is not None
    assert heat.shape == images.shape
    assert np.isfinite(heat).all()
    assert side_by_side(images[:1], heat[0]).shape == (112, 224, 3)


def test_the_card_marks_what_only_the_user_knows(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.npz", 0, shuffled=False)
    settings = {"card": {"intended_use": "Teaching.", "contact": "a@b.example"}, "epochs": 1}
    report = trained(source, tmp_path / "run", **settings).report
    assert report is not None
    card = {row["item"]: row["text"] for row in report["sections"]["model_card"]["items"]}
    assert card["Intended use and users"] == "Teaching."
    assert card["Contact"] == "a@b.example"
    assert card["Status"] == "Research use, not a medical device."
    missing = {item for item, text in card.items() if text.startswith("TO BE FILLED BY YOU")}
    assert missing == {
        "Setting, source and dates of the images", "Eligibility", "Reference standard (labels)",
        "Ethics and consent", "Funding and interests",
    }  # fmt: skip
    assert "--card.ethics" in card["Ethics and consent"]
    assert "Brought to 12 x 12 pixels, grey" in card["Preparation of the images"]
    assert "of known 100. Judged: 70 images." in card["Number of samples"]
    assert card["Partition of the data"].startswith("By image, because no patients are known")


# Settings


def test_presets_survive_being_written_and_read() -> None:
    for preset in Diagnose.presets.values():
        settings = preset()
        assert DiagnoseConfig.model_validate(settings.model_dump(mode="json")) == settings
        assert preset.__doc__


@pytest.mark.parametrize(
    "model",
    [{"kind": "cnn", "width": 4}, {"kind": "resnet18"}, {"kind": "efficientnet-lite0", "pretrained": False}],
    ids=["cnn", "resnet18", "efficientnet-lite0"],
)
def test_every_kind_of_network_takes_grey_images(model: dict[str, object], tmp_path: Path) -> None:
    pipeline = diagnose(model=model, size=32)
    samples = pipeline.samples(pipeline.read(png_table(tmp_path, 6)))
    task = pipeline.task(samples.facts)
    task.prepare(samples)
    task.loss(samples.batch(torch.arange(6)), "main").value.backward()  # type: ignore[no-untyped-call]  # as above
    assert all(parameter.grad is not None for parameter in task.parameters())
