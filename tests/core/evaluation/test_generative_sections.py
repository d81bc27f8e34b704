import cv2
import numpy as np
import pytest
import torch
from scipy import stats

from fivefold.config.adversarial import AdversarialConfig
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.evaluation.class_coverage import class_coverage_section, share_of
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.generative_metrics import judged_by
from fivefold.evaluation.generative_pictures import (
    GAP,
    Neighbours,
    as_pixels,
    class_sheet_section,
    neighbour_gallery,
    progress_section,
    samples_section,
    sheet_figure,
    small_pixels,
    tiled,
)
from fivefold.evaluation.generative_sections import (
    FLOOR,
    diversity_section,
    multiple_of_floor,
    quality_section,
)
from fivefold.evaluation.report import write_report
from fivefold.tasks.adversarial import Adversarial

from .judged import judge_outputs

COUNT = 120


def features(seed: int, *, shift: float = 0.0, count: int = COUNT, width: int = 4):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32) + np.float32(shift)


def judged(shift: float = 0.5, width: int = 4) -> Evaluation:
    class Named(torch.nn.Identity):
        latent = 1

    task = Adversarial(
        Named(), torch.nn.Identity(), AdversarialConfig(), features_name=judged_by("pixels", COUNT)
    )
    outputs = {"target": features(0, width=width), "generated": features(1, shift=shift, width=width)}
    samples = TensorDataset(
        {"input": torch.zeros(COUNT, 1, 2, 2)}, facts=Facts(), ids=np.arange(COUNT).astype(object)
    )
    rivals = {"Gaussian in PCA space": {"generated": features(2, shift=2.0, width=width)}}
    return judge_outputs(task, outputs, samples, rivals)


def test_judgement_beats_a_worse_rival_with_an_interval_around_the_value() -> None:
    evaluation = judged()
    fid = evaluation.estimates["FID (pixels, 120)"]
    assert fid.low < fid.value < fid.high
    (comparison,) = evaluation.comparisons
    assert comparison.metric == "FID (pixels, 120)"
    assert comparison.verdict == "beats"
    assert comparison.difference.low < comparison.difference.value < comparison.difference.high < 0


def test_the_multiple_of_the_floor_is_a_ratio_with_an_interval() -> None:
    evaluation, floor = judged(), features(3)
    metric = evaluation.headline
    least = metric.compute({**evaluation.outputs, "generated": floor}, None)
    multiple = multiple_of_floor(evaluation, floor)
    assert multiple.value == pytest.approx(evaluation.estimates[metric.name].value / least)
    assert multiple.low < multiple.value < multiple.high
    one = multiple_of_floor(evaluation, evaluation.outputs["generated"])
    assert one.value == pytest.approx(1.0)
    assert np.isnan([one.low, one.high]).all()  # all resamples give 1, which tells no interval


def test_quality_section_tells_the_multiple_and_every_metric_of_all() -> None:
    evaluation, floor = judged(), features(3)
    section = quality_section(evaluation, floor)
    assert section.grids[0].head == ("Metric", "the model", "Gaussian in PCA space", FLOOR)
    assert [row[0] for row in section.grids[0].rows] == [metric.name for metric in evaluation.metrics]
    multiple = section.facts["multiple"].value
    assert (
        f"{multiple:.3f} times the floor" in section.text or f"{multiple:.1f} times the floor" in section.text
    )
    assert section.facts["metric"] == "FID (pixels, 120)"
    assert "first order" in section.text
    assert "covariances are singular" not in section.text


def test_without_a_floor_the_section_says_so() -> None:
    section = quality_section(judged(), None)
    assert "there is no floor to compare with" in section.text
    assert FLOOR not in section.grids[0].head
    nothing = quality_section(judged(), judged().outputs["target"])
    assert "of which there are no multiples" in nothing.text


def test_fewer_images_than_features_are_told() -> None:
    assert (
        "There are 120 images for 130 features: covariances are singular"
        in quality_section(judged(width=130), None).text
    )


def test_diversity_section_has_every_predictor() -> None:
    section = diversity_section(judged(), features(3))
    estimates = section.facts["estimates"]
    assert set(estimates) == {"the model", "Gaussian in PCA space", FLOOR}
    assert set(estimates[FLOOR]) == {
        f"{name} (pixels, 120)" for name in ("precision", "recall", "density", "coverage")
    }
    assert (
        estimates[FLOOR]["recall (pixels, 120)"].value
        > estimates["Gaussian in PCA space"]["recall (pixels, 120)"].value
    )
    assert b"<svg" in section.figures[0].image


