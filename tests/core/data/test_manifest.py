from __future__ import annotations

from importlib import resources

import pytest
import yaml

from fivefold.data.manifest import load_manifest, parse_manifest
from fivefold.errors import DataError

GOOD = {
    "name": "rain",
    "summary": "rain gauges",
    "licence": "CC0-1.0",
    "citation": "the gauges",
    "files": [
        {"path": "a/rain.csv", "sha256": "0" * 64, "bytes": 3, "sources": ["https://example.org/rain.csv"]}
    ],
}


def changed(key: str, value: object) -> str:
    """The good manifest, as YAML, with one of its keys (or its file's) changed."""
    content = {**GOOD, "files": [dict(GOOD["files"][0])]}
    holder = content if key in {*GOOD, "entry", "extra"} else content["files"][0]
    holder[key] = value
    return yaml.safe_dump(content)


def test_a_manifest_is_read() -> None:
    repacked = {"source": "deb:rain!usr/rain.csv", "sha256": "1" * 64, "bytes": 5}
    manifest = parse_manifest(changed("sources", [repacked, "pypi:rain==1.0!rain/rain.csv"]), "rain.yaml")
    (file,) = manifest.files
    assert manifest.bytes == 3
    assert file.ways == (("deb:rain!usr/rain.csv", 5), ("pypi:rain==1.0!rain/rain.csv", 3))
    assert file.checksums == {"0" * 64: 3, "1" * 64: 5}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("name", "Rain Gauges", "manifest 'rain.yaml', key 'name': String should match pattern"),
        ("extra", 1, "key 'extra': Extra inputs are not permitted"),
        ("files", [], "key 'files': Tuple should have at least 1 item"),
        ("files", GOOD["files"] * 2, "two files have the path 'a/rain.csv'"),
        ("entry", "../x", "key 'entry': Value error, '../x' must be a path below the dataset's folder"),
        ("path", "../rain.csv", "key 'files.0.path': Value error, '../rain.csv' must be a path below"),
        ("path", "/etc/passwd", "'/etc/passwd' must be a path below"),
        ("path", "a\\b", "must be a path below the dataset's folder, with forward slashes"),
        ("path", "C:/rain.csv", "must be a path below"),
        ("unpack", ".", "key 'files.0.unpack': Value error, '.' must be a path below"),
        ("sha256", "0" * 63, "key 'files.0.sha256': String should match pattern"),
        ("bytes", -1, "key 'files.0.bytes': Input should be greater than or equal to 0"),
        ("sources", [], "key 'files.0.sources'"),
        (
            "sources",
            ["ftp://example.org/x"],
            "'ftp://example.org/x' is none of pypi:NAME==VERSION!path, deb:",
        ),
        ("sources", ["deb:rain"], "'deb:rain' must name a package and, after '!', the file in it"),
        ("sources", ["deb:-o!x"], "must name a package and, after '!', the file in it"),
        ("sources", ["pypi:rain!x"], "'pypi:rain!x' must name one version: pypi:NAME==VERSION!path"),
        ("sources", [{"source": "rain", "sha256": "0" * 64, "bytes": 1}], "'rain' is none of pypi"),
    ],
)
def test_a_wrong_manifest_is_refused_by_key(key: str, value: object, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_manifest(changed(key, value), "rain.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "manifest 'x' is not YAML: while parsing"),
        ("- a\n- b", "manifest 'x': expected keys name"),
    ],
)
def test_what_is_no_manifest_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_manifest(text, "x")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "fashion-mnist",
            "manifest 'fashion-mnist': expected 'package:file.yaml', a resource inside a package",
        ),
        ("no_such_package:x.yaml", "No module named 'no_such_package'; check that the package is installed"),
        ("fivefold_data:datasets/nothing.yaml", "check that the package is installed and carries the file"),
    ],
)
def test_a_missing_manifest_is_named(reference: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_manifest(reference)


def test_every_manifest_that_comes_with_fivefold_is_right() -> None:
    for folder in ("datasets", "weights"):
        for file in resources.files("fivefold_data").joinpath(folder).iterdir():
            manifest = load_manifest(f"fivefold_data:{folder}/{file.name}")
            assert f"{manifest.name}.yaml" == file.name
