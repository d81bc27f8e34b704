"""PneumoniaMNIST: the official validation split judged beside the baselines, and shuffled labels.

    python tests/benchmarks/diagnosis.py held-out pneumoniamnist.npz --seeds 5
    python tests/benchmarks/diagnosis.py shuffled pneumoniamnist.npz --seeds 20

``held-out`` trains on the official training split, of which a tenth is held back to choose the checkpoint, calibrate
and fit the threshold; the official validation split is judged, and nothing is chosen on it. ``shuffled`` trains on
some training images whose labels are shuffled, and counts the verdicts. Runs are kept below ``--out``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fivefold
from fivefold.runs import Run

PIPELINE = "healthcare/diagnose"


def main() -> None:
    """Run what the command line asks for."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("what", choices=["held-out", "shuffled"])
    words.add_argument("data", type=Path)
    words.add_argument("--preset", default="quick")
    words.add_argument("--seeds", type=int, default=5)
    words.add_argument("--images", type=int, default=600, help="training images whose labels are shuffled")
    words.add_argument("--out", type=Path, default=Path("runs/benchmark-diagnosis"))
    given = words.parse_args()
    with np.load(given.data, allow_pickle=False) as opened:
        arrays = {name: opened[name] for name in opened.files}
    given.out.mkdir(parents=True, exist_ok=True)
    {"held-out": held_out, "shuffled": shuffled}[given.what](arrays, given)


def held_out(arrays: dict[str, NDArray[Any]], given: argparse.Namespace) -> None:
    """Each seed's AUROC beside the random forest's on the official validation split."""
    source = given.out / "pneumonia.npz"
    parts = {"train": "train", "test": "val"}
    np.savez(
        source,
        **{
            f"{ours}_{kind}": arrays[f"{theirs}_{kind}"]
            for ours, theirs in parts.items()
            for kind in ("images", "labels")
        },
    )
    for seed in range(given.seeds):
        run, seconds = trained(source, given, f"seed-{seed}", seed=seed)
        report = run.report or {}
        told = report["metrics"]["AUROC"]
        say(
            f"seed {seed}: AUROC {told['value']:.4f} ({told['low']:.4f} to {told['high']:.4f}), {seconds:.0f} s in all"
        )
        for one in report["comparisons"]:
            if one["metric"] == "AUROC" and one["baseline"] != "prevalence":
                say(f"  {one['sentence']}")


def shuffled(arrays: dict[str, NDArray[Any]], given: argparse.Namespace) -> None:
    """Verdicts on labels that mean nothing."""
    verdicts: Counter[str] = Counter()
    for seed in range(given.seeds):
        generator = np.random.default_rng(seed)
        rows = generator.permutation(len(arrays["train_images"]))[: given.images]
        source = given.out / f"shuffled-{seed}.npz"
        labels = generator.permutation(arrays["train_labels"][rows].reshape(-1))
        np.savez(source, train_images=arrays["train_images"][rows], train_labels=labels)
        run, _ = trained(source, given, f"shuffled-{seed}", seed=seed, epochs=5)
        found = (run.report or {})["verdict"]
        verdicts[found["verdict"]] += 1
        say(f"seed {seed}: {found['sentence']}")
    say(str(dict(verdicts)))


def trained(source: Path, given: argparse.Namespace, name: str, **settings: Any) -> tuple[Run, float]:
    """A run, and how long training, judging and baselines took."""
    began = time.perf_counter()
    run = fivefold.train(
        PIPELINE, source, out=given.out / f"{given.preset}-{name}", preset=given.preset, **settings
    )
    return run, time.perf_counter() - began


def say(text: str) -> None:
    """A line of the result, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