def test_shares_have_exact_intervals() -> None:
    share = share_of(3, 40, 0.95)
    assert share.value == 3 / 40
    assert share.low == pytest.approx(stats.beta.ppf(0.025, 3, 38))
    assert share.high == pytest.approx(stats.beta.ppf(0.975, 4, 37))
    assert np.isnan(share_of(0, 0, 0.95).value)


def test_unconditional_classes_are_listed_rarest_first() -> None:
    predicted = np.repeat([0, 1], [30, 10])
    section = class_coverage_section(("cat", "dog", "owl"), predicted, classifier="a run", accuracy=0.925)
    assert section.text.startswith(
        "Classes are told by a run, which is right on 92.5 % of real test images. "
    )
    assert "the rarest is owl with 0.0 %; 1 of 3 classes are missing" in section.text
    assert [row[0] for row in section.grids[0].rows] == ["owl", "dog", "cat"]
    assert section.facts["shares"]["dog"].value == 0.25


def test_conditional_classes_are_listed_worst_first() -> None:
    requested = np.array([0, 0, 1, 1, 1])
    predicted = np.array([0, 0, 1, 2, 0])
    section = class_coverage_section(("cat", "dog", "owl"), predicted, requested, classifier="a run")
    assert section.facts["recognised"].value == pytest.approx(3 / 5)
    assert [row[0] for row in section.grids[0].rows] == ["dog", "cat"]
    assert "the worst is dog with 33.3 %" in section.text


def test_tiles_stand_in_rows_with_white_between() -> None:
    images = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1).repeat(4, axis=2).repeat(4, axis=3)
    drawn = tiled(images, 2)
    assert drawn.shape == (8 + GAP, 8 + GAP)
    assert drawn[0, 0] == 0
    assert drawn[0, 4 + GAP] == 1
    assert drawn[4 + GAP, 0] == 2
    assert drawn[4 + GAP, 4 + GAP] == 255
    assert tiled(np.zeros((2, 3, 4, 4), np.uint8), 2).shape == (4, 8 + GAP, 3)


def test_sheets_are_pictures_of_a_legible_size() -> None:
    small = cv2.imdecode(
        np.frombuffer(sheet_figure(np.zeros((4, 1, 8, 8), np.uint8), 2, "x").image, np.uint8), 0
    )
    assert small.shape == (180, 180)
    large = cv2.imdecode(
        np.frombuffer(sheet_figure(np.zeros((10, 3, 256, 256), np.uint8), 10, "x").image, np.uint8), 1
    )
    assert large.shape[1] == 1000


def test_pixels_are_rounded_and_shrunk() -> None:
    assert as_pixels(torch.tensor([-1.0, 0.0, 1.0, 2.0])).tolist() == [0, 128, 255, 255]
    images = np.zeros((2, 3, 64, 64), np.uint8)
    images[1, 2] = 200
    small = small_pixels(images)
    assert small.shape == (2, 32 * 32 * 3)
    assert sorted(set(small[1].tolist())) == [0, 200]
    assert small_pixels(images[:, :, :8, :8]).shape == (2, 3 * 64)


def test_sections_of_pictures_and_the_page_that_shows_them(tmp_path) -> None:
    images = np.zeros((6, 1, 8, 8), np.uint8)
    row = Neighbours("seed 3", images[0], images[:2], images[2:4], 0.5, 0.7)
    (neighbour,) = neighbour_gallery([row])
    assert "seed 3: nearest at 0.500 by features" in neighbour.caption
    sections = [
        samples_section(images),
        class_sheet_section(images, ("cat", "dog", "owl")),
        progress_section([(100, images), (2000, images)]),
        quality_section(judged(), features(3)),
    ]
    assert "first 2 by seed" in sections[1].text
    assert [figure.caption for figure in sections[2].figures] == ["Step 100", "Step 2,000"]
    info = {"pipeline": "vision/generate", "data": "x", "curves": [], "config": {}}
    write_report(judged(), sections, info, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Against the floor" in page
    assert page.count("data:image/png") == 4
