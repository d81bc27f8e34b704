from datetime import date, timedelta
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.tag import Tag
from pydicom.uid import UID

from fivefold_healthcare.dicom.deidentification import Deidentifier, Options, scan
from fivefold_healthcare.dicom.deidentification.actions import judge, table
from fivefold_healthcare.dicom.deidentification.forms import shifted
from fivefold_healthcare.dicom.deidentification.identifiers import Identifiers, is_registered
from plugins.healthcare.deidentified import image

TEXTS = (
    "PatientName",
    "OtherPatientIDs",
    "PatientComments",
    "AccessionNumber",
    "ReferringPhysicianName",
    "InstitutionAddress",
    "StudyDescription",
    "DeviceSerialNumber",
    "ProtocolName",
    "TextValue",
)
SEQUENCES = (
    "ReferencedImageSequence",
    "SourceImageSequence",
    "SharedFunctionalGroupsSequence",
    "ReferencedStudySequence",
    "OriginalAttributesSequence",
    "AnatomicRegionSequence",
    "VerifyingObserverSequence",
)
words = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ", min_size=8, max_size=12).filter(
    lambda word: len(set(word)) > 3
)


@st.composite
def datasets(draw: st.DrawFn, depth: int = 3) -> tuple[Dataset, list[str]]:
    """A dataset of attributes that the profile removes or replaces, and their texts."""
    dataset, secrets = Dataset(), []
    for keyword in draw(st.lists(st.sampled_from(TEXTS), unique=True, max_size=4)):
        word = draw(words)
        dataset.add_new(keyword, dictionary_VR(tag_for_keyword(keyword)), word)
        secrets.append(word)
    if draw(st.booleans()):
        creator, word = draw(words), draw(words)
        block = dataset.private_block(draw(st.sampled_from((0x0009, 0x0029, 0x7FE1))), creator, create=True)
        representation = draw(st.sampled_from(("LO", "UT", "PN", "OB", "UN")))
        block.add_new(
            draw(st.integers(0, 255)), representation, word.encode() if representation in "OBUN" else word
        )
        secrets += [creator, word]
    if depth:
        for keyword in draw(st.lists(st.sampled_from(SEQUENCES), unique=True, max_size=2)):
            inner = draw(st.lists(datasets(depth=depth - 1), max_size=2))
            setattr(dataset, keyword, [item for item, _ in inner])
            secrets += [word for _, found in inner for word in found]
        if draw(st.booleans()):
            item, found = draw(datasets(depth=depth - 1))
            dataset.private_block(0x0015, "zqZQzqZQ", create=True).add_new(1, "SQ", [item])
            secrets += found
    return dataset, secrets


@settings(max_examples=40, deadline=None)
@given(datasets(), st.sampled_from(("Manufacturer", "SoftwareVersions", "ConvolutionKernel", "CodeMeaning")))
def test_removed_texts_are_nowhere_in_the_bytes(drawn: tuple[Dataset, list[str]], repeating: str) -> None:
    extra, secrets = drawn
    original = image()
    original.update(extra)
    if secrets:
        original.add_new(repeating, dictionary_VR(tag_for_keyword(repeating)), f"see {secrets[-1]}")
    stream = BytesIO()
    Deidentifier().deidentify(original).dataset.save_as(stream, enforce_file_format=True)
    content = stream.getvalue()
    assert [word for word in secrets if word.encode() in content] == []


@settings(max_examples=15, deadline=None)
@given(datasets())
def test_references_stay_whole_at_any_depth(drawn: tuple[Dataset, list[str]]) -> None:
    original = image()
    original.update(drawn[0])
    reference, outer = Dataset(), Dataset()
    reference.ReferencedSOPInstanceUID = original.SOPInstanceUID
    outer.SourceImageSequence = [reference]
    original.SharedFunctionalGroupsSequence = [outer]
    new = Deidentifier().deidentify(original).dataset
    pointer = new.SharedFunctionalGroupsSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
    assert pointer == new.SOPInstanceUID == new.file_meta.MediaStorageSOPInstanceUID


@given(st.binary(min_size=1), st.text("0123456789.", min_size=1, max_size=64))
def test_replaced_uids_are_valid_and_differ(secret: bytes, uid: str) -> None:
    new = Identifiers(secret).uid(uid)
    assert UID(new).is_valid
    assert (new == uid) == is_registered(uid)
    assert Identifiers(secret).uid(f" {uid}\0") == new


@given(st.dates(min_value=date(100, 1, 1)), st.integers(-3652, -31))
def test_shifting_is_arithmetic_of_the_calendar(day: date, days: int) -> None:
    moved = day + timedelta(days=days)
    assert shifted(day.strftime("%Y%m%d").zfill(8), days) == moved.strftime("%Y%m%d").zfill(8)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20200301", "20200131"),
        ("2020.03.01", "20200131"),
        ("202003", "202001"),
        ("2020", "2019"),
        ("20200301235959.999999-0500", "20200131235959.999999"),
    ],
)
def test_shifting_by_hand(value: str, expected: str) -> None:
    assert shifted(value, -30) == expected


def test_shifted_texts_that_are_no_dates_are_refused() -> None:
    for value in ("00010101", "20201301", "soon"):
        with pytest.raises(ValueError, match=r"expected|month"):
            shifted(value, -31)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.binary(min_size=3, max_size=6).map(lambda text: bytes(byte % 3 for byte in text)), max_size=20
    ),
    st.binary(max_size=200).map(lambda text: bytes(byte % 3 for byte in text)),
    st.integers(1, 8),
)
def test_scan_finds_what_a_plain_search_finds(texts: list[bytes], content: bytes, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "_CHUNK", chunk)
        assert scan.occurring(texts, content) == {text for text in texts if text in content}


def test_table_is_whole() -> None:
    assert len(table()) == 652
    assert table()[Tag("PatientName")] == "Z"
    assert table()[Tag("SOPInstanceUID")] == "U"
    assert table()[Tag("DeviceSerialNumber")] == "X/Z/D"
    assert set(table().values()) == {"X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}


def test_nothing_of_the_table_is_kept_without_an_option() -> None:
    known = [tag for tag in table() if dictionary_has_tag(tag)]
    assert {judge(tag, dictionary_VR(tag), Options()).action for tag in known} == {"X", "Z", "D", "U"}
