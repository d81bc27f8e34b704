"""Measurements that are made once on a machine and then remembered in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from filelock import FileLock

from fivefold.data.cache import cache_directory
from fivefold.files import write_json


class Remembered:
    """Values that belong to one question, each measured when it is first asked for.

    Processes that ask at once all get the value that was written first.

    Args:
        folder: the cache's subfolder for questions of this kind.
        question: JSON values that tell this question from others.

    Raises:
        DataError: the cache folder cannot be made.
    """

    def __init__(self, folder: str, question: Mapping[str, Any]) -> None:
        text = json.dumps(question, sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        self._path = cache_directory(folder) / f"{name}.json"

    def recall(self, name: str, measure: Callable[[], Any]) -> Any:
        """The JSON value ``name``; what ``measure`` gives where there is none yet.

        Raises:
            StorageError: it cannot be written down.
            OSError: it cannot be read or locked.
        """
        known = self._read()
        if name in known:
            return known[name]
        value = measure()  # outside the lock: the others need not wait for it
        with FileLock(self._path.with_suffix(".lock")):
            known = {name: value, **self._read()}
            write_json(self._path, known)
        return known[name]

    def _read(self) -> dict[str, Any]:
        try:
            values: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # a damaged file is measured anew
            return {}
        return values
