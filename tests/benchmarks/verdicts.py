"""How often a percentile interval calls pure chance a difference, by how little it rests on.

    python tests/benchmarks/verdicts.py units       # independent units of differences that are zero on the mean
    python tests/benchmarks/verdicts.py positives   # random scores of 1,000 samples against prevalence and each other

An interval of 95 % should leave zero out in 5 % of the tries, above zero in 2.5 %. No verdict is spoken here: these are
the rates for which `fivefold.evaluation` withholds it, or asks for another test.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from fivefold.evaluation.bootstrap import apart, percentiles, resample
from fivefold.evaluation.question_metrics import question_metrics

LEVEL = 0.95
RESAMPLES = 500
UNITS = (1, 2, 3, 4, 5, 6, 10, 30)
POSITIVES = (4, 6, 8, 10, 12, 16, 20, 40)
SAMPLES = 1000


def units(tries: int) -> None:
    """Print the share of tries whose interval of the mean leaves zero out, for each number of units."""
    generator = np.random.default_rng(0)
    for count in UNITS:
        out = 0
        for _ in range(tries):
            differences = generator.normal(size=count)
            drawn = differences[generator.integers(0, count, (RESAMPLES, count))].mean(axis=1)
            low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            out += low > 0 or high < 0
        sys.stdout.write(f"{count:3} units: {out / tries:.1%} of {tries} intervals leave zero out\n")


def positives(tries: int) -> None:
    """Print the share of tries in which random scores lie wholly above prevalence, and above other random scores."""
    asked = [metric for metric in question_metrics(("question",)) if metric.name in {"AUPRC", "AUROC"}]
    for count in POSITIVES:
        beaten: dict[tuple[str, str], int] = {}
        for seed in range(tries):
            generator = np.random.default_rng([count, seed])
            target = (np.arange(SAMPLES) < count).astype(float)[:, None]
            predictors = {
                "model": generator.random((SAMPLES, 1)),
                "prevalence": np.full((SAMPLES, 1), count / SAMPLES),
                "random scores": generator.random((SAMPLES, 1)),
            }
            outputs = {name: {"probabilities": of, "target": target} for name, of in predictors.items()}
            drawn = resample(asked, outputs, None, resamples=RESAMPLES, seed=seed)
            for metric in asked:
                for rival in ("prevalence", "random scores"):
                    low, _ = percentiles(apart(drawn["model", metric.name], drawn[rival, metric.name]), LEVEL)
                    beaten[metric.name, rival] = beaten.get((metric.name, rival), 0) + (low > 0)
        told = ", ".join(
            f"{metric} above {rival} {hits / tries:.1%}" for (metric, rival), hits in beaten.items()
        )
        sys.stdout.write(f"{count:3} positives: {told}\n")
        sys.stdout.flush()


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("units", "positives"))
    parser.add_argument("--tries", type=int, help="4,000 of units, 300 of positives where not given")
    given = parser.parse_args()
    if given.what == "units":
        units(given.tries or 4000)
    else:
        positives(given.tries or 300)


if __name__ == "__main__":
    main()
