"""Columns of a table of labels: what is named is there, patients by any name, and what a table lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.healthcare.diagnose_cases import diagnose, png_table, refuse


def test_a_named_column_must_be_there(tmp_path: Path) -> None:
    png_table(tmp_path, 4, per_patient=None, Patientennummer="abcd")
    message = r"labels\.csv: expected the column 'NOSUCH' that --columns\.patient names, found path, label, Patienten"
    refuse(tmp_path, message, columns={"patient": "NOSUCH"})
    refuse(tmp_path, r"did you mean 'Patientennummer'\?", columns={"patient": "patientennummer"})
    refuse(tmp_path, r"the column 'file' that --columns\.path names", columns={"path": "file"})
    refuse(tmp_path, r"the column 'split' that --columns\.split names", columns={"split": "split"})


def test_a_run_may_be_judged_on_a_table_without_the_named_column(tmp_path: Path) -> None:
    pipeline = diagnose(columns={"patient": "who"})
    table = pipeline.read(png_table(tmp_path / "a", 12, per_patient=None, who="abcdefabcdef"))
    assert table.group == "patient"
    pipeline.facts = pipeline.samples(table).facts
    assert pipeline.read(png_table(tmp_path / "b", 4, per_patient=None)).group is None


@pytest.mark.parametrize("name", ["group", "Patient", "patient_id"])
def test_units_by_other_names_are_honoured_and_told(name: str, tmp_path: Path) -> None:
    pipeline = diagnose()
    file = png_table(tmp_path, 24, per_patient=None, **{name: [f"u{number // 2}" for number in range(24)]})
    table = pipeline.read(file)
    assert table.group == name
    assert f"split by '{name}'" in pipeline.split(table).how
    facts = pipeline.samples(table).facts
    assert facts.unit == name
    (told,) = pipeline.cautions(facts)
    assert f"rows with the same '{name}' stay in one split" in told


def test_a_group_beside_patients_is_warned_of(tmp_path: Path) -> None:
    pipeline = diagnose()
    table = pipeline.read(png_table(tmp_path, 12, group=["g", "h"] * 6))
    assert table.group == "patient"
    assert "'group' is called as units are" in " ".join(pipeline.cautions(pipeline.samples(table).facts))


@pytest.mark.parametrize(
    ("content", "labels", "message"),
    [
        (
            b"path,platelets\n000.png,1\n",
            ("label",),
            r"labels\.csv: expected a column 'label' with labels, found path, p",
        ),
        (
            b"path,platelets\n000.png,1\n",
            ("platelet",),
            r"did you mean 'platelets'\? name the columns of labels by --columns\.labels, once",
        ),
        (
            b"datei,label\n000.png,1\n",
            ("label",),
            r"labels\.csv: expected a column that names the image .*found datei, l",
        ),
        (
            "path,label\n000.png,kräftig\n".encode("latin-1"),
            ("label",),
            r"labels\.csv, row 2: .*found the byte 0xe4",
        ),
        (b"a;b|c\n1;2|3\n", ("label",), r"labels\.csv: expected one sign that parts the cells"),
    ],
)
def test_the_only_table_of_a_folder_says_what_it_lacks(
    content: bytes, labels: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    png_table(tmp_path, 1).write_bytes(content)
    refuse(tmp_path, message, columns={"labels": labels})


def test_a_table_with_semicolons_is_read(tmp_path: Path) -> None:
    file = png_table(tmp_path, 8)
    file.write_text(file.read_text().replace(",", ";"))
    assert len(diagnose().read(tmp_path)) == 8


def test_a_path_that_leads_out_of_the_folder_is_told_why(tmp_path: Path) -> None:
    file = png_table(tmp_path / "data", 4)
    inside = file.read_text().replace("000.png", str(tmp_path / "data" / "000.png"))
    file.write_text(inside)
    assert len(diagnose().read(file)) == 4  # absolute, and below the table's folder
    file.write_text(inside.replace("001.png", str(tmp_path / "001.png")))
    refuse(
        file,
        "which leads out of it; a table may have only files of its own folder read, so put it above them",
    )
