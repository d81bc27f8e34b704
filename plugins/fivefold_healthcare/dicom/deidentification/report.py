"""What was done to files, in words and counts, without any value of the originals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """One attribute that is not as it was; never what its value was.

    Attributes:
        path: where it stands, such as ``ReferencedImageSequence[0].ReferencedSOPInstanceUID``.
        attribute: its keyword, or its tag as ``(0029,1010)`` where it has none.
        action: letter of the standard: X removed, Z emptied, D dummy, U UID replaced, C shifted or cut.
        reason: why, in a few words.
    """

    path: str
    attribute: str
    action: str
    reason: str


class DeidentificationReport:
    """Lists of changes for every file, and totals by attribute.

    Files are called what the caller calls them: a name from the original may identify the patient, the name of the
    file that is written does not.
    """

    def __init__(self) -> None:
        self._files: dict[str, tuple[tuple[Change, ...], tuple[str, ...]]] = {}
        self._refused: dict[str, str] = {}

    def add(self, name: str, changes: Iterable[Change], warnings: Iterable[str]) -> None:
        """Note what was done to the file ``name``."""
        self._files[name] = (tuple(changes), tuple(warnings))

    def refuse(self, name: str, reason: str) -> None:
        """Note that the file ``name`` was not written, and why."""
        self._refused[name] = reason

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON takes it.

        ``totals`` counts files in which an attribute met an action at least once, most frequent first.
        """
        counts: Counter[tuple[str, str]] = Counter()
        for changes, _ in self._files.values():
            counts.update({(change.attribute, change.action) for change in changes})
        ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return {
            "files": [_file(name, *content) for name, content in self._files.items()],
            "refused": [{"name": name, "reason": reason} for name, reason in self._refused.items()],
            "totals": [
                {"attribute": attribute, "action": action, "files": files}
                for (attribute, action), files in ordered
            ],
        }


def _file(name: str, changes: tuple[Change, ...], warnings: tuple[str, ...]) -> dict[str, Any]:
    listed = [
        {"path": change.path, "attribute": change.attribute, "action": change.action, "reason": change.reason}
        for change in changes
    ]
    return {"name": name, "changes": listed, "warnings": list(warnings)}
