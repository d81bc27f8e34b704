"""Sentiment by cross-validation, on a held-out set, and on shuffled labels.

    python tests/benchmarks/sentiment.py folds rt-polarity.all --encoding latin-1 --preset standard
    python tests/benchmarks/sentiment.py held-out stsa.binary.train stsa.binary.dev --preset standard
    python tests/benchmarks/sentiment.py shuffled rt-polarity.all --encoding latin-1 --seeds 20

Runs are kept below ``--out``; a fold that is there already is not trained again. The first tells each fold's
accuracy, and that of its baselines; the last counts false verdicts of 'beats'.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import fivefold
from fivefold.errors import RunError
from fivefold.runs import Run

PIPELINE = "nlp/sentiment"


def main() -> None:
    """Run what the command line asks for."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("what", choices=["folds", "held-out", "shuffled"])
    words.add_argument("data", type=Path)
    words.add_argument("judged", type=Path, nargs="?")
    words.add_argument("--preset", default="quick")
    words.add_argument("--encoding", default="utf-8")
    words.add_argument("--folds", type=int, default=10)
    words.add_argument("--seeds", type=int, default=20)
    words.add_argument("--rows", type=int, default=2000)
    words.add_argument("--out", type=Path, default=Path("runs/benchmark-sentiment"))
    given = words.parse_args()
    {"folds": folds, "held-out": held_out, "shuffled": shuffled}[given.what](given)


def folds(given: argparse.Namespace) -> None:
    """Train and judge each fold; mean and spread of accuracies."""
    scores: dict[str, list[float]] = {}
    for fold in range(given.folds):
        started = time.perf_counter()
        run = trained(
            given.data,
            given.out / f"{given.data.stem}-{given.preset}-{fold}",
            given,
            folds=given.folds,
            fold=fold,
        )
        found = accuracies(run)
        for name, value in found.items():
            scores.setdefault(name, []).append(value)
        told = ", ".join(f"{name} {value:.4f}" for name, value in found.items())
        say(
            f"fold {fold}: {told}; {run.info['headline']['sentence']} ({time.perf_counter() - started:.0f} s)"
        )
    for name, values in scores.items():
        say(f"{name}: mean {statistics.mean(values):.4f}, from {min(values):.4f} to {max(values):.4f}")


def held_out(given: argparse.Namespace) -> None:
    """Train on one file and judge on another."""
    run = trained(given.data, given.out / f"{given.data.stem}-{given.preset}", given)
    evaluation = run.evaluate(str(given.judged))
    estimate = evaluation.estimates["accuracy"]
    say(f"{given.judged.name}: accuracy {estimate.value:.4f} ({estimate.low:.4f} to {estimate.high:.4f})")
    say(evaluation.summary()["sentence"])


def shuffled(given: argparse.Namespace) -> None:
    """Shuffle the labels of some rows, a different shuffle for each seed; count the verdicts."""
    lines = given.data.read_text(encoding=given.encoding).rstrip("\n").split("\n")
    verdicts: dict[str, int] = {}
    for seed in range(given.seeds):
        generator = random.Random(seed)
        rows = [line.split(" ", 1) for line in generator.sample(lines, min(given.rows, len(lines)))]
        labels = [label for label, _ in rows]
        generator.shuffle(labels)
        given.out.mkdir(parents=True, exist_ok=True)
        source = given.out / f"shuffled-{seed}.txt"
        texts = [f"{label} {text}" for label, (_, text) in zip(labels, rows, strict=True)]
        source.write_text("\n".join(texts) + "\n", encoding=given.encoding)
        run = trained(source, given.out / f"shuffled-{given.preset}-{seed}", given, seed=seed)
        verdict = run.info["headline"]["verdict"]
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
        say(f"seed {seed}: {run.info['headline']['sentence']}")
    say(str(verdicts))


def trained(data: Path, out: Path, given: argparse.Namespace, **settings: Any) -> Run:
    """The finished run at ``out``, trained now where it is not there."""
    try:
        run = fivefold.load(out)
        if run.status == "complete":
            return run
    except RunError:
        pass
    return fivefold.train(
        PIPELINE, data, out=out, preset=given.preset, encoding=given.encoding, resume=out.exists(), **settings
    )


def accuracies(run: Run) -> dict[str, float]:
    """Accuracy of the model and of each baseline on the test split."""
    report = run.report or {}
    found = {"model": report["metrics"]["accuracy"]["value"]}
    return found | {name: values["accuracy"] for name, values in report["baselines"].items()}


def say(text: str) -> None:
    """A line of the result, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
