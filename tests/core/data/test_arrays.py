"""Arrays out of archives that nobody vouches for."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest

from fivefold.data import arrays
from fivefold.data.arrays import npz_arrays, npz_names
from fivefold.errors import DataError

REFUSED = "expected an NPZ archive of plain arrays, found one that cannot be read"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "set.npz"
    np.savez_compressed(
        path, train_images=np.arange(24, dtype=np.uint8).reshape(2, 3, 4), train_labels=[0, 1], note=[7]
    )
    return path


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def packed(path, compression=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", compression) as written:
        for name, content in members.items():
            written.writestr(f"{name}.npy", content)
    return path


def test_names_are_listed_without_reading(archive, tmp_path):
    assert npz_names(archive) == {"train_images", "train_labels", "note"}
    assert npz_names(tmp_path / "absent.npz") == set()
    assert npz_names(tmp_path) == set()
    (tmp_path / "text.npz").write_text("no archive")
    assert npz_names(tmp_path / "text.npz") == set()


def test_arrays_are_chosen_by_the_ends_of_their_names(archive):
    found = npz_arrays(archive, ("images", "labels"))
    assert set(found) == {"train_images", "train_labels"}
    np.testing.assert_array_equal(found["train_images"], np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    assert found["train_images"].dtype == np.uint8
    assert npz_arrays(archive, ("nothing",)) == {}


def test_pickles_are_refused_where_they_are_asked_for(tmp_path):
    path = tmp_path / "pickled.npz"
    np.savez(path, images=np.array([{"a": 1}], dtype=object), labels=[1])
    with pytest.raises(DataError, match=f"{REFUSED}: Object arrays cannot be loaded"):
        npz_arrays(path, ("images",))
    assert npz_arrays(path, ("labels",))["labels"].tolist() == [1]


def test_no_archive(tmp_path):
    with pytest.raises(DataError, match=REFUSED):
        npz_arrays(tmp_path / "absent.npz", ("images",))
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(DataError, match=f"text\\.npz: {REFUSED}"):
        npz_arrays(tmp_path / "text.npz", ("images",))


@pytest.mark.parametrize("size", [0, 10, 60, 200])
def test_an_archive_that_is_cut_off(archive, size):
    archive.write_bytes(archive.read_bytes()[:size])
    with pytest.raises(DataError, match=REFUSED):
        npz_arrays(archive, ("images",))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_bytes_that_have_changed(tmp_path, compression):
    content = npy(np.random.default_rng(0).integers(256, size=5000, dtype=np.uint8))
    path = packed(tmp_path / "changed.npz", compression, images=content)
    held = bytearray(path.read_bytes())
    held[300:340] = b"\xff" * 40
    path.write_bytes(bytes(held))
    with pytest.raises(DataError, match=REFUSED):
        npz_arrays(path, ("images",))


def test_a_password(tmp_path):
    path = packed(tmp_path / "locked.npz", images=npy(np.zeros(3)))
    held = path.read_bytes()
    # The flag of encryption, in the member's own header and in the list at the end.
    held = held.replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00")
    directory = held.index(b"PK\x01\x02")
    held = held[: directory + 8] + b"\x01\x00" + held[directory + 10 :]
    path.write_bytes(held)
    with pytest.raises(DataError, match=f"{REFUSED}: .*encrypted"):
        npz_arrays(path, ("images",))


def test_a_way_of_packing_that_is_not_known(tmp_path):
    path = packed(tmp_path / "odd.npz", images=npy(np.zeros(3)))
    held = bytearray(path.read_bytes())
    for start, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = held.index(start) + place
        held[at : at + 2] = struct.pack("<H", 97)
    path.write_bytes(bytes(held))
    with pytest.raises(DataError, match=REFUSED):
        npz_arrays(path, ("images",))


def test_a_member_that_is_no_array(tmp_path):
    path = packed(tmp_path / "text.npz", images=b"not an array at all", labels=npy(np.zeros(2)))
    with pytest.raises(DataError, match=f"{REFUSED}: images is no array"):
        npz_arrays(path, ("images", "labels"))


def test_a_head_that_promises_more_than_there_is(tmp_path):
    content = npy(np.zeros(8, np.uint8)).replace(b"(8,), }", b"(9999999999999999,), }")
    path = packed(tmp_path / "large.npz", images=content)
    with pytest.raises(DataError, match=REFUSED):
        npz_arrays(path, ("images",))


def test_an_archive_that_unpacks_to_too_much(archive, monkeypatch):
    monkeypatch.setattr(arrays, "MOST_BYTES", 300)
    with pytest.raises(DataError, match=r"set\.npz: expected at most 300 bytes unpacked, found \d+"):
        npz_arrays(archive, ("images",))
