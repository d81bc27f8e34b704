"""A web server on the loopback, for tests of downloads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Server:
    """Answers by path; remembers what it was asked."""

    port: int
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def file(self, path: str, content: bytes, kind: str = "application/octet-stream") -> str:
        """Serve ``content`` whole, without ranges."""
        self.answers[path] = lambda request: send(request, 200, content, {"Content-Type": kind})
        return self.url(path)


def send(request: BaseHTTPRequestHandler, status: int, content: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


@contextmanager
def serving() -> Iterator[Server]:
    """A server that answers 404 until it is told otherwise."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, dict(self.headers)))
            answer = served.answers.get(self.path)
            if answer is None:
                send(self, 404, b"", {})
            else:
                answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the interface
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        served = Server(listening.server_address[1])
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            listening.shutdown()
            thread.join()
