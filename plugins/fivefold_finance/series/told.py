"""What reading has to tell: cautions, one for all series that share it, and bars that could not be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath

from fivefold.data.table import Problem

_NAMED = 3


@dataclass
class Told:
    """Cautions and problems, gathered while series are read.

    Attributes:
        problems: bars that could not be used.
    """

    problems: list[Problem] = field(default_factory=list)
    _sentences: dict[str, str] = field(default_factory=dict)
    _alike: dict[str, list[str]] = field(default_factory=dict)

    def caution(self, kind: str, symbol: str, sentence: str) -> None:
        """Tell ``sentence`` of the series ``symbol``; of others of the same ``kind`` only the names are told."""
        self._sentences.setdefault(kind, f"{symbol}: {sentence}")
        self._alike.setdefault(kind, []).append(symbol)

    @property
    def cautions(self) -> tuple[str, ...]:
        """One sentence a kind: that of the first series, and how many others it holds for."""
        return tuple(sentence + _others(self._alike[kind][1:]) for kind, sentence in self._sentences.items())


def _others(symbols: list[str]) -> str:
    others = list(dict.fromkeys(symbols))
    if not others:
        return ""
    named = ", ".join(others[:_NAMED]) + (", ..." if len(others) > _NAMED else "")
    return f" (the like holds for {len(others):,} more: {named})"


def file_name(source: str) -> str:
    """What a caution calls a file: its name, with what an archive holds; reports lie elsewhere than the data."""
    file, bracket, member = source.rpartition(" (") if source.endswith(")") else (source, "", "")
    return f"{PurePath(file).name}{bracket}{member}"


def count(number: int, what: str) -> str:
    """``1 bar``, ``1,200 bars``."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
