"""Pages opened in headless Chromium, over its DevTools protocol: what a reader's browser would complain of.

The protocol (https://chromedevtools.github.io/devtools-protocol) is spoken over two pipes, messages of JSON that end
in a zero byte; it needs no library and no port.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
"""Where it is; None where none is installed."""
PATIENCE = 120
"""Seconds without a word from the browser after which it counts as dead; a loaded machine is slow."""
PHONE, DESK = 390, 1100
"""Widths of windows, in CSS pixels."""
MEASURE = """(async () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const broken = [];
  for (const image of document.images) {
    image.loading = "eager";
    try { await image.decode(); } catch { }
    if (!(image.complete && image.naturalWidth > 0)) broken.push(image.alt || image.src.slice(0, 60));
  }
  const reach = (element) => element.getBoundingClientRect().right;
  const widest = [...document.body.querySelectorAll("*")].reduce((a, b) => reach(b) > reach(a) ? b : a, document.body);
  const root = document.documentElement;
  return {broken, images: document.images.length, reach: root.scrollWidth, widest: widest.outerHTML.slice(0, 80)};
})()"""
"""Everything folded is unfolded first, since it is part of the page."""


@dataclass
class Seen:
    """What there was to see of a page.

    Attributes:
        complaints: errors and warnings of the console, and exceptions.
        requests: addresses asked for beside the page's own.
        broken: images that could not be shown.
        images: how many there are.
        overflow: pixels by which the page is wider than the window.
        widest: what reaches furthest to the right.
    """

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    images: int = 0
    overflow: int = 0
    widest: str = ""


class Browser:
    """A running Chromium; get one from `opened_browser`.

    Args:
        say: descriptor of the pipe that it reads.
        hear: descriptor of the pipe that it writes.
    """

    def __init__(self, say: int, hear: int) -> None:
        self._say, self._hear = say, hear
        self._numbers = itertools.count(1)
        self._left = b""

    def look_at(self, page: Path, width: int) -> Seen:
        """Open the file in a window of that width."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable", session)
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            session,
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=width == PHONE,
        )
        seen = Seen()
        number = self._tell("Page.navigate", session, url=page.as_uri())
        self._wait(lambda message: message.get("id") == number, seen, page)
        self._wait(lambda message: message.get("method") == "Page.loadEventFired", seen, page)
        number = self._tell(
            "Runtime.evaluate", session, expression=MEASURE, awaitPromise=True, returnByValue=True
        )
        answer = self._wait(lambda message: message.get("id") == number, seen, page)
        measured = answer["result"]["result"]["value"]
        seen.broken, seen.images, seen.widest = measured["broken"], measured["images"], measured["widest"]
        seen.overflow = measured["reach"] - width
        self._ask("Target.closeTarget", targetId=target)
        return seen

    def close(self) -> None:
        """Ask it to end."""
        self._tell("Browser.close")

    def _tell(self, method: str, session: str | None = None, **parameters: Any) -> int:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._say, json.dumps(message).encode() + b"\0")
        return number

    def _ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = self._tell(method, session, **parameters)
        answer = next(message for message in self._messages() if message.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _wait(self, wanted: Any, seen: Seen, page: Path) -> dict[str, Any]:
        """The first message of that kind; what was said before it goes into ``seen``."""
        for message in self._messages():
            _note(message, seen, page)
            if wanted(message):
                return message
        raise RuntimeError("the browser ended")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" in self._left:
                message, _, self._left = self._left.partition(b"\0")
                yield json.loads(message)
            if not select.select([self._hear], [], [], PATIENCE)[0]:
                raise RuntimeError(f"the browser said nothing for {PATIENCE} s")
            got = os.read(self._hear, 1 << 16)
            if not got:
                raise RuntimeError("the browser ended")
            self._left += got


def _note(message: dict[str, Any], seen: Seen, page: Path) -> None:
    told = message.get("params", {})
    match message.get("method"):
        case "Runtime.consoleAPICalled" if told["type"] in {"error", "warning", "assert"}:
            words = [str(word.get("value", word.get("description"))) for word in told["args"]]
            seen.complaints.append(" ".join(words))
        case "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            seen.complaints.append(details.get("exception", {}).get("description", details["text"]))
        case "Log.entryAdded" if told["entry"]["level"] in {"error", "warning"}:
            seen.complaints.append(told["entry"]["text"])
        case "Network.requestWillBeSent":
            address = told["request"]["url"]
            if address != page.as_uri() and not address.startswith(("data:", "blob:")):
                seen.requests.append(address)


@contextmanager
def opened_browser(profile: Path) -> Iterator[Browser]:
    """A Chromium of its own, which ends with the context; ``profile`` is a folder for its files."""
    to_browser, say = os.pipe()
    hear, from_browser = os.pipe()
    words = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", f"--user-data-dir={profile}", "--remote-debugging-pipe",
    ]  # fmt: skip
    # The protocol wants descriptors 3 and 4, which here may be anything.
    moved = f'exec "$0" "$@" 3</dev/fd/{to_browser} 4>/dev/fd/{from_browser}'
    process = subprocess.Popen(
        ["/bin/sh", "-c", moved, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(to_browser, from_browser),
    )
    os.close(to_browser)
    os.close(from_browser)
    browser = Browser(say, hear)
    try:
        yield browser
        browser.close()
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(say)
        os.close(hear)
