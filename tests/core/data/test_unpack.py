from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from fivefold.data.unpack import extract_member, unpack
from fivefold.errors import ArchiveError

FILES = {"a.txt": b"first", "deep/er/b.txt": b"second", "deep/empty": b""}
BOUND = 1000


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("deep")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def tarred(path: Path, *entries: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return path


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_archives_are_unpacked_and_replace_what_was_there(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "archive"
    if mode == "zip":
        zipped(path, FILES)
    else:
        folder = entry("deep", kind=tarfile.DIRTYPE)
        tarred(path, folder, *(entry(f"./{name}", content) for name, content in FILES.items()), mode=mode)
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("gone")
    unpack(path, target, max_bytes=BOUND)
    assert content_of(target) == FILES
    assert sorted(tmp_path.iterdir()) == [path, target]


def test_a_single_gzip_file_becomes_one_file(tmp_path: Path) -> None:
    path = tmp_path / "rain.csv.gz"
    path.write_bytes(gzip.compress(b"a,b"))
    unpack(path, tmp_path / "out", max_bytes=BOUND)
    assert content_of(tmp_path / "out") == {"rain.csv": b"a,b"}


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", FILES).read_bytes()
    path = tarred(tmp_path / "outer.tar", entry("inner.zip", inner), mode="w")
    unpack(path, tmp_path / "out", max_bytes=BOUND)
    assert content_of(tmp_path / "out") == {"inner.zip": inner}


def test_links_to_members_become_copies(tmp_path: Path) -> None:
    hard, soft = (
        entry("hard", kind=tarfile.LNKTYPE, link="a"),
        entry("d/soft", kind=tarfile.SYMTYPE, link="../a"),
    )
    unpack(tarred(tmp_path / "x.tgz", entry("a", b"one"), hard, soft), tmp_path / "out", max_bytes=BOUND)
    assert content_of(tmp_path / "out") == {"a": b"one", "hard": b"one", "d/soft": b"one"}
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:/evil"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_path_escapes(tmp_path: Path, name: str, kind: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    if kind == "zip":
        path = zipped(inside / "x.zip", {"good": b"", name: b"evil"})
    else:
        path = tarred(inside / "x.tar", entry("good"), entry(name, b"evil"))
    with pytest.raises(ArchiveError, match=r"x\.(zip|tar): the entry '.*evil' points outside the folder"):
        unpack(path, inside / "out", max_bytes=BOUND)
    assert [found.name for found in tmp_path.rglob("*")] == ["inside", path.name]  # nothing is left, nowhere


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [entry("link", kind=tarfile.SYMTYPE, link="/etc/passwd")],
            "'link' is a link to '/etc/passwd', no file of",
        ),
        (
            [entry("link", kind=tarfile.SYMTYPE, link="..")],
            "the entry 'link' is a link to '..', no file of this",
        ),
        (
            [entry("hard", kind=tarfile.LNKTYPE, link="../x")],
            "'hard' is a link to '../x', no file of this archive",
        ),
        (
            [entry("dir", kind=tarfile.SYMTYPE, link="/etc"), entry("dir/evil", b"evil")],
            "the entry 'dir' is a link to '/etc'",
        ),
        (
            [entry("a", kind=tarfile.SYMTYPE, link="b"), entry("b", kind=tarfile.SYMTYPE, link="a")],
            "the archive is broken|'a' is a link to 'b'",
        ),
        ([entry("pipe", kind=tarfile.FIFOTYPE)], "the entry 'pipe' is a device; not unpacked"),
        ([entry("null", kind=tarfile.CHRTYPE)], "the entry 'null' is a device"),
        ([entry("a", b"file"), entry("a/b", b"below")], "a name stands for both a file and a folder"),
    ],
    ids=[
        "link out",
        "link up",
        "hard link out",
        "through a link",
        "ring of links",
        "pipe",
        "device",
        "clash",
    ],
)
def test_links_and_devices_are_refused(
    tmp_path: Path, entries: list[tuple[tarfile.TarInfo, bytes]], message: str
) -> None:
    path = tarred(tmp_path / "x.tar", *entries)
    with pytest.raises(ArchiveError, match=message):
        unpack(path, tmp_path / "out", max_bytes=BOUND)
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match=r"x\.zip: the entry 'link' is a link or device; not unpacked"):
        unpack(tmp_path / "x.zip", tmp_path / "out", max_bytes=BOUND)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a": b"secret"})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the flag of the last entry in the central directory
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="the entry 'a' is encrypted"):
        unpack(path, tmp_path / "out", max_bytes=BOUND)


@pytest.mark.parametrize("kind", ["zip", "tar", "gz"])
def test_a_bomb_stops_at_the_bound(tmp_path: Path, kind: str) -> None:
    path, zeros = tmp_path / f"bomb.{kind}", bytes(10_000_000)
    if kind == "zip":
        zipped(path, {"a": zeros})
    elif kind == "tar":
        tarred(path, entry("a", zeros))
    else:
        path.write_bytes(gzip.compress(zeros))
    assert path.stat().st_size < 20_000
    with pytest.raises(ArchiveError, match=f"bomb.{kind}: unpacks to more than the allowed size"):
        unpack(path, tmp_path / "out", max_bytes=100_000)
    assert list(tmp_path.iterdir()) == [path]


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {f"{number}": b"" for number in range(11)})
    with pytest.raises(ArchiveError, match=r"x\.zip: more than 10 files"):
        unpack(path, tmp_path / "out", max_bytes=BOUND, max_files=10)


@pytest.mark.parametrize("kind", ["zip", "tar", "gz", "noise"])
def test_broken_archives_are_refused(tmp_path: Path, kind: str) -> None:
    path, noise = tmp_path / f"x.{kind}", bytes(number * 37 % 251 for number in range(5000))
    if kind == "zip":
        zipped(path, {"a": noise})
    elif kind == "tar":
        tarred(path, entry("a", noise))
    elif kind == "gz":
        path.write_bytes(gzip.compress(noise))
    else:
        path.write_bytes(noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        ArchiveError, match=rf"x.{kind}: (the archive is broken|neither a zip, a tar nor a gzip)"
    ):
        unpack(path, tmp_path / "out", max_bytes=10_000)
    assert list(tmp_path.iterdir()) == [path]


def test_one_member_is_taken_out(tmp_path: Path) -> None:
    wheel = zipped(tmp_path / "x.zip", FILES)
    source = tarred(tmp_path / "x.tgz", entry("x-1.0/a.txt", b"other"), entry("./x-1.0/deep/b", b"inner"))
    target = tmp_path / "target"
    assert extract_member(wheel, "deep/er/b.txt", target, max_bytes=6)
    assert target.read_bytes() == b"second"
    assert extract_member(source, "deep/b", target, max_bytes=5)  # without the leading folder
    assert target.read_bytes() == b"inner"
    assert not extract_member(wheel, "b.txt", target, max_bytes=6)
    assert not extract_member(source, "deep", target, max_bytes=6)
    with pytest.raises(ArchiveError, match="unpacks to more than the allowed size at 'deep/er/b"):
        extract_member(wheel, "deep/er/b.txt", target, max_bytes=5)
    noise = bytes(number * 37 % 251 for number in range(5000))
    broken = tarred(tmp_path / "y.tar", entry("a", noise), entry("b", b"beyond"), mode="w")
    broken.write_bytes(broken.read_bytes()[:3000])
    with pytest.raises(ArchiveError, match=r"y\.tar: the archive is broken"):
        extract_member(broken, "b", target, max_bytes=5)
