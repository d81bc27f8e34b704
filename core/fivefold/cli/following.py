"""``predict --follow``: predictions written as lines come in, whole ones only."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from fivefold.cli.log import show_log
from fivefold.cli.output import emit, say
from fivefold.cli.records import flat, json_line
from fivefold.cli.session import Session
from fivefold.errors import ConfigError
from fivefold.runs import Run

Write = Callable[[Sequence[Mapping[str, Any]]], None]


def follow_inputs(
    run: Run,
    inputs: Sequence[str],
    *,
    out: Path | None,
    device: str,
    json: bool,
    options: Mapping[str, Any],
    reading: Mapping[str, Any] | None = None,
) -> None:
    """Predict the lines of the one input as they come in, until it ends or Ctrl-C; both are a good end.

    Without ``out``, one JSON object a line goes to stdout.

    Raises:
        ConfigError: there is not one input, one object is asked for on a stdout that has many, or ``out`` cannot be
            written.
    """
    if len(inputs) != 1:
        raise ConfigError(
            f"--follow expects one file, or - for stdin, found {len(inputs)} inputs; follow one at a time"
        )
    if json and out is None:
        raise ConfigError(
            "--follow prints a JSON object for each line, and --json one for all; give --out, or leave --json away"
        )
    from fivefold.workflow import follow  # noqa: PLC0415 - imports torch

    show_log()
    count = 0
    with _writer(out) as write:
        try:
            for records in follow(
                run,
                inputs[0],
                device=device,
                options=options,
                reading=reading,
                registry=Session.current.registry(),
            ):
                write(records)
                count += len(records)
        except KeyboardInterrupt:
            say("stopped by Ctrl-C; what was read until then is written")
    say(f"{count:,} lines predicted{f', written to {out}' if out else ''}")
    if json:
        emit({"run": run.path, "out": out, "lines": count})


@contextmanager
def _writer(out: Path | None) -> Iterator[Write]:
    """Writes records at once, to stdout or to ``out``."""
    if out is None:
        yield lambda records: _write_json(sys.stdout, records)
        return
    try:
        file = out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigError(
            f"--out {out}: cannot be written ({error.strerror}); choose another file"
        ) from error
    with file:
        yield (lambda records: _write_json(file, records)) if out.suffix == ".jsonl" else _Table(file)


def _write_json(file: TextIO, records: Sequence[Mapping[str, Any]]) -> None:
    file.write("".join(json_line(record) for record in records))
    file.flush()


class _Table:
    """Rows of CSV; the first record names the columns."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._writer: csv.DictWriter[str] | None = None

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> None:
        rows = [flat(record) for record in records]
        if self._writer is None and rows:
            self._writer = csv.DictWriter(self._file, list(rows[0]))
            self._writer.writeheader()
        if self._writer is not None:
            self._writer.writerows(rows)
        self._file.flush()
