"""Write the actions of DICOM PS3.15 2026c, Table E.1-1, as the CSV that the healthcare plugin reads.

The facts come from the package dicom-anonymizer 2.1.0 (BSD), unpacked: its module dicomfields_2026c lists the tags
of each action code of the Basic Application Level Confidentiality Profile, with names as comments. Keywords come from
pydicom; attributes newer than its dictionary have none.
Groups that repeat (curves 50xx, overlays 60xx) are rules in code, not rows.

    python data/make_deidentification_table.py dicomfields_2026c.py \
        plugins/fivefold_healthcare/dicom/deidentification/table_e1_1.csv
"""

from __future__ import annotations

import csv
import re
import runpy
import sys
from pathlib import Path

from pydicom.datadict import keyword_for_tag

LISTS = {
    "D_TAGS": "D",
    "Z_TAGS": "Z",
    "X_TAGS": "X",
    "U_TAGS": "U",
    "Z_D_TAGS": "Z/D",
    "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D",
    "X_Z_D_TAGS": "X/Z/D",
    "X_Z_U_STAR_TAGS": "X/Z/U*",
}


def rows(source: Path) -> list[tuple[str, str, str, str]]:
    """Tag, keyword, name and action of every attribute of the table, by tag."""
    facts = runpy.run_path(str(source))
    text = source.read_text(encoding="utf-8")
    names = {
        int(group + element, 16): title.strip()
        for group, element, title in re.findall(r"\(\s*0x(\w{4}),\s*0x(\w{4}),?\s*\),\s*# ([^\n(]+)", text)
    }
    found = []
    for name, action in LISTS.items():
        for group, element, *repeats in facts[name]:
            tag = (group << 16) + element
            if not repeats:
                found.append((f"{tag:08X}", keyword_for_tag(tag), names[tag], action))
    return sorted(found)


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("tag", "keyword", "name", "action"))
        writer.writerows(rows(Path(sys.argv[1])))
