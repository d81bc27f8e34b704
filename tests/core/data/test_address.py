"""Files from addresses: what a server may do, and what a transfer that breaks off leaves."""

from __future__ import annotations

import contextlib
import hashlib
import resource
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace

import pytest

from fivefold.data import fetch as fetch_module
from fivefold.data.fetch import fetch, is_cached
from fivefold.data.manifest import Manifest
from fivefold.errors import ChecksumError, DataError, DownloadError
from loopback import Server, send

CONTENT = bytes(number * 37 % 251 for number in range(200_000))
TAG = {"ETag": '"one"'}


def manifest(*sources: str, content: bytes = CONTENT, path: str = "folder/data.bin") -> Manifest:
    file = {
        "path": path,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "sources": sources,
    }
    return Manifest.model_validate(
        {"name": "numbers", "summary": "numbers", "licence": "CC0-1.0", "citation": "none", "files": [file]}
    )


def ranged(content: bytes, headers: dict[str, str], *, cut: int | None = None) -> Callable[..., None]:
    """A server that knows ranges; with ``cut``, an answer from the start breaks off after so many bytes."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        fresh = request.headers.get("If-Range", "") not in headers.values()
        if start and not fresh:
            place = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            send(request, 206, content[start:], {**headers, **place})
        elif cut is not None:
            send(request, 200, content[:cut], {**headers, "Content-Length": str(len(content))})
        else:
            send(request, 200, content, headers)

    return answer


def left(cache: Path) -> list[str]:
    """Files in the dataset's folder, but for the ledger."""
    folder = cache / "datasets" / "numbers"
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".fivefold.json")


def test_a_file_is_fetched_once(cache: Path, server: Server) -> None:
    wanted = manifest(server.file("/data", CONTENT))
    told: list[tuple[str, int, int]] = []
    assert not is_cached(wanted)
    folder = fetch(wanted, progress=lambda *step: told.append(step))
    assert folder == cache / "datasets" / "numbers"
    assert (folder / "folder" / "data.bin").read_bytes() == CONTENT
    assert told[-1] == ("folder/data.bin", len(CONTENT), len(CONTENT))
    assert left(cache) == ["data.bin"]
    assert is_cached(wanted)
    assert is_cached(wanted, recheck=True)
    fetch(wanted)
    assert len(server.asked) == 1
    assert server.asked[0][1]["User-Agent"] == "fivefold"


def test_two_who_want_the_same_fetch_it_once(cache: Path, server: Server) -> None:
    both_wait = threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        both_wait.wait(0.3)
        send(request, 200, CONTENT, TAG)

    server.answers["/data"] = slow
    wanted = manifest(server.url("/data"))
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(fetch, [wanted, wanted]))
    assert folders[0] == folders[1]
    assert len(server.asked) == 1


def test_a_file_that_was_changed_in_the_cache_is_fetched_again(cache: Path, server: Server) -> None:
    wanted = manifest(server.file("/data", CONTENT))
    path = fetch(wanted) / "folder" / "data.bin"
    path.write_bytes(CONTENT[::-1])
    assert not is_cached(wanted)
    fetch(wanted)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("headers", [TAG, {"Last-Modified": "Thu, 31 Aug 2017 10:50:06 GMT"}])
def test_a_transfer_that_breaks_off_goes_on_where_it_was(
    cache: Path, server: Server, headers: dict[str, str]
) -> None:
    server.answers["/data"] = ranged(CONTENT, headers, cut=70_000)
    fetch(manifest(server.url("/data")), pause=0)
    first, second = (asked for _, asked in server.asked)
    assert "Range" not in first
    assert second["Range"] == "bytes=70000-"
    assert second["If-Range"] == next(iter(headers.values()))
    assert left(cache) == ["data.bin"]


def test_a_later_process_goes_on_where_an_earlier_one_was(cache: Path, server: Server) -> None:
    wanted = manifest(server.url("/data"))
    server.answers["/data"] = ranged(CONTENT, TAG, cut=70_000)
    server.answers["/gone"] = lambda request: send(request, 404, b"", {})

    # Here and below the next answer stands before this one is sent: the next request may come at once.
    def once(request: BaseHTTPRequestHandler) -> None:
        server.answers["/data"] = server.answers["/gone"]
        ranged(CONTENT, TAG, cut=70_000)(request)

    server.answers["/data"] = once
    with pytest.raises(DownloadError, match="404"):
        fetch(wanted, pause=0)
    assert left(cache) == ["data.bin.part", "data.bin.part.json"]
    server.answers["/data"] = ranged(CONTENT, TAG)
    fetch(wanted)
    assert server.asked[-1][1]["Range"] == "bytes=70000-"
    assert left(cache) == ["data.bin"]


def test_a_file_that_changed_meanwhile_starts_over(cache: Path, server: Server) -> None:
    old = CONTENT[::-1]

    def first(request: BaseHTTPRequestHandler) -> None:
        server.answers["/data"] = ranged(CONTENT, TAG)
        ranged(old, {"ETag": '"old"'}, cut=70_000)(request)

    server.answers["/data"] = first
    fetch(manifest(server.url("/data")), pause=0)
    assert left(cache) == ["data.bin"]


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}], ids=["no validator", "weak validator"])
def test_without_a_validator_a_transfer_starts_over(
    cache: Path, server: Server, headers: dict[str, str]
) -> None:
    def first(request: BaseHTTPRequestHandler) -> None:
        server.file("/data", CONTENT)
        ranged(CONTENT, headers, cut=70_000)(request)

    server.answers["/data"] = first
    fetch(manifest(server.url("/data")), pause=0)
    assert "Range" not in server.asked[1][1]


