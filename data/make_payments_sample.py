"""Make ``fivefold_data/samples/payments.csv.gz``: 60 days of simulated card payments, about 1 % fraudulent.

Run: ``python data/make_payments_sample.py``. Everybody and everything in it is made up. Cardholders have habits: where
and how much they pay, at which hours, how far from home. Three kinds of fraud are among their payments:

- stolen: a card is used up within hours, far from home, for what sells well, in rising amounts;
- tested: a number is tried by tiny payments online and, where these pass, used for large ones soon after;
- skimmed: a terminal copies the cards that it reads for some days; copies pay more than their holders are used to.

Whether a payment was fraud is known when the holder complains, and of all others after three days (``reported``). The
file is the same, byte for byte, each time.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

TARGET = Path(__file__).parent / "fivefold_data" / "samples" / "payments.csv.gz"
SEED = 7
CARDS, TERMINALS, DAYS = 300, 400, 60
START = datetime(2024, 3, 1, tzinfo=UTC)
PAYMENTS_A_DAY = 1.67
CONFIRMED = timedelta(days=3)
KINDS = ("grocery", "fuel", "restaurant", "clothing", "electronics", "travel", "online")
SHARES = (0.36, 0.12, 0.18, 0.1, 0.05, 0.04, 0.15)
LEVELS = (0.0, 0.35, -0.2, 0.5, 1.2, 1.6, 0.3)
"""Logarithm of the kinds' usual amounts beside the holder's own."""
JOURNEYS = 0.02
"""Share of payments on journeys."""
SELLS_WELL = ("electronics", "clothing", "online")
STOLEN, TESTED, SKIMMED = 16, 24, 7
"""Cards stolen, numbers tested, terminals that copy."""


class Payment(NamedTuple):
    """One row, as it is sorted and written."""

    time: datetime
    card: str
    terminal: str
    kind: str
    chip: str
    kilometres: float
    amount: float
    fraud: int
    reported: datetime


@dataclass(frozen=True)
class Holder:
    """A cardholder's habits."""

    card: str
    level: float
    spread: float
    rate: float
    hour: float
    reach: float
    terminals: dict[str, list[int]]


