"""Make ``fivefold_data/samples/reviews.csv``: 800 sentences of product reviews with class and rating.

Run: ``python data/make_reviews_sample.py FILE``, where FILE is ``amazonReviewSnippets_GroundTruth.txt`` of the data
published with VADER (inside the source archive of vaderSentiment 0.5). The ratings are means over twenty readers, from
-4 to 4. The file is the same, byte for byte, each time.
"""

from __future__ import annotations

import csv
import io
import random
import sys
from pathlib import Path

TARGET = Path(__file__).parent / "fivefold_data" / "samples" / "reviews.csv"
CLEAR = 1.0
"""Ratings at least so far from zero make a class."""
EACH = 400
"""Sentences of each class."""


def main(file: Path) -> None:
    """Write the table."""
    rows, seen = [], set()
    for line in file.read_text(encoding="latin-1").splitlines():
        name, rating, text = line.split("\t")
        words = text.strip()
        if abs(float(rating)) >= CLEAR and words not in seen and words.isascii():
            seen.add(words)
            label = "positive" if float(rating) > 0 else "negative"
            rows.append((words, label, rating, f"review {name.partition('_')[0]}"))
    generator = random.Random(0)  # noqa: S311 - a choice, no secret
    chosen = []
    for label in ("negative", "positive"):
        own = [row for row in rows if row[1] == label]
        chosen += sorted(generator.sample(own, min(EACH, len(own))), key=rows.index)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("text", "label", "rating", "group"))
    writer.writerows(sorted(chosen, key=rows.index))
    TARGET.write_text(text.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
