"""Patients never cross a split; where they are not known, or headers give reason to doubt, the report says so."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fivefold.data.dataset import Facts
from fivefold.data.labels import texts
from fivefold.data.leakage import search
from fivefold.data.splits import SPLIT_NAMES, Splits
from fivefold.data.table import Table
from fivefold.runs import Run
from fivefold_healthcare.diagnose.pipeline import NO_PATIENTS, Diagnose
from plugins.healthcare.diagnose_cases import (
    diagnose,
    dicom_image,
    pictures,
    png_table,
    refused,
    train,
    write_table,
)

TABLES = 1000


def random_table(generator: np.random.Generator, *, given: bool) -> Table:
    """Patients with one to many images each, labels that hang together within them, and perhaps a split."""
    patients = int(generator.integers(3, 25))
    weights = generator.dirichlet(np.full(patients, generator.choice([0.3, 1.0, 5.0])))
    rows = int(generator.integers(patients, 6 * patients))
    drawn = generator.choice(patients, rows, p=weights)
    drawn[:patients] = generator.permutation(patients)  # each has one at least
    names = texts([f"p{one}" for one in drawn])
    classes = tuple("abcd"[: int(generator.integers(2, 5))])
    labels = (drawn + (generator.random(rows) < 0.3)) % len(classes)
    columns = {"id": texts([f"{row}.png" for row in range(rows)]), "patient": names, "label": labels}
    # pixels that differ in one place each: nothing but the patient can be found on both sides
    columns["image"] = np.zeros((rows, 12, 12), np.uint8)
    columns["image"].reshape(rows, -1)[np.arange(rows), np.arange(rows) % 144] = 255
    split = None
    if given:
        columns["split"] = texts([str(one) for one in generator.choice(list(SPLIT_NAMES), rows)])
        columns["split"][0] = "train"
        split = "split"
    return Table(columns, "random", label="label", classes=classes, group="patient", split=split)


def parts(splits: Splits) -> dict[str, Table]:
    return {"train": splits.train, "val": splits.val, "test": splits.test}


def crossing(splits: Splits) -> dict[tuple[str, str], set[str]]:
    """Patients of two splits, by the pair of splits; pairs without one are left out."""
    found = {}
    for (first, here), (second, there) in combinations(parts(splits).items(), 2):
        both = set(here["patient"]) & set(there["patient"])
        if both:
            found[first, second] = both
    return found


def test_patients_never_cross_a_split() -> None:
    generator = np.random.default_rng(0)
    for number in range(TABLES):
        table = random_table(generator, given=False)
        splits = Diagnose(Diagnose.Config.model_validate({"seed": number})).split(table)
        assert crossing(splits) == {}, number
        assert sorted(np.concatenate([part.ids for part in parts(splits).values()])) == sorted(table.ids)
        assert min(map(len, parts(splits).values())) > 0


def test_patients_never_cross_a_fold() -> None:
    generator = np.random.default_rng(1)
    for number in range(TABLES // 10):
        table = random_table(generator, given=False)
        tests = []
        for fold in range(3):
            splits = diagnose(seed=number, folds=3, fold=fold).fold(table, 3)
            assert crossing(splits) == {}
            tests.append(splits.test.ids)
        assert sorted(np.concatenate(tests)) == sorted(table.ids)


def test_patients_that_the_source_lets_cross_are_found() -> None:
    """All pairs of splits with a patient in both are told, with the number of patients, and no other pair is."""
    generator = np.random.default_rng(2)
    crossed = 0
    for number in range(TABLES // 12):
        pipeline = diagnose(seed=number)
        splits = pipeline.split(random_table(generator, given=True))
        found = {
            finding.splits: finding
            for finding in search(splits, pipeline.fingerprints)
            if finding.kind == "group overlap"
        }
        expected = crossing(splits)
        assert {pair: finding.count for pair, finding in found.items()} == {
            pair: len(both) for pair, both in expected.items()
        }
        assert all(finding.severe for finding in found.values())
        crossed += bool(expected)
    assert crossed > TABLES // 24


def test_a_split_that_the_source_lacks_is_carved_by_patient() -> None:
    generator = np.random.default_rng(3)
    for number in range(TABLES // 10):
        table = random_table(generator, given=False)
        pipeline = diagnose(seed=number)
        whole = pipeline.split(table)
        lying = {str(name): split for split, part in parts(whole).items() for name in part["patient"]}
        column = texts(["test" if lying[str(name)] == "test" else "train" for name in table["patient"]])
        carved = pipeline.split(
            Table(
                {**table.columns, "split": column}, "random", "label", table.classes, "patient", split="split"
            )
        )
        assert crossing(carved) == {}
        assert set(carved.test["patient"]) == set(whole.test["patient"])


def test_patients_are_split_by_the_shares_as_nearly_as_they_allow() -> None:
    generator = np.random.default_rng(4)
    for number in range(TABLES // 10):
        table = random_table(generator, given=False)
        splits = diagnose(seed=number, split={"train": 0.5, "val": 0.2}).split(table)
        largest = np.unique(table["patient"], return_counts=True)[1].max()
        for (name, part), share in zip(parts(splits).items(), (0.5, 0.2, 0.3), strict=True):
            assert abs(len(part) - share * len(table)) <= 2 * largest, (number, name)


def test_shares_at_the_command_line(tmp_path: Path) -> None:
    file = png_table(tmp_path / "data", 80)  # 40 patients of two images
    train(file, tmp_path / "run", "--split.train", "0.7", "--split.val", "0.15")
    run = Run.open(tmp_path / "run")
    assert run.info["data"]["sizes"] == {"train": 56, "val": 12, "test": 12}
    assert run.info["data"]["split"].startswith("Rows were split by 'patient' (seed 0)")


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (
            ("--split.train", "0.7", "--split.val", "0.3"),
            "must leave a share for the test, found 0.7 and 0.3",
        ),
        (("--split.val", "0.2"), "must leave a share for the test, found 0.8 and 0.2; lower one"),
        (("--split.train", "0"), "--split.train: expected a number greater than 0, found 0"),
    ],
)
def test_shares_that_leave_nothing_are_refused(
    shares: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = png_table(tmp_path / "data", 8)
    assert said in refused(capsys, "train", file, *shares, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


# Cautions


def test_the_caution_stands_where_no_patients_are_known(tmp_path: Path) -> None:
    known, unknown = diagnose(), diagnose()
    with_patients = known.samples(known.read(png_table(tmp_path / "a"))).facts
    without = unknown.samples(unknown.read(png_table(tmp_path / "b", per_patient=None))).facts
    assert known.cautions(with_patients) == []
    assert unknown.cautions(without) == [NO_PATIENTS]


def test_the_caution_is_of_the_data_judged_too(tmp_path: Path) -> None:
    """A run trained on known patients may be judged on images of unknown ones."""
    pipeline = diagnose()
    pipeline.facts = pipeline.samples(pipeline.read(png_table(tmp_path / "a"))).facts
    pipeline.read(png_table(tmp_path / "b", per_patient=None))
    assert pipeline.cautions(pipeline.facts) == [NO_PATIENTS]
    pipeline.read(png_table(tmp_path / "c"))
    assert pipeline.cautions(pipeline.facts) == []


def headers(folder: Path, first: dict[str, str], second: dict[str, str]) -> Path:
    for number, attributes in enumerate((first, second)):
        dicom_image(folder / f"{number}.dcm", pictures([number])[0], "P1", **attributes)
    return write_table(folder / "labels.csv", [{"path": f"{n}.dcm", "label": n} for n in range(2)])


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"PatientBirthDate": "19500101"}, {"PatientBirthDate": "19500101"}, None),
        ({"PatientBirthDate": "19500101"}, {"PatientBirthDate": ""}, None),
        (
            {"PatientBirthDate": "19500101"},
            {"PatientBirthDate": "19700101"},
            (
                "1 patient id ('P1') stands with different dates of birth: different people may share an id, or "
                "one date is wrong; they are kept together."
            ),
        ),
        (
            {"Modality": "CR"},
            {"Modality": "CT"},
            "The images are of several modalities (CR 1, CT 1); a model may learn to tell these apart instead.",
        ),
    ],
)
def test_headers_that_give_reason_to_doubt(
    first: dict[str, str], second: dict[str, str], said: str | None, tmp_path: Path
) -> None:
    pipeline = diagnose()
    table = pipeline.read(headers(tmp_path, first, second))
    assert table["patient"].tolist() == ["P1", "P1"]
    facts = pipeline.samples(table).facts
    assert pipeline.cautions(facts) == ([] if said is None else [said])
    assert Diagnose().cautions(Facts(facts)) == pipeline.cautions(
        facts
    )  # a run that is opened again knows them


def test_where_the_study_stands_for_the_patient_it_is_said(tmp_path: Path) -> None:
    for number in range(2):
        dicom_image(tmp_path / f"{number}.dcm", pictures([number])[0], f"P{number}", PatientID=None)
    rows: list[dict[str, object]] = [{"path": f"{number}.dcm", "label": number} for number in range(2)]
    pipeline = diagnose()
    table = pipeline.read(write_table(tmp_path / "labels.csv", rows))
    assert len(set(table["patient"])) == 2
    said = (
        "2 of 2 images have no PatientID: the study stands for the patient, and a patient with two studies may "
        "stand on both sides of a split. Add a column 'patient'."
    )
    assert pipeline.cautions(pipeline.samples(table).facts) == [said]
    named = pipeline.read(
        write_table(tmp_path / "labels.csv", [{**row, "patient": row["label"]} for row in rows])
    )
    assert pipeline.cautions(pipeline.samples(named).facts) == []


def test_doubts_of_the_data_judged_are_added(tmp_path: Path) -> None:
    pipeline = diagnose()
    mixed = headers(tmp_path / "a", {"Modality": "CR"}, {"Modality": "CT"})
    pipeline.facts = pipeline.samples(pipeline.read(mixed)).facts
    other = headers(tmp_path / "b", {"PatientBirthDate": "19500101"}, {"PatientBirthDate": "19700101"})
    pipeline.read(other)
    said = pipeline.cautions(pipeline.facts)
    assert len(said) == 2
    assert "several modalities" in said[0]
    assert "different dates of birth" in said[1]
