"""Files from mirrors, installed packages, package indexes and Debian's archive."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import zipfile
from base64 import b64encode
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from fivefold.data.cache import cache_path
from fivefold.data.fetch import fetch, is_cached
from fivefold.data.manifest import Manifest, load_manifest
from fivefold.data.sources import pip_client
from fivefold.errors import ArchiveError, ChecksumError, DownloadError
from loopback import Server, send

CONTENT = b"date,rain\n2012-01-01,0.0\n"
APACHE = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of the text of the Apache licence 2.0, as every Debian system carries it."""


def manifest(*sources: object, content: bytes = CONTENT, **file: object) -> Manifest:
    entry = {"path": "rain.csv", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), **file}
    described = {"name": "rain", "summary": "rain", "licence": "CC0-1.0", "citation": "none"}
    return Manifest.model_validate({**described, "files": [{**entry, "sources": sources}]})


@pytest.fixture
def index(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """pip set up for a package index on the loopback and for nothing else."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", server.url("/simple"))
    return server


def wheel(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), content)
    return target.getvalue()


def source_distribution(witness: Path) -> bytes:
    """A source distribution whose set-up leaves a trace, should anyone run it."""
    target = io.BytesIO()
    files = {
        "rainy-1.0/setup.py": f"import pathlib; pathlib.Path({str(witness)!r}).touch()".encode(),
        "rainy-1.0/rainy/rain.csv": CONTENT,
    }
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def publish(index: Server, kind: str, files: dict[str, bytes]) -> None:
    """List the files of the project ``rainy`` as the simple repository API does (PEP 503, PEP 691)."""
    urls = {name: index.file(f"/files/{name}", content) for name, content in files.items()}
    if kind == "html":
        page = "".join(f'<a href="{url}">{name}</a>' for name, url in urls.items())
        index.file("/simple/rainy/", f"<!DOCTYPE html><html><body>{page}</body></html>".encode(), "text/html")
    else:
        listed = [{"filename": name, "url": url, "hashes": {}} for name, url in urls.items()]
        content = json.dumps({"meta": {"api-version": "1.0"}, "name": "rainy", "files": listed}).encode()
        index.file("/simple/rainy/", content, "application/vnd.pypi.simple.v1+json")


@pytest.mark.parametrize("kind", ["html", "json"])
def test_a_file_of_a_wheel_in_an_index(index: Server, kind: str) -> None:
    other = {
        "rainy-2.0-py3-none-any.whl": b"another version",
        "rainy-1.0-py3-none-win32.whl": b"another platform",
    }
    publish(index, kind, {**other, "rainy-1.0-py3-none-any.whl": wheel(rainy__rain_csv=CONTENT)})
    told: list[tuple[str, int, int]] = []
    folder = fetch(manifest("pypi:rainy==1.0!rainy/rain.csv"), progress=lambda *step: told.append(step))
    assert (folder / "rain.csv").read_bytes() == CONTENT
    assert told[-1][0] == "rainy-1.0-py3-none-any.whl"
    assert told[-1][1] == told[-1][2]


def test_a_file_of_a_source_distribution_whose_code_never_runs(index: Server, tmp_path: Path) -> None:
    files = {
        "rainy-1.0-py3-none-any.whl": wheel(rainy__code=b""),  # it left the data out
        "rainy-1.0.tar.gz": source_distribution(tmp_path / "ran"),
    }
    publish(index, "json", files)
    folder = fetch(manifest("pypi:rainy==1.0!rainy/rain.csv"))
    assert (folder / "rain.csv").read_bytes() == CONTENT
    assert not (tmp_path / "ran").exists()


def test_two_files_of_one_distribution_need_one_download(index: Server) -> None:
    content = wheel(rainy__rain_csv=CONTENT, rainy__snow_csv=CONTENT)
    publish(index, "html", {"rainy-1.0-py3-none-any.whl": content})
    single = manifest("pypi:rainy==1.0!rainy/rain.csv")
    second = single.files[0].model_copy(
        update={"path": "snow.csv", "sources": ("pypi:rainy==1.0!rainy/snow.csv",)}
    )
    fetch(single.model_copy(update={"files": (*single.files, second)}))
    assert [path for path, _ in index.asked if path.startswith("/files")] == [
        "/files/rainy-1.0-py3-none-any.whl"
    ]


def test_what_an_index_lacks_is_said(index: Server) -> None:
    publish(index, "html", {"rainy-1.0-py3-none-any.whl": wheel(rainy__rain_csv=CONTENT)})
    wanted = manifest(
        "pypi:rainy==3.0!rainy/rain.csv", "pypi:rainy==1.0!rainy/snow.csv", "pypi:sunny==1.0!sunny/rain.csv"
    )
    with pytest.raises(DownloadError) as caught:
        fetch(wanted)
    message = str(caught.value)
    assert (
        "pypi:rainy==3.0!rainy/rain.csv: the package index has no such distribution for this platform"
        in message
    )
    assert "pypi:rainy==1.0!rainy/snow.csv: no such file in rainy-1.0-py3-none-any.whl" in message
    assert "pypi:sunny==1.0!sunny/rain.csv: " in message


def test_credentials_are_used_and_never_told(
    index: Server, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", server.url("/simple").replace("http://", "http://ann:secret@"))
    publish(index, "html", {"rainy-1.0-py3-none-any.whl": wheel(rainy__rain_csv=CONTENT)})
    page = index.answers["/simple/rainy/"]
    expected = "Basic " + b64encode(b"ann:secret").decode()

    def guarded(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("Authorization") == expected:
            page(request)
        else:
            send(request, 401, b"", {"WWW-Authenticate": "Basic"})

    index.answers["/simple/rainy/"] = guarded
    index.answers["/files/rainy-1.0-py3-none-any.whl"] = lambda request: send(request, 500, b"", {})
    with pytest.raises(DownloadError) as caught:
        fetch(manifest("pypi:rainy==1.0!rainy/rain.csv"))
    assert "pip cannot fetch it: " in str(caught.value)
    assert "secret" not in str(caught.value)
    index.file("/files/rainy-1.0-py3-none-any.whl", wheel(rainy__rain_csv=CONTENT))
    fetch(manifest("pypi:rainy==1.0!rainy/rain.csv"))


def test_a_pip_that_works_differently_still_serves_wheels(
    index: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "changed_client.py"
    changed.write_text(f"import sys; sys.exit({pip_client.UNKNOWN_PIP})")
    monkeypatch.setattr(pip_client, "__file__", str(changed))
    metadata = {"rainy-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: rainy\nVersion: 1.0\n"}
    metadata["rainy-1.0.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    publish(index, "html", {"rainy-1.0-py3-none-any.whl": wheel(rainy__rain_csv=CONTENT, **metadata)})
    folder = fetch(manifest("pypi:rainy==1.0!rainy/rain.csv"))
    assert (folder / "rain.csv").read_bytes() == CONTENT


@pytest.mark.package_index
def test_a_file_from_the_users_own_package_index(cache: Path) -> None:
    folder = fetch(
        manifest(
            "pypi:vega_datasets==0.9.0!vega_datasets/_data/seattle-weather.csv",
            sha256="62f0609f787158128aa2bd102967173a4953122dd4f872bf1d502cae1037df0b",
            bytes=47838,
        )
    )
    assert (folder / "rain.csv").read_text(encoding="utf-8").startswith("date,precipitation,temp_max")


def test_mirrors_come_before_sources(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, plain = tmp_path / "named", tmp_path / "plain"
    (named / "rain").mkdir(parents=True)
    plain.mkdir()
    monkeypatch.setenv(
        "FIVEFOLD_MIRROR", os.pathsep.join([str(tmp_path / "absent"), str(plain), "", str(named)])
    )
    wanted = manifest("package:no_such_package!rain.csv")
    with pytest.raises(DownloadError) as caught:
        fetch(wanted)
    assert f"mirror {tmp_path / 'absent'}: no such folder" in str(caught.value)
    assert f"mirror {plain}: holds neither rain/rain.csv nor rain.csv" in str(caught.value)
    (named / "rain" / "rain.csv").write_bytes(CONTENT)
    (plain / "rain.csv").write_bytes(CONTENT[::-1])  # a wrong file is passed over
    assert (fetch(wanted) / "rain.csv").read_bytes() == CONTENT


def test_a_mirror_with_a_wrong_file_is_named(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIVEFOLD_MIRROR", str(tmp_path))
    (tmp_path / "rain.csv").write_bytes(CONTENT[::-1])
    with pytest.raises(ChecksumError, match=f"tried mirror {tmp_path}: expected SHA-256 .*, found "):
        fetch(manifest("package:no_such_package!rain.csv"))
    (tmp_path / "rain.csv").write_bytes(CONTENT + b"more")
    with pytest.raises(DownloadError, match="holds more than the 25 bytes that the manifest names"):
        fetch(manifest("package:no_such_package!rain.csv"))
    assert not list((cache / "datasets" / "rain").glob("rain.csv*"))


def test_a_file_of_an_installed_package(cache: Path) -> None:
    content = Path(np.__file__).read_bytes()
    assert (
        fetch(manifest("package:numpy!__init__.py", content=content)) / "rain.csv"
    ).read_bytes() == content


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("package:no_such_package!x", "the Python package 'no_such_package' is not installed"),
        ("package:numpy!no/such/file", "the installed version of 'numpy' carries no such file"),
        ("package:numpy!../pytest/__init__.py", "the installed version of 'numpy' carries no such file"),
    ],
)
def test_what_an_installed_package_lacks_is_said(cache: Path, source: str, reason: str) -> None:
    with pytest.raises(DownloadError, match=reason):
        fetch(manifest(source))


def test_archives_are_unpacked_once_and_safely(cache: Path, server: Server) -> None:
    good, evil = wheel(rainy__rain_csv=CONTENT), wheel(**{"../evil": b""})
    wanted = manifest(server.file("/good.zip", good), content=good, path="rain.zip", unpack="rainy")
    folder = fetch(wanted)
    assert (folder / "rainy" / "rainy" / "rain.csv").read_bytes() == CONTENT
    assert is_cached(wanted)
    shutil.rmtree(folder / "rainy")
    assert not is_cached(wanted)
    fetch(wanted)
    assert len(server.asked) == 1  # the archive itself was still there
    bad = manifest(server.file("/evil.zip", evil), content=evil, path="evil.zip", unpack="evil")
    with pytest.raises(ArchiveError, match=r"evil\.zip: the entry '\.\./evil' points outside"):
        fetch(bad)
    assert not (folder / "evil").exists()
    large = manifest("https://host.invalid", content=good, path="rain.zip", unpack="small", unpacked_bytes=10)
    with pytest.raises(ArchiveError, match="unpacks to more than the allowed size"):
        fetch(large)


def test_a_system_without_apt_is_said(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match="deb:base-files!x: this system has no apt-get and dpkg-deb"):
        fetch(manifest("deb:base-files!x"))


needs_apt = pytest.mark.skipif(not shutil.which("apt-get"), reason="needs apt-get, which this system has not")


@needs_apt
@pytest.mark.package_index
def test_a_file_of_a_debian_package(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIVEFOLD_CACHE")
    lists = cache_path("apt")  # those of the user's cache, which need not be fetched anew for every test
    monkeypatch.setenv("FIVEFOLD_CACHE", str(cache))
    lists.mkdir(parents=True, exist_ok=True)
    cache.mkdir()
    (cache / "apt").symlink_to(lists)
    told: list[tuple[str, int, int]] = []
    wanted = manifest("deb:base-files!usr/share/common-licenses/Apache-2.0", sha256=APACHE, bytes=11358)
    folder = fetch(wanted, progress=lambda *step: told.append(step))
    assert "Apache License" in (folder / "rain.csv").read_text(encoding="utf-8")
    assert told[-1][0] == "base-files (Debian package)"
    other = {"path": "other", "sha256": APACHE, "bytes": 11358}
    with pytest.raises(DownloadError, match="the package 'base-files' has no such file"):
        fetch(manifest("deb:base-files!usr/no/such/file", **other))
    with pytest.raises(DownloadError, match="apt-get knows no package 'no-such-package-of-anyone'"):
        fetch(manifest("deb:no-such-package-of-anyone!x", **other))


@needs_apt
@pytest.mark.slow
@pytest.mark.package_index
def test_fashion_mnist_comes_from_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """Into the user's own cache, where the demo and later runs find it."""
    monkeypatch.delenv("FIVEFOLD_MIRROR", raising=False)
    wanted = load_manifest("fivefold_data:datasets/fashion-mnist.yaml")
    folder = fetch(wanted)
    assert is_cached(wanted, recheck=True)
    for file in wanted.files:
        assert (folder / file.path).stat().st_size in file.checksums.values()
