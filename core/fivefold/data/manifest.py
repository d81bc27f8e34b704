"""Manifests: what a dataset (or a set of weights) consists of, where it comes from, and under which terms.

A manifest is a YAML file inside an importable package::

    name: seattle-weather
    summary: four years of daily weather in Seattle
    licence: public domain
    citation: "NOAA National Centers for Environmental Information"
    entry: seattle-weather.csv
    files:
      - path: seattle-weather.csv
        sha256: 62f0609f787158128aa2bd102967173a4953122dd4f872bf1d502cae1037df0b
        bytes: 47838
        sources:
          - pypi:vega_datasets==0.9.0!vega_datasets/_data/seattle-weather.csv
          - https://example.org/seattle-weather.csv

Sources are tried in the order given, after the cache and the folders named in ``FIVEFOLD_MIRROR``; every kind
is described in `fivefold.data.sources`.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import PurePosixPath

import yaml
from pydantic import Field, ValidationError, field_validator

from fivefold.config import StrictModel
from fivefold.errors import DataError

_NAME = r"^[a-z0-9][a-z0-9._-]*$"
_HOLDER = re.compile(r"[A-Za-z0-9][\w.+=-]*")
_SHA256 = r"^[0-9a-f]{64}$"


def _inside(path: str) -> str:
    """``path`` if it is relative, with forward slashes, and stays below its folder."""
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\\" in path or ":" in path:
        raise ValueError(f"'{path}' must be a path below the dataset's folder, with forward slashes")
    return path


def _source(source: str) -> str:
    """``source`` if it is of a kind that is known and complete."""
    scheme, _, rest = source.partition(":")
    holder, _, member = rest.partition("!")
    if scheme not in {"pypi", "deb", "package", "http", "https"} or not holder:
        raise ValueError(
            f"'{source}' is none of pypi:NAME==VERSION!path, deb:NAME!path, package:NAME!path, URL"
        )
    if scheme in {"pypi", "deb", "package"} and not (_HOLDER.fullmatch(holder) and member):
        raise ValueError(f"'{source}' must name a package and, after '!', the file in it")
    if scheme == "pypi" and not all(holder.partition("==")):
        raise ValueError(f"'{source}' must name one version: pypi:NAME==VERSION!path")
    return source


class Repacked(StrictModel):
    """A source whose file has other bytes than the rest, though the same content: it was packed again."""

    source: str
    """Where it comes from."""
    sha256: str = Field(pattern=_SHA256)
    """SHA-256 of its bytes."""
    bytes: int = Field(ge=0)
    """Its size."""

    @field_validator("source")
    @classmethod
    def _known(cls, value: str) -> str:
        return _source(value)


class ManifestFile(StrictModel):
    """One file of a dataset."""

    path: str
    """Where the file stands inside the dataset's folder."""
    sha256: str = Field(pattern=_SHA256)
    """SHA-256 of the file's bytes, in lower-case hexadecimal."""
    bytes: int = Field(ge=0)
    """Size of the file; no source may deliver more."""
    sources: tuple[str | Repacked, ...] = Field(min_length=1)
    """Where the file comes from, tried in order."""
    unpack: str | None = None
    """Folder, inside the dataset's, into which this archive is unpacked; not unpacked where not given."""
    unpacked_bytes: int | None = Field(None, ge=1)
    """The most bytes that the archive may unpack to; 20 times its own size and 1 GiB where not given."""

    @field_validator("path", "unpack")
    @classmethod
    def _below(cls, value: str | None) -> str | None:
        return None if value is None else _inside(value)

    @field_validator("sources")
    @classmethod
    def _known(cls, value: tuple[str | Repacked, ...]) -> tuple[str | Repacked, ...]:
        for source in value:
            if isinstance(source, str):
                _source(source)
        return value

    @property
    def ways(self) -> tuple[tuple[str, int], ...]:
        """Every source and the size of the file that it has."""
        return tuple(
            (way, self.bytes) if isinstance(way, str) else (way.source, way.bytes) for way in self.sources
        )

    @property
    def checksums(self) -> dict[str, int]:
        """SHA-256 of every form that the file may have, with its size; the first is the usual one."""
        repacked = {way.sha256: way.bytes for way in self.sources if isinstance(way, Repacked)}
        return {self.sha256: self.bytes, **repacked}


class Manifest(StrictModel):
    """A dataset or a set of weights."""

    name: str = Field(pattern=_NAME)
    """Its name, also that of its folder in the cache."""
    summary: str
    """What it is, in one line."""
    licence: str
    """Licence of the data, as an SPDX identifier where there is one."""
    citation: str
    """What to cite."""
    homepage: str = ""
    """Where its authors describe it."""
    terms: str = ""
    """What else a user must know before using it (non-commercial use, registration)."""
    entry: str = ""
    """What a pipeline reads, inside the dataset's folder; the folder itself where not given."""
    files: tuple[ManifestFile, ...] = Field(min_length=1)

    @field_validator("entry")
    @classmethod
    def _below(cls, value: str) -> str:
        return _inside(value) if value else value

    @field_validator("files")
    @classmethod
    def _distinct(cls, value: tuple[ManifestFile, ...]) -> tuple[ManifestFile, ...]:
        paths = [file.path for file in value]
        repeated = sorted({path for path in paths if paths.count(path) > 1})
        if repeated:
            raise ValueError(f"two files have the path '{repeated[0]}'")
        return value

    @property
    def bytes(self) -> int:
        """Size of all files together, as fetched."""
        return sum(file.bytes for file in self.files)


def load_manifest(reference: str) -> Manifest:
    """Read the manifest ``package:file.yaml``, a resource inside an importable package.

    Raises:
        DataError: the package or file is missing, or the manifest is wrong.
    """
    package, separator, path = reference.partition(":")
    if not separator or not package or not path:
        raise DataError(f"manifest '{reference}': expected 'package:file.yaml', a resource inside a package")
    try:
        text = resources.files(package).joinpath(*PurePosixPath(path).parts).read_text(encoding="utf-8")
    except (ImportError, OSError, TypeError) as error:
        raise DataError(
            f"manifest '{reference}': {error}; check that the package is installed and carries the file"
        ) from error
    return parse_manifest(text, reference)


def parse_manifest(text: str, origin: str) -> Manifest:
    """The manifest in the YAML ``text``; ``origin`` names it in messages.

    Raises:
        DataError: the text is not YAML, or not a manifest; the message names the key.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"manifest '{origin}' is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise DataError(f"manifest '{origin}': expected keys name, summary, licence, citation and files")
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        # a source may be text or a mapping, and each alternative has its error: the deepest is meant
        deepest = max(error.errors(), key=lambda problem: len(problem["loc"]))
        key = ".".join(str(part) for part in deepest["loc"])
        raise DataError(f"manifest '{origin}', key '{key}': {deepest['msg']}") from error
