"""Scores of transactions as they come in, the same as those of a whole file.

Lines are CSV, whose header shows what parts their cells, or JSON objects. Each account's last transactions are
remembered as the batch sees them, and forgotten after the window of days, so that memory is bounded. A line that cannot
be read is given back with what is wrong with it, and no score. Transactions that come in late, after a later one, are
scored with what is no later than themselves; those that were scored in between did not know of them, as they would in a
whole file. A comma that may be a decimal one or part thousands is refused until a line has shown which it is; in a
whole file a later one may. Ids that stand twice are not looked for, as that would need to remember them all.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from fivefold.data.dataset import HOST_KEYS, Batch, Facts
from fivefold.data.decimals import DecimalCommas
from fivefold.errors import DataError
from fivefold.prediction import Request
from fivefold.tasks.base import Task
from fivefold_finance.fraud.data import history_batch
from fivefold_finance.fraud.encoding import Encoded, encode, expected_of, trained_roles
from fivefold_finance.fraud.history import Accounts
from fivefold_finance.transactions.build import build
from fivefold_finance.transactions.decimals import StreamedCommas
from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.transactions.readers.tables import delimiter_among, header_of, parse_csv
from fivefold_finance.transactions.roles import find_roles
from fivefold_finance.transactions.schema import Roles, Transactions
from fivefold_finance.transactions.times import time_form

LOGGER = logging.getLogger("fivefold.finance.follow")  # below that of fivefold, which is shown on stderr

Line = tuple[int, str]
"""Its number, from 1, and its text."""

Record = dict[str, Any]


def follow(
    task: Task,
    facts: Facts,
    columns: ColumnsConfig,
    zone: str,
    lines: Iterator[Sequence[Line]],
    request: Request,
) -> Iterator[list[Record]]:
    """One record for each line but the header: ``line``, ``id``, ``score``, ``alert`` and ``note``.

    Args:
        task: trained, in evaluation mode.
        facts: of its training split.
        columns: names of the columns, as they were found in training.
        zone: of times that state none.
        lines: those that are there at once, again and again.
        request: where to compute, and what to call the stream in messages.
    """
    source = request.sources[0].name
    table = _Lines(source, columns, facts, zone)
    scorer = _Scorer(task, facts, request.device)
    for some in lines:
        records: dict[int, Record] = {}
        good = table.read(some, records)
        if good is not None:
            records |= dict(zip(good.rows.tolist(), scorer.score(good), strict=True))
        yield [records[line] for line in sorted(records)]
    for note in table.notes():
        LOGGER.warning("%s", note)
    if scorer.late:
        LOGGER.warning("%s: %d transactions came in after a later one; see their notes", source, scorer.late)
    tell_unseen(source, scorer.unseen)


def tell_unseen(source: str, count: int) -> None:
    """Say how many names training did not hold, where there are such."""
    if count:
        LOGGER.warning(
            "%s: %d cells hold names that training did not hold often enough; they count as unseen",
            source,
            count,
        )


@dataclass
class _Lines:
    """Lines to transactions; what cannot be read becomes a record that says why."""

    source: str
    columns: ColumnsConfig
    facts: Facts
    zone: str
    header: list[str] | None = None
    delimiter: str = ","
    commas: StreamedCommas | None = None
    objects: bool = False
    roles: Roles | None = None
    form: str | None = None

    @property
    def trained(self) -> list[str]:
        """Roles whose columns are called as in training."""
        return trained_roles(self.facts, self.columns)

    def read(self, lines: Sequence[Line], records: dict[int, Record]) -> Transactions | None:
        """The transactions of those lines that can be read; the others are put into ``records``."""
        wanted = [line for line in lines if line[1].strip()]
        if self.header is None and not self.objects and wanted:
            first = wanted[0]
            self.objects = first[1].lstrip("\ufeff \t").startswith("{")
            if not self.objects:
                self._begin(first[1].lstrip("\ufeff"))
                wanted = wanted[1:]
        if not wanted:
            return None
        try:
            return self._built(wanted)
        except DataError:
            return self._one_by_one(wanted, records)

    def notes(self) -> list[str]:
        """A sentence on the columns in which decimal commas were read."""
        return [] if self.commas is None else self.commas.known.notes()

    def _begin(self, header: str) -> None:
        self.delimiter = delimiter_among(self.source, [header])
        self.header = header_of(header, self.delimiter)
        self.roles = find_roles(self.header, self.columns, self.source, self.trained)
        if self.delimiter != ",":
            numbers = [self.roles.time, self.roles.amount, *self.facts.numbers]
            self.commas = StreamedCommas(DecimalCommas(self.source, numbers))

    def _one_by_one(self, lines: Sequence[Line], records: dict[int, Record]) -> Transactions | None:
        good = []
        for line in lines:
            try:
                self._built([line])
            except DataError as error:
                told = str(error)
                LOGGER.warning("%s", told)
                records[line[0]] = _record(line[0], f"row {line[0]}", None, None, told)
            else:
                good.append(line)
        return self._built(good) if good else None

    def _built(self, lines: Sequence[Line]) -> Transactions:
        broken = next((number for number, text in lines if "\ufffd" in text), None)
        if broken is not None:
            raise DataError(
                f"{self.source}, row {broken}: expected text in UTF-8, found other bytes; save it as UTF-8"
            )
        cells = self._objects(lines) if self.objects else self._rows(lines)
        begin = self.source if len(lines) > 1 else f"{self.source}, row {lines[0][0]}"
        roles = self.roles or find_roles(list(cells), self.columns, begin, self.trained)
        self._check_form(cells[roles.time], lines)
        rows = np.array([number for number, _ in lines], dtype=np.int64)
        return build(cells, rows, roles, self.columns, self.zone, self.source, expected_of(self.facts))

    def _rows(self, lines: Sequence[Line]) -> Mapping[str, pa.ChunkedArray]:
        header = self.header or []
        try:
            table = parse_csv("\n".join(text for _, text in lines).encode(), header, self.delimiter)
        except pa.ArrowException as error:
            raise DataError(
                f"{self.source}, row {lines[0][0]}: expected {len(header)} cells as in the header, found another row "
                f"({' '.join(str(error).split())[:120]})"
            ) from error
        if table.num_rows != len(lines):
            raise DataError(
                f"{self.source}, row {lines[0][0]}: expected one row on each line, found quotes that run over several"
            )
        cells = {name: table[name] for name in table.column_names}
        return cells if self.commas is None else self.commas.read([number for number, _ in lines], cells)

    def _objects(self, lines: Sequence[Line]) -> dict[str, pa.ChunkedArray]:
        found = [self._object(line) for line in lines]
        names = dict.fromkeys(name for one in found for name in one)
        return {
            name: pa.chunked_array([pa.array([_text(one.get(name)) for one in found], pa.string())])
            for name in names
        }

    def _object(self, line: Line) -> Mapping[str, Any]:
        try:
            found = json.loads(line[1].lstrip("\ufeff"))
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{self.source}, row {line[0]}: expected a JSON object, found something that is no JSON ({error}); "
                "write one object a line"
            ) from error
        if not isinstance(found, dict):
            raise DataError(
                f"{self.source}, row {line[0]}: expected a JSON object, found {type(found).__name__}; write one "
                "object a line"
            )
        return found

    def _check_form(self, cells: pa.ChunkedArray, lines: Sequence[Line]) -> None:
        """All times of the stream have the form of the first one."""
        forms = [None if text is None else time_form(text) for text in cells.to_pylist()]
        expected = self.form or next((form for form in forms if form is not None), None)
        for form, (number, _) in zip(forms, lines, strict=True):
            if form is not None and form != expected:
                raise DataError(
                    f"{self.source}, row {number}: expected a time as before ({expected}), found one that is "
                    f"{form}; give all times one form"
                )
        self.form = expected


@dataclass
class _Scorer:
    """Scores, and what is remembered between them."""

    task: Task
    facts: Facts
    device: torch.device
    late: int = 0
    unseen: int = 0
    latest: int = -(2**63)
    accounts: Accounts = field(init=False)

    def __post_init__(self) -> None:
        self.accounts = Accounts(int(self.facts.lookback), float(self.facts.days))

    def score(self, found: Transactions) -> list[Record]:
        """A record for each transaction, in the order in which they came in."""
        encoded = encode(found, self.facts)
        self.unseen += encoded.unseen
        notes = [self._note(moment) for moment in encoded.moments.tolist()]
        batch = self._histories(found, encoded) if self.facts.lookback else _alone(encoded, self.facts)
        moved = {name: held if name in HOST_KEYS else held.to(self.device) for name, held in batch.items()}
        with torch.no_grad():
            outputs = {name: held.float().cpu().numpy() for name, held in self.task.predict(moved).items()}
        decoded = self.task.decode(outputs, self.facts)
        return [
            _record(line, str(name), one["score"], one["alert"], note)
            for line, name, one, note in zip(found.rows.tolist(), found.names, decoded, notes, strict=True)
        ]

    def _note(self, moment: int) -> str | None:
        if moment >= self.latest:
            self.latest = moment
            return None
        self.late += 1
        return f"late by {(self.latest - moment) / 1e9:g} s"

    def _histories(self, found: Transactions, encoded: Encoded) -> Batch:
        """The batch of the transactions with their histories, as `history_batch` makes it of a whole file."""
        if found.accounts is None:
            raise DataError(f"{found.source}: expected a column of accounts, found none")
        held: list[tuple[int, Any]] = []
        steps = []
        for place, (account, moment) in enumerate(zip(found.accounts, encoded.moments.tolist(), strict=True)):
            value = (encoded.input[place], encoded.codes[place])
            history = self.accounts.add(str(account), moment, value)
            steps.append(range(len(held), len(held) + len(history)))
            held += history
        longest = max(map(len, steps))
        places = np.array([[*one, *[-1] * (longest - len(one))] for one in steps], dtype=np.int64)
        seen = Encoded(
            np.stack([value[0] for _, value in held]),
            np.stack([value[1] for _, value in held]),
            np.array([moment for moment, _ in held], dtype=np.int64),
            unseen=0,
        )
        return history_batch(seen, places, encoded.moments, self.facts)


def _alone(encoded: Encoded, facts: Facts) -> Batch:
    batch = {"input": torch.from_numpy(encoded.input)}
    return batch | {"categories": torch.from_numpy(encoded.codes)} if facts.categories else batch


def _record(line: int, name: str, score: float | None, alert: bool | None, note: str | None) -> Record:
    return {"line": line, "id": name, "score": score, "alert": alert, "note": note}


def _text(value: object) -> str | None:
    """A JSON value as the cell of a CSV file would have it."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)
