"""Structured reports written from pydicom's own files, read again by pydicom, highdicom and dcmtk."""

from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pydicom
import pytest
from highdicom.sr import ComprehensiveSR
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.sr.codedict import codes

from fivefold.errors import DataError
from fivefold_healthcare.dicom.files import quiet
from fivefold_healthcare.dicom.generated import Origin, Result, save_dicom
from fivefold_healthcare.dicom.structured_report import LOCAL_SCHEME, question_code, structured_report
from plugins.healthcare.shipped_files import NOTICE, SOURCES, read

ORIGIN = Origin("densenet of run 7", "0.1.0", NOTICE, datetime(2024, 5, 6, 7, 8, 9))
RESULTS = (
    Result("pneumonia", 0.8731234567890123, 0.5, positive=True),
    Result("Größe über 2 mm? 中文 \\ ^ " + "lang " * 35, 0.1, 0.25, positive=False),
)
ALL = sorted(path.name for path in (Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm"))


def written(folder: Path, source: Dataset, results: Sequence[Result] = RESULTS) -> Dataset:
    save_dicom(structured_report(source, results, ORIGIN), folder / "report.dcm")
    with quiet():
        return pydicom.dcmread(folder / "report.dcm")


def name_of(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def groups(report: Dataset) -> list[dict[str, Dataset]]:
    """The measurement groups, found without highdicom: content items by the code of their names."""
    (measurements,) = (item for item in report.ContentSequence if name_of(item) == "126010")
    return [{name_of(item): item for item in group.ContentSequence} for group in measurements.ContentSequence]


@pytest.mark.parametrize("name", SOURCES)
def test_values_are_found_again(name: str, tmp_path: Path) -> None:
    source = read(name)
    report = written(tmp_path, source)
    for group, result in zip(groups(report), RESULTS, strict=True):
        assert group["112039"].TextValue == result.label
        finding = group["121071"].ConceptCodeSequence[0]
        assert finding == question_code(result.label)
        assert finding.CodingSchemeDesignator == LOCAL_SCHEME
        for code, expected in (("122157", result.probability), ("122411", result.threshold)):
            measured = group[code].MeasuredValueSequence[0]
            assert measured.FloatingPointValue == expected
            assert measured.NumericValue == pytest.approx(expected, abs=1e-13)
            assert measured.MeasurementUnitsCodeSequence[0].CodeValue == "1"
            assert measured.MeasurementUnitsCodeSequence[0].CodingSchemeDesignator == "UCUM"
        answer = group["ANSWER"].ConceptCodeSequence[0]
        assert answer.CodeMeaning == ("Yes" if result.positive else "No")
        assert group["121112"].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert group["111001"].TextValue == "densenet of run 7"


def test_it_is_a_preliminary_unverified_measurement_report_by_a_device(tmp_path: Path) -> None:
    report = written(tmp_path, read("CT_small.dcm"))
    assert report.SOPClassUID == pydicom.uid.ComprehensiveSRStorage
    assert report.Modality == "SR"
    assert report.SpecificCharacterSet == "ISO_IR 192"
    assert (report.PreliminaryFlag, report.CompletionFlag, report.VerificationFlag) == (
        "PRELIMINARY",
        "PARTIAL",
        "UNVERIFIED",
    )
    assert report.ConceptNameCodeSequence[0].CodeValue == "126000"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    root = {name_of(item): item for item in report.ContentSequence}
    assert root["121106"].TextValue == NOTICE
    assert root["121005"].ConceptCodeSequence[0].CodeValue == "121007"
    assert root["121013"].TextValue == "densenet of run 7"
    assert list(root)[-2:] == ["121106", "126010"]  # the notice comes before the measurements
    assert [str(item.CodingSchemeDesignator) for item in report.CodingSchemeIdentificationSequence] == [
        LOCAL_SCHEME
    ]


def test_the_source_is_the_evidence(tmp_path: Path) -> None:
    source = read("MR_small.dcm")
    (study,) = written(tmp_path, source).CurrentRequestedProcedureEvidenceSequence
    assert study.StudyInstanceUID == source.StudyInstanceUID
    (series,) = study.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == source.SeriesInstanceUID
    (instance,) = series.ReferencedSOPSequence
    assert instance.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert instance.ReferencedSOPClassUID == source.SOPClassUID


def test_highdicom_reads_it_as_the_template(tmp_path: Path) -> None:
    source = read("CT_small.dcm")
    report = ComprehensiveSR.from_dataset(written(tmp_path, source))
    found = report.content.get_image_measurement_groups()
    assert [group.tracking_identifier for group in found] == [result.label for result in RESULTS]
    (probability,) = found[0].get_measurements(codes.DCM.Probability)
    assert probability.value == pytest.approx(RESULTS[0].probability, abs=1e-13)
    assert found[0].source_images[0].referenced_sop_instance_uid == source.SOPInstanceUID
    (observer,) = report.content.get_observer_contexts(codes.DCM.Device)
    assert observer.observer_identifying_attributes.name == "densenet of run 7"


@pytest.mark.parametrize("name", ALL)
def test_every_file_of_pydicom_is_written_for_or_refused(name: str, tmp_path: Path) -> None:
    source = read(name)
    lacks = [
        key for key in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID") if not source.get(key)
    ]
    if lacks:
        with pytest.raises(DataError, match=rf"expected a DICOM object with one {lacks[0]}, found none"):
            structured_report(source, RESULTS, ORIGIN)
        return
    report = written(tmp_path, source)
    assert report.StudyInstanceUID == source.StudyInstanceUID
    with quiet():
        assert str(report.PatientName) == str(source.get("PatientName", ""))
        assert (report.PatientID or "") == source.get("PatientID", "")
    assert len(groups(report)) == len(RESULTS)


def test_retired_and_private_classes_of_images_are_written_for(tmp_path: Path) -> None:
    for class_uid in ("1.2.840.10008.5.1.4.1.1.6", "1.3.12.2.1107.5.9.1"):
        folder = tmp_path / class_uid
        source = read("CT_small.dcm")
        source.SOPClassUID = class_uid
        report = written(folder, source)
        assert groups(report)[0]["121112"].ReferencedSOPSequence[0].ReferencedSOPClassUID == class_uid


def test_the_source_is_left_as_it_is() -> None:
    source = read("MR_small.dcm")
    before = copy.deepcopy(source)
    structured_report(source, RESULTS, ORIGIN)
    assert source == before
    assert source.file_meta == before.file_meta


def test_series_and_device_are_told_apart() -> None:
    source = read("CT_small.dcm")
    one, two = (structured_report(source, RESULTS, ORIGIN) for _ in range(2))
    assert one.SeriesInstanceUID == two.SeriesInstanceUID != source.SeriesInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.SeriesNumber == 1902
    device = {name_of(item): item for item in one.ContentSequence}["121012"].UID
    other = structured_report(source, RESULTS, Origin("another", "0.1.0", NOTICE, ORIGIN.created))
    assert device == {name_of(item): item for item in two.ContentSequence}["121012"].UID
    assert device != {name_of(item): item for item in other.ContentSequence}["121012"].UID


def test_codes_of_questions() -> None:
    one, same, other = question_code("pneumonia"), question_code("pneumonia"), question_code("Pneumonia")
    assert one == same
    assert one != other
    assert len(one.CodeValue) == 16
    long, longer = question_code("x" * 200), question_code("x" * 201)
    assert long != longer
    assert long.CodeMeaning == "x" * 61 + "…"
    assert question_code("中" * 22).CodeMeaning == "中" * 20 + "…"
    assert question_code("中" * 21).CodeMeaning == "中" * 21
    assert question_code("left\\right").CodeMeaning == "left/right"


def test_no_results_are_refused() -> None:
    with pytest.raises(DataError, match="expected at least one, found none"):
        structured_report(read("CT_small.dcm"), [], ORIGIN)


LABELS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=200).filter(str.strip)


@settings(max_examples=40, deadline=None)
@given(label=LABELS, model=LABELS, probability=st.floats(0, 1))
@example(label="a\\b\\\\", model="^^=", probability=5e-324)
@example(label="\\" * 200, model="\\", probability=1e-9)
@example(label="\ufeff" * 70, model="\u202eolleh", probability=1.0)
@example(label=" 🫁 lung\u00a0", model="=" * 65, probability=0.0)
def test_odd_labels_are_found_whole(
    tmp_path_factory: pytest.TempPathFactory, label: str, model: str, probability: float
) -> None:
    origin = Origin(model, "0.1.0", NOTICE, ORIGIN.created)
    report = structured_report(read("CT_small.dcm"), [Result(label, probability, 0.5, positive=True)], origin)
    save_dicom(report, path := tmp_path_factory.mktemp("odd") / "report.dcm")
    (group,) = groups(pydicom.dcmread(path))
    assert group["112039"].TextValue == label.strip()
    assert group["122157"].MeasuredValueSequence[0].FloatingPointValue == probability
    assert 0 < len(group["121071"].ConceptCodeSequence[0].CodeMeaning.encode()) <= 64


@pytest.mark.parametrize("name", SOURCES)
def test_dcmtk_reads_it(name: str, tmp_path: Path) -> None:
    if not shutil.which("dsrdump"):
        pytest.skip("needs dsrdump of dcmtk")
    written(tmp_path, read(name))
    dump = subprocess.run(
        ["dsrdump", "+Pl", "+U8", tmp_path / "report.dcm"], capture_output=True, text=True, check=True
    ).stdout
    assert f'"Comment")="{NOTICE}"' in dump
    for result in RESULTS:
        assert f'"Tracking Identifier")="{result.label}"' in dump
        assert f'"Probability")="{str(result.probability)[:16]}" (1,UCUM,"no units")' in dump
    for line in ("PRELIMINARY", "PARTIAL", "UNVERIFIED", '(121007,DCM,"Device")', "densenet of run 7"):
        assert line in dump


@pytest.mark.parametrize("label", ['a"b<c>&d', "\\" * 9, "^=^", "\u202eolleh", "🫁\u200d", "中" * 200])
def test_dcmtk_reads_odd_labels(label: str, tmp_path: Path) -> None:
    if not shutil.which("dsrdump"):
        pytest.skip("needs dsrdump of dcmtk")
    written(tmp_path, read("CT_small.dcm"), [Result(label, 0.5, 0.5, positive=True)])
    dump = subprocess.run(
        ["dsrdump", "+Pl", "+U8", tmp_path / "report.dcm"], capture_output=True, check=True
    ).stdout
    assert f'"Tracking Identifier")="{label}"' in dump.decode()


def test_a_moment_with_a_zone_is_written_as_local_time() -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    report = structured_report(read("CT_small.dcm"), RESULTS, Origin("model", "0.1.0", NOTICE, moment))
    local = moment.astimezone()
    assert (str(report.ContentDate), str(report.ContentTime)) == (f"{local:%Y%m%d}", f"{local:%H%M%S}")