def test_a_server_that_ignores_ranges_or_sends_others_is_borne(cache: Path, server: Server) -> None:
    def wrong(request: BaseHTTPRequestHandler) -> None:
        send(request, 206, CONTENT[5:], {**TAG, "Content-Range": "bytes 5-199999/200000"})

    def whole(request: BaseHTTPRequestHandler) -> None:
        send(request, 200, CONTENT, TAG)

    # Twice another range than asked for: at first there is a part to let go of, then none, and none was asked for.
    answers = iter([ranged(CONTENT, TAG, cut=70_000), wrong, wrong, ranged(CONTENT, TAG, cut=90_000), whole])

    def following(request: BaseHTTPRequestHandler) -> None:
        next(answers)(request)

    server.answers["/data"] = following
    fetch(manifest(server.url("/data")), pause=0)
    assert left(cache) == ["data.bin"]
    assert ["Range" in headers for _, headers in server.asked] == [False, True, False, False, True]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(cache: Path, server: Server, status: int) -> None:
    def busy(request: BaseHTTPRequestHandler) -> None:
        if len(server.asked) == 3:
            server.file("/data", CONTENT)
        send(request, status, b"", {})

    server.answers["/data"] = busy
    fetch(manifest(server.url("/data")), pause=0)
    assert len(server.asked) == 4


def test_a_server_that_stays_broken_is_given_up(cache: Path, server: Server) -> None:
    server.answers["/data"] = lambda request: send(request, 503, b"", {})
    with pytest.raises(
        DownloadError, match="the server answers 503 Service Unavailable, 4 times; put the right"
    ):
        fetch(manifest(server.url("/data")), pause=0)
    assert len(server.asked) == 4


def test_the_next_source_is_tried_and_all_are_named(cache: Path, server: Server) -> None:
    fetch(manifest(server.url("/missing"), server.file("/data", CONTENT)))
    assert [path for path, _ in server.asked] == ["/missing", "/data"]
    unknown = manifest(server.url("/a"), "https://host.invalid/b", path="other.bin")
    with pytest.raises(DownloadError) as caught:
        fetch(unknown, pause=0)
    message = str(caught.value)
    assert message.startswith(
        "numbers: 'other.bin' (200,000 bytes) cannot be fetched; tried http://127.0.0.1:"
    )
    assert "/a: the server answers 404 Not Found; https://host.invalid/b: " in message
    assert message.endswith(
        "put the right file into a folder that FIVEFOLD_MIRROR names, as numbers/other.bin"
    )


def test_a_checksum_that_differs_is_named_and_nothing_is_left(cache: Path, server: Server) -> None:
    wrong = CONTENT[::-1]
    with pytest.raises(ChecksumError) as caught:
        fetch(manifest(server.file("/data", wrong)))
    expected, found = hashlib.sha256(CONTENT).hexdigest(), hashlib.sha256(wrong).hexdigest()
    assert f"expected SHA-256 {expected}, found {found}" in str(caught.value)
    assert "numbers: 'folder/data.bin' is not the file that the manifest names" in str(caught.value)
    assert left(cache) == []


def test_a_source_with_the_wrong_file_is_passed_over(cache: Path, server: Server) -> None:
    wanted = manifest(server.file("/wrong", CONTENT[::-1]), server.file("/data", CONTENT))
    assert (fetch(wanted) / "folder" / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("told", [True, False], ids=["and says so", "without saying so"])
def test_a_server_that_sends_too_much_is_stopped(cache: Path, server: Server, told: bool) -> None:
    def flood(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if told:
            request.send_header("Content-Length", str(2 * len(CONTENT)))
        request.end_headers()
        request.close_connection = True
        with contextlib.suppress(OSError):  # the client hangs up, as it should
            request.wfile.write(CONTENT * 2)

    server.answers["/data"] = flood
    reason = "has 400,000 bytes instead of 200,000" if told else "sends more than the 200,000 bytes"
    with pytest.raises(DownloadError, match=f"the server {reason}"):
        fetch(manifest(server.url("/data")), pause=0)


def test_a_full_disk_is_said_before_and_during(
    cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = manifest(server.file("/data", CONTENT))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # the system refuses to write more
    try:
        with pytest.raises(
            DownloadError, match=r"numbers: .* cannot be written \(File too large\); make room"
        ):
            fetch(wanted)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left(cache) == []
    real = shutil.disk_usage
    monkeypatch.setattr(fetch_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(
        DownloadError, match=r"needs 200,000 bytes and the disk of .* has 1,000 left; make room, or"
    ):
        fetch(wanted)
    monkeypatch.setattr(fetch_module.shutil, "disk_usage", real)
    fetch(wanted)


def test_a_cache_that_cannot_be_made_is_named(cache: Path, server: Server) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"the cache folder cannot be made .* set FIVEFOLD_CACHE to another"):
        fetch(manifest(server.file("/data", CONTENT)))
