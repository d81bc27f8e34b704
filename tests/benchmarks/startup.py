"""How long help texts take: ``python tests/benchmarks/startup.py`` prints medians of 10, after a warm-up."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "fivefold --help": (["--help"], 0.25),
    "fivefold vision classify train --help": (["vision", "classify", "train", "--help"], 2.0),
    "fivefold nlp sentiment train --help": (["nlp", "sentiment", "train", "--help"], 2.0),
    "fivefold data list": (["data", "list"], 2.0),
}
"""What is typed, and the seconds that it may take."""


def seconds(words: list[str]) -> float:
    """Wall-clock time of one process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "fivefold", *words], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    for title, (words, bound) in COMMANDS.items():
        seconds(words)
        taken = [seconds(words) for _ in range(10)]
        median = statistics.median(taken)
        spread = f"from {1000 * min(taken):.0f} to {1000 * max(taken):.0f}"
        sys.stdout.write(f"{title}: {1000 * median:.0f} ms ({spread}), bound {1000 * bound:.0f} ms\n")


if __name__ == "__main__":
    main()
