"""``https://...``: an official address. A transfer that breaks off is resumed, also by a later process.

Beside the partial file stands a note of its address and validator (ETag, else Last-Modified), so that only
the same version of the file is continued (RFC 9110, sections 13.1.5 and 14.2). Proxies and certificates are
those of the environment (``https_proxy``, ``SSL_CERT_FILE``).
"""

from __future__ import annotations

import errno
import json
import socket
import time
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from fivefold.data.sources.base import CHUNK, SourceError, Wanted

ATTEMPTS = 4
TIMEOUT = 30.0
"""Seconds without a byte after which an attempt is given up."""

_DISK = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS}
_PASSING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


def get(wanted: Wanted) -> None:
    """Download the file; what may pass is tried again, up to `ATTEMPTS` times without a byte gained.

    Raises:
        SourceError: the server refuses, cannot be reached, or has another file.
    """
    failures = 0
    while True:
        before = _size(wanted.target)
        try:
            return _continue(wanted)
        except SourceError:
            if _size(wanted.target) >= wanted.size:  # more than it may be: nothing to go on with
                wanted.target.unlink()
                note_of(wanted.target).unlink(missing_ok=True)
            raise
        except (OSError, HTTPException) as error:
            if _is_local(error):
                raise
            reason = _reason(error)
        failures = 1 if _size(wanted.target) > before else failures + 1
        if failures >= ATTEMPTS:
            raise SourceError(f"{reason}, {ATTEMPTS} times")
        time.sleep(wanted.pause * 2 ** (failures - 1))


def note_of(part: Path) -> Path:
    """Where the address and validator of a partial file are kept."""
    return part.with_name(part.name + ".json")


def _continue(wanted: Wanted) -> None:
    """One attempt: ask for what is missing and append it."""
    url, size, part = wanted.reference, wanted.size, wanted.target
    done, validator = _resumable(part, url, size)
    headers = {"User-Agent": "fivefold", "Accept-Encoding": "identity"}
    request = Request(url, headers=headers)  # noqa: S310 - the manifest allows http and https only
    if done:
        request.add_header("Range", f"bytes={done}-")
        request.add_header("If-Range", validator)
    with _open(request) as response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            done = 0  # the server starts over: it knows no ranges, or the file is another one by now
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            part.unlink(missing_ok=True)  # not there yet where no range was asked for
            raise HTTPException("the server sent another range than asked for")
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and done + int(length) != size:
            raise SourceError(f"the server has {done + int(length):,} bytes instead of {size:,}")
        _note(part, url, response.headers)
        done = _append(response, wanted, done)
    if done < size:
        raise HTTPException(f"the transfer broke off after {done:,} of {size:,} bytes")


def _append(response: HTTPResponse, wanted: Wanted, done: int) -> int:
    """Write what the server sends after the first ``done`` bytes; the bytes that are here then."""
    size = wanted.size
    with wanted.target.open("ab" if done else "wb") as output:
        while chunk := response.read1(CHUNK):
            done += len(chunk)
            if done > size:
                raise SourceError(f"the server sends more than the {size:,} bytes that the manifest names")
            output.write(chunk)
            wanted.report(wanted.path, done, size)
    return done


def _open(request: Request) -> HTTPResponse:
    """Send the request.

    Raises:
        SourceError: the server refuses for good.
        HTTPException: the server refuses for now.
    """
    opener: OpenerDirector = build_opener(HTTPHandler, HTTPSHandler)
    try:
        return cast(HTTPResponse, opener.open(request, timeout=TIMEOUT))
    except HTTPError as error:
        with error:  # it is the response, too
            reason = f"the server answers {error.code} {error.reason}"
            if error.code in _PASSING or error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise HTTPException(reason) from error
            raise SourceError(reason) from error
    except URLError as error:
        if isinstance(error.reason, socket.gaierror) and error.reason.errno == socket.EAI_NONAME:
            raise SourceError("there is no such host, or no network") from error
        raise


def _resumable(part: Path, url: str, size: int) -> tuple[int, str]:
    """How many bytes of ``part`` may be kept, and the validator that says so; 0 where it must start over."""
    try:
        note = json.loads(note_of(part).read_text(encoding="utf-8"))
        done = part.stat().st_size
    except (OSError, ValueError):
        return 0, ""
    if note.get("url") != url or not note.get("validator") or not 0 < done < size:
        return 0, ""
    return done, note["validator"]


def _note(part: Path, url: str, headers: Message) -> None:
    """Remember where ``part`` comes from, so that it can be resumed."""
    etag = headers.get("ETag", "")
    validator = headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag
    note_of(part).write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_local(error: BaseException) -> bool:
    """Whether ``error`` is about the file here (no space, no permission), not about the network."""
    return isinstance(error, OSError) and (error.filename is not None or error.errno in _DISK)


def _reason(error: BaseException) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return " ".join(str(reason).split()) or type(reason).__name__
