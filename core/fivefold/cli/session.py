"""What one invocation has in common: the words typed, the flags that stand anywhere, the plugins."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from fivefold.errors import Interrupted, PeerError
from fivefold.plugins.settings import VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

    from fivefold.plugins.registry import Registry


@dataclass
class Session:
    """One invocation.

    Attributes:
        words: what was typed, without the flags that stand anywhere.
        debug: whether errors show their traceback.
    """

    words: list[str]
    debug: bool = False
    current: ClassVar[Session]
    _registry: Registry | None = field(default=None, repr=False)

    @classmethod
    def start(cls, words: list[str]) -> Session:
        """Take ``--debug`` and ``--no-plugins`` out of the words, wherever they stand before a ``--``."""
        end = words.index("--") if "--" in words else len(words)
        flags, rest = words[:end], words[end:]
        if "--no-plugins" in flags:
            os.environ[VARIABLE] = ""
        kept = [word for word in flags if word not in {"--debug", "--no-plugins"}]
        cls.current = cls(_stdin_behind_options(kept, rest), debug="--debug" in flags)
        return cls.current

    @property
    def json(self) -> bool:
        """Whether stdout must carry one JSON object and nothing else."""
        return "--json" in self.words

    def registry(self) -> Registry:
        """The plugins, imported once; each broken one costs a line on stderr."""
        if self._registry is None:
            from fivefold.plugins.registry import load_registry  # noqa: PLC0415 - not every command needs plugins

            self._registry = load_registry()
            for broken in self._registry.broken:
                warn(f"{broken.owner} is left out because it is broken; run 'fivefold plugins doctor'")
        return self._registry

    def locate(self, data: str) -> Path:
        """Where a path, a dataset's name or an address leads; what is not here yet is fetched.

        Raises:
            DataError: it leads nowhere.
        """
        from fivefold.data.catalog import resolve  # noqa: PLC0415 - not every command needs data

        registry = self.registry()
        return resolve(data, registry.dataset_specs, registry.source_specs)[0]

    def fail(self, text: str, kind: str, code: int) -> int:
        """Say what went wrong: a line on stderr, and a JSON object on stdout where one was promised.

        Where another process of the same training failed, that one says why.
        """
        if kind == PeerError.__name__:
            return code
        mark = "" if kind == Interrupted.__name__ else "error: "  # an end that was asked for
        sys.stderr.write(f"{mark}{' '.join(text.split())}\n")
        if self.json:
            sys.stdout.write(
                json.dumps({"error": {"kind": kind, "message": text}}, ensure_ascii=False) + "\n"
            )
        return code


def _stdin_behind_options(words: list[str], rest: list[str]) -> list[str]:
    """The words with each ``-``, which means stdin, behind a ``--``: the parser takes it for an option before that.

    Args:
        words: those before a ``--``.
        rest: the ``--`` and those behind it, if any.
    """
    stdin = ["-"] * words.count("-")
    if not stdin:
        return words + rest
    return [*(word for word in words if word != "-"), "--", *stdin, *rest[1:]]


def warn(text: str) -> None:
    """One warning line on stderr."""
    sys.stderr.write(f"warning: {' '.join(text.split())}\n")