class World:
    """Terminals, holders and the generator that all draws come from."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        kinds = self.random.choice(len(KINDS), TERMINALS, p=SHARES)
        self.of_kind = {name: np.flatnonzero(kinds == place).tolist() for place, name in enumerate(KINDS)}
        self.holders = [self._holder(f"C{number:03d}") for number in range(CARDS)]

    def _holder(self, card: str) -> Holder:
        draw = self.random
        visited = {
            name: draw.choice(all_, min(4, len(all_)), replace=False).tolist()
            for name, all_ in self.of_kind.items()
        }
        return Holder(
            card=card,
            level=float(draw.normal(3.1, 0.5)),
            spread=float(draw.uniform(0.3, 0.6)),
            rate=float(PAYMENTS_A_DAY * draw.gamma(4, 1 / 4)),
            hour=float(draw.uniform(11, 19)),
            reach=float(draw.lognormal(1.2, 0.6)),
            terminals=visited,
        )

    def moment(self, day: float, hour: float, spread: float = 3.0) -> datetime:
        """A time of that day around the hour."""
        hours = float(np.clip(self.random.normal(hour, spread), 0, 23.99))
        return START + timedelta(seconds=round(86_400 * int(day) + 3_600 * hours))

    def genuine(self, holder: Holder) -> list[Payment]:
        """What the holder pays in all days."""
        found = []
        for day in range(DAYS):
            for _ in range(self.random.poisson(holder.rate)):
                kind = str(self.random.choice(KINDS, p=SHARES))
                away = self.random.random() < JOURNEYS
                terminal = self.random.choice(self.of_kind[kind] if away else holder.terminals[kind])
                when = self.moment(day, holder.hour)
                kilometres = (
                    0.0
                    if kind == "online"
                    else holder.reach * self.random.lognormal(0, 0.7) * (20 if away else 1)
                )
                level = holder.level + LEVELS[KINDS.index(kind)]
                amount = float(self.random.lognormal(level, holder.spread))
                chip = (
                    "online"
                    if kind == "online"
                    else str(self.random.choice(("chip", "contactless"), p=(0.45, 0.55)))
                )
                found.append(self.payment(when, holder, int(terminal), kind, chip, kilometres, amount, 0))
        return found

    def payment(
        self,
        when: datetime,
        holder: Holder,
        terminal: int,
        kind: str,
        chip: str,
        kilometres: float,
        amount: float,
        fraud: int,
    ) -> Payment:
        """A payment, with the time at which it is known what it was."""
        waited = timedelta(hours=float(self.random.uniform(4, 70))) if fraud else CONFIRMED
        reported = (when + waited).replace(microsecond=0)
        name = f"T{terminal:03d}"
        return Payment(
            when,
            holder.card,
            name,
            kind,
            chip,
            round(kilometres, 1),
            round(max(amount, 0.2), 2),
            fraud,
            reported,
        )

    def stolen(self, holder: Holder) -> list[Payment]:
        """A card used up within hours."""
        when = self.moment(self.random.uniform(1, DAYS - 1), 15, 6)
        amount = float(np.exp(holder.level + self.random.uniform(0.2, 0.8)))
        found = []
        for _ in range(int(self.random.integers(3, 8))):
            kind = str(self.random.choice(SELLS_WELL))
            chip = "online" if kind == "online" else "contactless"
            far = 0.0 if kind == "online" else float(self.random.lognormal(3.4, 0.6))
            terminal = int(self.random.choice(self.of_kind[kind]))
            found.append(self.payment(when, holder, terminal, kind, chip, far, amount, 1))
            when += timedelta(minutes=float(self.random.uniform(5, 70)))
            when = when.replace(microsecond=0)
            amount *= float(self.random.uniform(1.05, 1.5))
        return found

    def tested(self, holder: Holder) -> list[Payment]:
        """A number tried by tiny payments, then used for large ones."""
        when = self.moment(self.random.uniform(1, DAYS - 1), 12, 7)
        found = []
        for step in range(int(self.random.integers(2, 4)) + 3):
            tiny = step < 2  # noqa: PLR2004 - payments that try
            amount = (
                self.random.uniform(0.5, 3) if tiny else np.exp(holder.level + self.random.uniform(0.5, 1.4))
            )
            terminal = int(self.random.choice(self.of_kind["online"]))
            found.append(self.payment(when, holder, terminal, "online", "online", 0.0, float(amount), 1))
            when = (when + timedelta(minutes=float(self.random.uniform(2, 40)))).replace(microsecond=0)
        return found

    def skimmed(self, payments: list[Payment]) -> list[Payment]:
        """What copies pay of cards that a terminal read."""
        terminal = f"T{int(self.random.integers(TERMINALS)):03d}"
        begins = START + timedelta(days=float(self.random.uniform(0, DAYS - 10)))
        read = {
            one.card
            for one in payments
            if one.terminal == terminal and begins <= one.time <= begins + timedelta(days=5)
        }
        holders = [holder for holder in self.holders if holder.card in read]
        found = []
        for holder in holders:
            day = (begins - START).days + self.random.uniform(3, 9)
            for _ in range(int(self.random.integers(1, 4))):
                when = self.moment(min(day, DAYS - 1), 2, 2)
                kind = str(self.random.choice(SELLS_WELL))
                amount = float(np.exp(holder.level + self.random.uniform(0.7, 1.6)))
                far = 0.0 if kind == "online" else float(self.random.lognormal(2.5, 0.8))
                place = int(self.random.choice(self.of_kind[kind]))
                found.append(
                    self.payment(
                        when, holder, place, kind, "online" if kind == "online" else "chip", far, amount, 1
                    )
                )
        return found


def simulate(seed: int = SEED) -> list[Payment]:
    """All payments, in order of time."""
    world = World(seed)
    payments = [payment for holder in world.holders for payment in world.genuine(holder)]
    genuine = list(payments)
    for holder in world.random.choice(np.array(world.holders, dtype=object), STOLEN, replace=False):
        payments += world.stolen(holder)
    for holder in world.random.choice(np.array(world.holders, dtype=object), TESTED, replace=False):
        payments += world.tested(holder)
    for _ in range(SKIMMED):
        payments += world.skimmed(genuine)
    return sorted(payments)


def main() -> None:
    """Write the file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("time", "card", "amount", "terminal", "kind", "read_by", "kilometres", "fraud", "reported_at")
    )
    for one in simulate():
        times = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (one.time, one.reported))
        first, last = times
        writer.writerow(
            (
                first,
                one.card,
                f"{one.amount:.2f}",
                one.terminal,
                one.kind,
                one.chip,
                one.kilometres,
                one.fraud,
                last,
            )
        )
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
