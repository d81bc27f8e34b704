"""What every source is given, and how it says that it has nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fivefold.errors import DownloadError

Progress = Callable[[str, int, int], None]
"""Called with the name of what is being fetched, the bytes that are here and the bytes that there will be."""

CHUNK = 1 << 18


class SourceError(DownloadError):
    """A source cannot deliver; the message is the reason, without a subject."""


@dataclass(frozen=True)
class Wanted:
    """One file from one source.

    Attributes:
        reference: the source, as the manifest has it.
        path: where the file stands in the dataset, for messages.
        size: its bytes, as the manifest has them; no more may be written.
        target: where to write the file; not yet its final place.
        workspace: a folder that lasts as long as the fetch, for archives from which several files come.
        progress: told how far the source is, or None.
        pause: seconds before the first retry; doubled for each further one.
    """

    reference: str
    path: str
    size: int
    target: Path
    workspace: Path
    progress: Progress | None = None
    pause: float = 1.0

    @property
    def holder(self) -> str:
        """What stands between the colon and the exclamation mark: the package."""
        return self.reference.partition(":")[2].partition("!")[0]

    @property
    def member(self) -> str:
        """What stands after the exclamation mark: the path inside the package."""
        return self.reference.partition("!")[2]

    def report(self, name: str, done: int, total: int) -> None:
        """Tell whoever listens how far this source is."""
        if self.progress is not None:
            self.progress(name, done, total)


def copy_bounded(stream: IO[bytes], target: Path, limit: int) -> None:
    """Write ``stream`` to ``target``.

    Raises:
        SourceError: the stream holds more than ``limit`` bytes.
    """
    done = 0
    with target.open("wb") as output:
        while chunk := stream.read(CHUNK):
            done += len(chunk)
            if done > limit:
                raise SourceError(f"holds more than the {limit:,} bytes that the manifest names")
            output.write(chunk)
