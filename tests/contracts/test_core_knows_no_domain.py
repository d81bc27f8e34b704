"""No file of the core names a domain, not even in an example: those come from what is installed."""

from __future__ import annotations

import re
from pathlib import Path

from stub_plugins import BUILT_IN

ROOT = Path(__file__).parents[2]
FILES = [
    path
    for path in (ROOT / "core").rglob("*")
    if path.suffix in {".py", ".j2", ".css", ".yaml", ".json", ".md", ".html"}
]


def test_no_domain_is_named() -> None:
    word = re.compile(rf"\b(fivefold_)?({'|'.join(BUILT_IN)})\b", re.IGNORECASE)
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if word.search(line)
    ]
    assert len(FILES) > 300
    assert named == []
