"""Labels as answers: one finding, exclusive classes, several labels with missing ones, and grades."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fivefold.config import StrictModel
from fivefold.data.dataset import all_samples
from fivefold.errors import DataError
from fivefold_healthcare.diagnose.config import CardConfig, ColumnsConfig, DiagnoseConfig
from fivefold_healthcare.diagnose.data import Images
from fivefold_healthcare.diagnose.labels import Asked, answer, patterns
from plugins.healthcare.diagnose_cases import (
    config,
    diagnose,
    pictures,
    png_table,
    save_npz,
    save_png,
    write_table,
)

NAN = float("nan")


def labelled(folder: Path, *labels: object) -> Path:
    """A table of one picture for each of ``labels``; those that are dictionaries are several columns."""
    rows: list[dict[str, object]] = []
    for number, label in enumerate(labels):
        save_png(folder / f"{number}.png", pictures([number % 3])[0])
        rows.append({"path": f"{number}.png", **(label if isinstance(label, dict) else {"label": label})})
    return write_table(folder / "labels.csv", rows)


def samples(source: Path, **settings: object) -> Images:
    pipeline = diagnose(**settings)
    found = pipeline.samples(pipeline.read(source))
    assert isinstance(found, Images)
    return found


def answers(source: Path, **settings: object) -> list[list[float]]:
    target = samples(source, **settings).targets()
    assert target is not None
    assert target.dtype == torch.float32
    listed: list[list[float]] = target.tolist()
    return listed


# A single label


def test_of_two_classes_the_second_is_the_finding(tmp_path: Path) -> None:
    file = labelled(tmp_path, "ill", "healthy", "ill")
    assert answers(file) == [[1], [0], [1]]
    facts = samples(file).facts
    assert (facts.task, facts.classes, facts.yes_counts, facts.known_counts) == (
        "single", ["healthy", "ill"], [2], [3],
    )  # fmt: skip
    assert answers(file, class_names=["ill", "healthy"]) == [[0], [1], [0]]


def test_of_three_classes_each_is_asked(tmp_path: Path) -> None:
    file = labelled(tmp_path, "b", "a", "c")
    assert answers(file) == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert answers(file, class_names=["c", "a", "b"]) == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert samples(file).facts.classes == ["a", "b", "c"]


def test_numbered_labels_are_named(tmp_path: Path) -> None:
    file = labelled(tmp_path, 1, 0, 2)
    facts = samples(file, class_names=["none", "mild", "severe"]).facts
    assert facts.classes == ["none", "mild", "severe"]
    assert answers(file, class_names=["none", "mild", "severe"]) == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert answers(file, class_names=["2", "1", "0"]) == [
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
    ]  # named by themselves


def test_numbered_labels_of_an_archive_are_named(tmp_path: Path) -> None:
    file = save_npz(tmp_path / "a.npz", train_images=pictures([0, 1]), train_labels=np.array([[0], [1]]))
    assert samples(file).facts.classes == ["0", "1"]
    assert samples(file, class_names=["well", "ill"]).facts.classes == ["well", "ill"]
    more = save_npz(tmp_path / "b.npz", train_images=pictures([0, 1]), train_labels=np.array([[0], [2]]))
    with pytest.raises(
        DataError, match=r"unknown label 2: class_names names 2 classes, numbered from 0; add"
    ):
        samples(more, class_names=["well", "ill"])


@pytest.mark.parametrize("found", ["unheard", "3"])
def test_a_label_that_class_names_lack(found: str, tmp_path: Path) -> None:
    file = labelled(tmp_path, "0", "1", found) if found.isdecimal() else labelled(tmp_path, "a", "b", found)
    names = ["x", "y", "z"] if found.isdecimal() else ["a", "b"]
    message = rf"labels\.csv: unknown label '{found}'; class_names has {', '.join(names)}; add it there"
    with pytest.raises(DataError, match=message):
        samples(file, class_names=names)


def test_other_data_are_judged_in_the_classes_of_the_training(tmp_path: Path) -> None:
    pipeline = diagnose()
    pipeline.facts = pipeline.samples(pipeline.read(labelled(tmp_path / "a", "well", "ill", "worse"))).facts
    table = pipeline.read(labelled(tmp_path / "b", "worse", "well"))
    target = pipeline.samples(table.recode(pipeline.facts.classes)).targets()
    assert target is not None
    assert target.tolist() == [[0, 0, 1], [0, 1, 0]]  # ill, well, worse
    with pytest.raises(DataError, match=r"0\.png: unknown label 'dead'; the model knows ill, well, worse"):
        pipeline.read(labelled(tmp_path / "c", "dead", "well")).recode(pipeline.facts.classes)


# Grades


def test_grades_ask_for_at_least(tmp_path: Path) -> None:
    file = labelled(tmp_path, "mild", "none", "severe", "none")
    names = ["none", "mild", "severe"]
    assert answers(file, task="ordinal", class_names=names) == [[1, 0], [0, 0], [1, 1], [0, 0]]
    facts = samples(file, task="ordinal", class_names=names).facts
    assert (facts.task, facts.yes_counts, facts.known_counts) == ("ordinal", [2, 1], [4, 4])
    assert diagnose(task="ordinal").task(facts).names == ("at least mild", "at least severe")
    assert answers(labelled(tmp_path / "numbers", 10, 9, 2), task="ordinal") == [[1, 1], [1, 0], [0, 0]]


def test_two_grades_are_one_question(tmp_path: Path) -> None:
    assert answers(labelled(tmp_path, 0, 1), task="ordinal") == [[0], [1]]


# Several labels


def test_several_labels_may_be_missing_or_uncertain(tmp_path: Path) -> None:
    file = labelled(
        tmp_path,
        {"fluid": "1", "mass": ""},
        {"fluid": "0", "mass": "-1"},
        {"fluid": "nan", "mass": "1.0"},
        {"fluid": "No", "mass": "TRUE"},
    )
    for uncertain, value in (("unknown", NAN), ("yes", 1.0), ("no", 0.0)):
        found = answers(file, columns={"labels": ["fluid", "mass"]}, uncertain=uncertain)
        assert np.array_equal(found, np.array([[1, NAN], [0, value], [NAN, 1], [0, 1]]), equal_nan=True)
    facts = samples(file, columns={"labels": ["fluid", "mass"]}).facts
    assert (facts.task, facts.labels) == ("multi", ["fluid", "mass"])
    assert (facts.yes_counts, facts.known_counts) == ([1, 2], [3, 2])


def test_one_column_may_be_a_multi_task(tmp_path: Path) -> None:
    found = answers(labelled(tmp_path, "1", "", "0"), task="multi")
    assert np.array_equal(found, np.array([[1], [NAN], [0]]), equal_nan=True)


def test_a_wrong_cell_names_row_and_column(tmp_path: Path) -> None:
    file = labelled(tmp_path, {"fluid": "1", "mass": "0"}, {"fluid": "0", "mass": "maybe"})
    message = r"labels\.csv, row 3, column 'mass': expected 1, 0, -1 or an empty cell, found 'maybe'"
    with pytest.raises(DataError, match=message):
        diagnose(columns={"labels": ["fluid", "mass"]}, max_bad_share=0.9).read(file)


def test_several_labels_without_both_answers_teach_nothing(tmp_path: Path) -> None:
    file = labelled(tmp_path, {"fluid": "1", "mass": "0"}, {"fluid": "1", "mass": ""})
    with pytest.raises(DataError, match="expected labels with both yes and no, found none such; add images"):
        diagnose(columns={"labels": ["fluid", "mass"]}).read(file)


def test_missing_answers_take_no_part_in_loss_or_gradient(tmp_path: Path) -> None:
    file = labelled(
        tmp_path, {"fluid": "1", "mass": ""}, {"fluid": "0", "mass": ""}, {"fluid": "", "mass": "1"}
    )
    pipeline = diagnose(columns={"labels": ["fluid", "mass"]}, model={"width": 4})
    found = pipeline.samples(pipeline.read(file))
    torch.manual_seed(0)
    task = pipeline.task(found.facts).eval()
    batch = all_samples(found)
    logits = task.logits(batch["input"]).detach().double()
    by_hand = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.stack([logits[0, 0], logits[1, 0], logits[2, 1]]), torch.tensor([1.0, 0.0, 1.0]).double()
    )
    loss = task.loss(batch, "main")
    assert loss.value.item() == pytest.approx(by_hand.item(), rel=1e-5)
    assert float(loss.weight) == 3
    alone = task.loss({"input": batch["input"][:2], "target": torch.full((2, 2), NAN)}, "main")
    assert alone.value.item() == 0
    assert torch.isfinite(alone.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1), (1.0, 1), ("Y", 1), (True, 1), ("positive", 1), (0, 0), (" no ", 0), (False, 0), ("NA", NAN), (None, NAN)],
)  # fmt: skip
def test_words_for_yes_and_no(value: object, expected: float) -> None:
    assert answer(value, "unknown", "here") == pytest.approx(expected, nan_ok=True)


def test_equal_answers_have_one_pattern() -> None:
    truth = np.array([[1, NAN], [0, 1], [1, NAN], [1, 0]], np.float32)
    codes = patterns(truth)
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 3
    assert patterns(truth[:0]).shape == (0,)


def test_what_is_asked_is_known_again_from_facts(tmp_path: Path) -> None:
    file = labelled(tmp_path, "a", "b", "c")
    for task, form in (("single", "exclusive"), ("ordinal", "ordered")):
        asked = Asked.from_facts(samples(file, task=task).facts)
        assert (asked.form, asked.classes) == (form, ("a", "b", "c"))
    several = labelled(tmp_path / "several", {"x": 1, "y": 0}, {"x": 0, "y": 1})
    asked = Asked.from_facts(samples(several, columns={"labels": ["x", "y"]}).facts)
    assert asked == Asked(("x", "y"), "independent", ())


def test_a_class_of_a_single_image_cannot_be_split(tmp_path: Path) -> None:
    pipeline = diagnose()
    table = pipeline.read(
        png_table(tmp_path, 9, names=("a", "a", "a", "a", "a", "a", "a", "a", "b"), per_patient=None)
    )
    with pytest.raises(DataError, match="class 'b' has this single sample, which cannot both teach and test"):
        pipeline.split(table)


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": {"labels": []}}, "'columns.labels' must name different columns, found none"),
        ({"columns": {"labels": ["a", "a"]}}, "'columns.labels' must name different columns, found a, a"),
        (
            {"columns": {"labels": ["a", "b"]}, "task": "ordinal"},
            "the task 'ordinal' has one column of labels, found a, b",
        ),
        (
            {"columns": {"labels": ["a", "b"]}, "class_names": ["x", "y"]},
            "several labels are named by their columns",
        ),
        ({"task": "multi", "class_names": ["x", "y"]}, "several labels are named by their columns"),
        ({"class_names": ["x", "x"]}, "'class_names' must differ, found x, x"),
    ],
)
def test_settings_that_contradict(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**settings)


def test_every_setting_is_documented() -> None:
    models: list[type[StrictModel]] = [DiagnoseConfig, ColumnsConfig, CardConfig]
    bare = [
        name
        for model in models
        for name, field in model.model_fields.items()
        if name in model.__annotations__ and not field.description
    ]
    assert set(bare) <= {"columns", "split", "model", "augment", "card"}  # these are documented as models
