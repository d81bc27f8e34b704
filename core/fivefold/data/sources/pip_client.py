"""Download one distribution with pip, unopened: python pip_client.py any|sdist NAME VERSION FOLDER.

Runs in a process of its own. ``pip download`` would do for wheels, but it runs the code of a source
distribution to read its metadata; so this asks pip for the addresses and lets pip's session fetch the file.
It prints progress as JSON lines, [name, bytes here, bytes in all]; without any there is no such distribution.
Uses pip's internals (as of pip 22 to 26); it ends with `UNKNOWN_PIP` where they have changed.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

UNKNOWN_PIP = 3
MAX_BYTES = 16 << 30


def main(kind: str, name: str, version: str, folder: str) -> int:
    """Download NAME VERSION into FOLDER."""
    try:
        command = import_module("pip._internal.commands").create_command("download")
        wanted = import_module("pip._vendor.packaging.version").Version(version)
        with command.main_context():
            options, _ = command.parse_args([name])
            session = command.get_default_session(options)
            finder = command._build_package_finder(options, session, ignore_requires_python=True)
            links = [found.link for found in finder.find_all_candidates(name) if found.version == wanted]
            links = [link for link in links if kind == "any" or not link.is_wheel]
    except (ImportError, AttributeError, TypeError) as error:
        print(f"this pip works differently: {error}", file=sys.stderr)  # noqa: T201 - a script
        return UNKNOWN_PIP
    # a wheel for every platform, which is the same everywhere, before one for this, before the source
    links.sort(
        key=lambda link: (not link.filename.endswith("-none-any.whl"), not link.is_wheel, link.filename)
    )
    if links:
        download(session, links[0], Path(folder))
    return 0


def download(session: Any, link: Any, folder: Path) -> None:
    """Write the file that ``link`` names, with pip's ``session``."""
    target = folder / link.filename
    part = target.with_name(target.name + ".part")
    headers = {"Accept-Encoding": "identity"}
    with session.get(link.url_without_fragment, headers=headers, stream=True) as response:
        response.raise_for_status()
        total = int(response.headers.get("Content-Length") or 0)
        done = 0
        with part.open("wb") as output:
            for chunk in response.iter_content(1 << 18):
                done += len(chunk)
                if done > MAX_BYTES:
                    raise OSError(f"{link.filename} is larger than {MAX_BYTES:,} bytes")
                output.write(chunk)
                progress = [link.filename, done, max(done, total)]
                print(json.dumps(progress), flush=True)  # noqa: T201 - a script
    part.rename(target)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
