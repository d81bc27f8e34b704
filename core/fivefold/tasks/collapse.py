"""Alarms of an adversarial training: what has gone wrong, since when, and what to do about it.

Everything is read from the log lines, so nothing waits for the device. See `CollapseAlarms`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fivefold.config.adversarial import LossKind
from fivefold.training.callback import Callback, EndOfTraining
from fivefold.training.processes.group import launched
from fivefold.training.watching.records import read_records

GRACE = 200
"""Steps at the beginning that are not looked at: no generator has diversity yet."""
WINDOW = 200
"""Steps whose mean is looked at."""
LASTING = 1000
"""Steps that something must last for the training to end."""

_WINS = 0.98  # accuracy from which a discriminator teaches nothing more
_GUESSES = 0.55  # accuracy up to which it has learnt nothing, where its loss is that of a guess as well
_WRONG = 0.48  # accuracy up to which it knows nothing, whatever its loss
_ALIKE = 0.25  # diversity of generated images, as a share of the real ones', up to which they are one image
_LARGE = 15.0  # a loss beyond what a sound training shows: softplus and hinge of logits of that size
_CRITIC = 1000.0  # the same for a Wasserstein critic, whose scores have no scale
_GUESS: Mapping[LossKind, float] = {
    "non-saturating": 2 * math.log(2), "hinge": 2.0, "wasserstein": 0.0, "relativistic": math.log(2),
}  # fmt: skip
"""The discriminator's loss where it gives every image the same, best score."""
_NEARLY = 0.95  # share of that loss from which it counts as a guess

_log = logging.getLogger(__name__)

Record = Mapping[str, Any]
VALUES = ("generator/diversity", "discriminator/accuracy", "discriminator/loss", "generator/loss")
"""What is read of a log line."""


@dataclass(frozen=True)
class Sign:
    """Something that shows in log lines.

    Attributes:
        holds: whether a line shows it.
        words: what it is, with a place for the line's values.
        advice: what to do.
    """

    holds: Callable[[Record], bool]
    words: str
    advice: str


def signs_of(loss: LossKind) -> dict[str, Sign]:
    """What to look for in a training with this loss, by name."""
    largest = _CRITIC if loss == "wasserstein" else _LARGE
    signs = {
        "diversity": Sign(
            lambda record: record["generator/diversity"] <= _ALIKE,
            "generated images are nearly alike (mean distance {generator/diversity:.2f} of that of real ones)",
            "lower the generator's lr, add r1 or augment, or raise --batch-size",
        ),
        "guessing": Sign(
            lambda record: (
                record["discriminator/accuracy"]
                <= (_GUESSES if record["discriminator/loss"] >= _NEARLY * _GUESS[loss] else _WRONG)
            ),
            "the discriminator tells no generated image from a real one (accuracy {discriminator/accuracy:.2f})",
            "raise the discriminator's lr or discriminator_steps, widen it, or lower r1",
        ),
        "losses": Sign(
            lambda record: max(abs(record["discriminator/loss"]), abs(record["generator/loss"])) >= largest,
            "losses diverge (discriminator {discriminator/loss:.3g}, generator {generator/loss:.3g})",
            "lower the lr of both networks, or add r1",
        ),
    }
    if loss != "wasserstein":  # whose critic should be as good as it can
        signs["winning"] = Sign(
            lambda record: record["discriminator/accuracy"] >= _WINS,
            "the discriminator is always right (accuracy {discriminator/accuracy:.2f}) and teaches nothing",
            "lower the discriminator's lr, add r1 or augment, or give it spectral norm",
        )
    return signs


class CollapseAlarms(Callback):
    """Warns once of each sign that the mean of `WINDOW` steps shows, and ends the training where one lasts `LASTING`.

    The first `GRACE` steps are not looked at. A training that goes on from a checkpoint reads the lines before it
    again, so that it ends where it would have ended uninterrupted.

    Args:
        loss: of the training.
        ends: whether the training may be ended.
    """

    def __init__(self, loss: LossKind, *, ends: bool) -> None:
        self._signs = signs_of(loss)
        self._ends = ends
        self._directory = Path()
        self._start_anew()

    def _start_anew(self) -> None:
        self._lines: list[tuple[int, Record]] = []  # of the window, each with the step that it begins at
        self._window: Record = {}  # means over it
        self._since: dict[str, int] = {}
        self._last = 0

    def on_start(self, info: dict[str, Any]) -> None:
        """Read the lines up to where the training goes on."""
        self._directory = Path(info["directory"])
        self.on_rewind(info["step"])

    def on_rewind(self, step: int) -> None:
        """Forget what was seen after ``step``."""
        self._start_anew()
        for record in read_records(self._directory / "metrics.jsonl"):
            if record["step"] <= step:
                self.read(record)

    def on_log(self, record: dict[str, Any]) -> None:
        """Take in a line.

        Raises:
            EndOfTraining: a sign has lasted too long.
        """
        if record["split"] != "train":
            return
        for sentence in self.read(record):
            if launched().is_first:
                _log.warning("step %d: %s", self._last, sentence)
        for name, since in self._since.items():
            if self._ends and self._last - since >= LASTING:
                raise EndOfTraining(self._sentence(name))

    def read(self, record: Record) -> list[str]:
        """Take in a line of ``metrics.jsonl``; a sentence for each sign that shows since then."""
        if record["split"] != "train":
            return []
        return [self._sentence(name) for name in self._take(record)]

    def _take(self, record: Record) -> list[str]:
        """Names of the signs that show since this line."""
        first, self._last = self._last, record["step"]
        if first < GRACE:
            return []
        self._lines.append((first, record))
        # Of the lines at the front none is needed while the rest reach back far enough.
        while len(self._lines) > 1 and self._last - self._lines[1][0] >= WINDOW:
            del self._lines[0]
        begin = self._lines[0][0]
        if self._last - begin < WINDOW:
            return []
        self._window = self._means()
        showing = {name for name, sign in self._signs.items() if sign.holds(self._window)}
        fresh = [name for name in self._signs if name in showing and name not in self._since]
        kept = {name: since for name, since in self._since.items() if name in showing}
        self._since = kept | dict.fromkeys(fresh, begin)
        return fresh

    def _means(self) -> Record:
        """Over the steps of the window, of which each line tells of those since the one before it."""
        steps = [record["step"] - first for first, record in self._lines]
        return {
            name: sum(
                count * _value(record[name]) for count, (_, record) in zip(steps, self._lines, strict=True)
            )
            / sum(steps)
            for name in VALUES
        }

    def _sentence(self, name: str) -> str:
        sign = self._signs[name]
        return f"{sign.words.format_map(self._window)} since step {self._since[name]}; {sign.advice}"


def _value(read: float | None) -> float:
    """A value of a log line, in which null stands for what is not finite."""
    return math.nan if read is None else read


def alarms_in(records: Iterable[Record], loss: LossKind) -> list[tuple[int, str]]:
    """The step and sentence of every alarm that a training with these log lines raised.

    Args:
        records: lines of ``metrics.jsonl``, oldest first.
        loss: of the training.
    """
    alarms = CollapseAlarms(loss, ends=False)
    return [(record["step"], sentence) for record in records for sentence in alarms.read(record)]
