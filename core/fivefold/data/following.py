"""Lines of a file that may grow, or of stdin, as they come in."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fivefold.errors import DataError

STDIN = "-"
"""In place of a file's name."""

Line = tuple[int, str]
"""Its number, from 1, and its text without its end."""

LONGEST = 2**20
"""Bytes of a line at most; a longer one is no table's."""

_BLOCK = 2**16
_PAUSE = 0.2  # seconds between two looks at a file that has not grown


def followed_lines(source: str, *, most: int, idle: float | None = None) -> Iterator[list[Line]]:
    """The lines that are there at once, again and again, until the input ends.

    Nothing is waited for as long as there are lines, so that few of them are handed on alone and many together.

    Args:
        source: a file, or `STDIN`.
        most: lines handed on together at most.
        idle: seconds after which a file that has not grown counts as ended; None waits for ever. Stdin ends by itself.

    Raises:
        DataError: the file cannot be read, has become shorter, or a line is longer than `LONGEST`.
    """
    rest, number = b"", 0
    with _opened(source) as descriptor:
        for block in _blocks(source, descriptor, idle):
            *whole, rest = (rest + block).split(b"\n")
            if block == b"" and rest:
                whole, rest = [rest], b""  # the last line of an input that has ended needs no end of its own
            if len(rest) > LONGEST:
                raise DataError(
                    f"{source}, row {number + len(whole) + 1}: expected a line of at most {LONGEST:,} bytes, found a "
                    "longer one; write one record a line"
                )
            for start in range(0, len(whole), most):
                part = whole[start : start + most]
                yield [(number + place, _text(number + place, line)) for place, line in enumerate(part, 1)]
                number += len(part)


def _blocks(source: str, descriptor: int, idle: float | None) -> Iterator[bytes]:
    """What can be read at once, again and again; an empty block last."""
    waited, read = 0.0, 0
    while True:
        block = os.read(descriptor, _BLOCK)
        if block:
            waited, read = 0.0, read + len(block)
            yield block
            continue
        if source == STDIN or (idle is not None and waited >= idle):
            yield b""
            return
        if os.fstat(descriptor).st_size < read:
            raise DataError(
                f"{source}: expected a file that grows, found that it has become shorter; follow it anew"
            )
        time.sleep(_PAUSE)
        waited += _PAUSE


@contextmanager
def _opened(source: str) -> Iterator[int]:
    if source == STDIN:
        yield sys.stdin.fileno()
        return
    try:
        descriptor = os.open(Path(source).expanduser(), os.O_RDONLY)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DataError(
            f"{source}: expected a file to follow, or - for stdin, found none that can be read ({why})"
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _text(number: int, line: bytes) -> str:
    """A line as text; bytes that are no UTF-8 become U+FFFD, by which who reads it can tell."""
    encoding = "utf-8-sig" if number == 1 else "utf-8"
    return line.removesuffix(b"\r").decode(encoding, errors="replace")
