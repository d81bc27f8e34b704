"""What of a dataset is here and verified: a small JSON file in its folder, so that files are hashed once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from fivefold.data.manifest import ManifestFile

_NAME = ".fivefold.json"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Ledger:
    """Which files of the dataset in ``folder`` were verified, and which archives unpacked.

    A file counts as verified while its size and time of change are those that it had when it was hashed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            content = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            content = {}
        self._content: dict[str, Any] = content if isinstance(content, dict) else {}

    @property
    def announced(self) -> bool:
        """Whether licence and citation were shown."""
        return bool(self._content.get("announced"))

    def announce(self) -> None:
        """Remember that licence and citation were shown."""
        self._content["announced"] = True
        self._save()

    def has(self, file: ManifestFile, *, recheck: bool = False) -> bool:
        """Whether ``file`` is here as the manifest names it; ``recheck`` hashes it in any case."""
        path = self.folder / file.path
        if not path.is_file():
            return False
        known = self._content.get("files", {}).get(file.path)
        if not recheck and known and known[0] in file.checksums and known[1:] == _state(path):
            return True
        if path.stat().st_size not in file.checksums.values():
            return False
        found = sha256_of(path)
        if found in file.checksums:
            self.add(file, found)
        return found in file.checksums

    def add(self, file: ManifestFile, sha256: str) -> None:
        """Remember that ``file`` is here and was found to have this checksum."""
        self._content.setdefault("files", {})[file.path] = [sha256, *_state(self.folder / file.path)]
        self._save()

    def unpacked(self, file: ManifestFile) -> bool:
        """Whether the archive ``file`` has been unpacked, or need not be."""
        if file.unpack is None:
            return True
        known = self._content.get("unpacked", {}).get(file.path)
        return known == [file.sha256, file.unpack] and (self.folder / file.unpack).is_dir()

    def add_unpacked(self, file: ManifestFile) -> None:
        """Remember that the archive ``file`` has been unpacked."""
        self._content.setdefault("unpacked", {})[file.path] = [file.sha256, file.unpack]
        self._save()

    def _save(self) -> None:
        part = self.folder / f"{_NAME}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(self._content, indent=1), encoding="utf-8")
            part.replace(self.folder / _NAME)
        except PermissionError:
            pass  # a cache that others filled and only they may write: what is here is hashed each time


def _state(path: Path) -> list[int]:
    state = path.stat()
    return [state.st_size, state.st_mtime_ns]
