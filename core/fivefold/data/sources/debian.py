"""``deb:NAME!path``: a file inside a package of the archive that apt is set up for (Debian, Ubuntu).

Needs no root and leaves the system's lists alone: apt-get runs with lists, state and cache of its own, in
fivefold's cache folder, and with the system's sources, keys and proxy. Nothing is installed and no script of
the package runs: its content is written out as a tar stream, from which the file is taken.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

from filelock import FileLock

from fivefold.data.cache import cache_directory
from fivefold.data.sources.base import SourceError, Wanted, copy_bounded
from fivefold.data.unpack import extract_member

LISTS_AGE = 24 * 3600
"""Seconds after which the lists of packages are brought up to date."""

_JUST_NOW = 600  # seconds in which no new list is to be expected
_MAX_CONTENT = 16 << 30
_SETTINGS = """\
#clear APT::Update;
#clear DPkg;
Acquire::Languages "none";
Acquire::Retries "2";
APT::Sandbox::User "root";
"""  # the first two: what others hooked to an update of the system's lists is not for ours


def get(wanted: Wanted) -> None:
    """Take the file out of the package.

    Raises:
        SourceError: there is no apt-get, no such package, no network, or no such file in the package.
    """
    content = wanted.workspace / f"deb-{wanted.holder}.tar"
    if not content.exists():
        _download(wanted, content)
    if not extract_member(content, wanted.member, wanted.target, max_bytes=wanted.size):
        raise SourceError(f"the package '{wanted.holder}' has no such file")


def _download(wanted: Wanted, content: Path) -> None:
    """Write the content of the package to the tar file ``content``."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise SourceError("this system has no apt-get and dpkg-deb")
    folder = cache_directory("apt")
    with FileLock(folder / "lock"):
        _prepare(folder)
        size = _size(folder, wanted.holder)
        package = _retrieve(folder, wanted, size)
    try:
        _write_content(package, content)
    finally:
        package.unlink()


def _prepare(folder: Path) -> None:
    """Folders and settings that apt-get needs to leave the system's own alone."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "apt.conf").write_text(_SETTINGS, encoding="utf-8")


def _command(folder: Path, *arguments: str) -> list[str]:
    places = {
        "Dir::State": folder,
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Log": folder,
    }
    options = [word for key, place in places.items() for word in ("-o", f"{key}={place}")]
    return ["apt-get", "-qq", "-c", str(folder / "apt.conf"), *options, *arguments]


def _size(folder: Path, package: str) -> int:
    """Bytes of the package's file, after an update of the lists where they are old or do not know it."""
    stamp = folder / "updated"
    age = time.time() - stamp.stat().st_mtime if stamp.exists() else LISTS_AGE
    trouble = "" if age < LISTS_AGE else _update(folder, stamp)
    size = _known_size(folder, package)
    if size is None and _JUST_NOW < age < LISTS_AGE:
        trouble = _update(folder, stamp)
        size = _known_size(folder, package)
    if size is None:
        raise SourceError(f"apt-get knows no package '{package}'{trouble}")
    return size


def _update(folder: Path, stamp: Path) -> str:
    """Bring the lists up to date; what went wrong, in words (one archive of several may be out of reach)."""
    result = _run(_command(folder, "update"), folder)
    if result.returncode == 0:
        stamp.touch()
        return ""
    return f" ({_last_line(result.stderr)})"


def _known_size(folder: Path, package: str) -> int | None:
    result = _run(_command(folder, "--print-uris", "download", "--", package), folder)
    line = re.search(r"^'.*' \S+ (\d+)", result.stdout, re.MULTILINE)  # 'address' file size checksum
    return int(line[1]) if result.returncode == 0 and line else None


def _retrieve(folder: Path, wanted: Wanted, size: int) -> Path:
    """Download the package's file into a folder of its own, telling of progress by its growth."""
    into = wanted.workspace / f"deb-{wanted.holder}"
    into.mkdir(exist_ok=True)
    log = into / "log"
    with log.open("w", encoding="utf-8") as output:
        command = _command(folder, "download", "--", wanted.holder)
        # S603: no shell, and a name that cannot be an option
        with subprocess.Popen(command, cwd=into, stdout=output, stderr=output) as process:  # noqa: S603 - a list of words, no shell
            while True:
                try:
                    status = process.wait(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    here = sum(path.stat().st_size for path in into.glob("*.deb"))
                    wanted.report(f"{wanted.holder} (Debian package)", min(here, size), size)
    packages = list(into.glob("*.deb"))
    if status or not packages:
        raise SourceError(f"apt-get cannot download it: {_last_line(log.read_text(encoding='utf-8'))}")
    wanted.report(f"{wanted.holder} (Debian package)", size, size)
    return packages[0]


def _write_content(package: Path, content: Path) -> None:
    part = content.with_suffix(".part")
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - no shell
        if process.stdout is not None:
            copy_bounded(process.stdout, part, _MAX_CONTENT)
    if process.returncode:
        raise SourceError("dpkg-deb cannot read the package")
    part.rename(content)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # S603: no shell, and a name that cannot be an option
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - a list of words, no shell


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it gives no reason"
