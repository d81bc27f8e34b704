"""fivefold's trainer beside a hand-written loop and other trainers: ``python -m benchmarks.trainers`` from tests.

All run in this process on the same networks, samples, order, optimizer and precision (float32, on CUDA multiplied as
TF32); `make bench` makes an environment that has them. In each round every trainer trains once from the same weights;
every second round goes through them backwards, so that a machine that grows slower favours none. `trial` says what
is timed, and each trainer's file how it is set, which is always for speed. The table gives the median and the
quartiles over rounds, the same of the difference to the hand-written loop within a round, and whether the trained
weights are that loop's.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.trainers.ceilings import Ceilings, count_operations, measure_ceilings
from benchmarks.trainers.comparison import RIVALS, compare, load_rivals
from benchmarks.trainers.problems import PROBLEMS, Problem
from benchmarks.trainers.table import Result, as_values, lines
from benchmarks.trainers.trial import Length, Trial
from fivefold.provenance import processor
from fivefold.training.speed.precision import use_fast_kernels


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    models: list[str]
    rivals: list[str]
    device: torch.device
    threads: int
    repeats: int | None
    json: Path | None


def parse(words: Sequence[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.trainers", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--models", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--rivals", nargs="+", choices=RIVALS, default=list(RIVALS))
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", type=torch.device, default=torch.device(default), help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch on the CPU")
    parser.add_argument("--repeats", type=int, help="rounds; the problem's own number where not given")
    parser.add_argument("--json", type=Path, help="write every figure there")
    return Options(**vars(parser.parse_args(words)))


def show(*texts: str) -> None:
    """Print lines."""
    sys.stdout.write("".join(f"{text}\n" for text in texts))
    sys.stdout.flush()


def describe(options: Options) -> str:
    """Hardware and versions."""
    device = options.device
    hardware = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    return f"{hardware}, {options.threads} thread(s), torch {torch.__version__}, float32"


def shares(
    problem: Problem, results: dict[str, Result], ceilings: Ceilings, device: torch.device
) -> list[str]:
    """How much of the measured ceiling each trainer reaches."""
    operations = count_operations(Trial(problem, Length(1, 0), device))
    least = operations / ceilings.matmul["TF32"]
    return [f"{operations / 1e9:.3f} GFLOP a step, {1e6 * least:.1f} us at the ceiling of TF32"] + [
        f"  {result.name}: {least / statistics.median(result.seconds):.1%} of it"
        for result in results.values()
        if result.seconds
    ]


def main() -> None:
    """Measure and print."""
    options = parse()
    torch.set_num_threads(options.threads)
    os.environ.setdefault("KERAS_TORCH_DEVICE", options.device.type)  # Keras reads it when imported
    warnings.filterwarnings("ignore")  # the peers' advice on workers and loggers
    rivals = load_rivals(options.rivals)
    gc.freeze()  # the peers' modules need not be searched while another trains
    show(describe(options), "microseconds a training step")
    ceilings = None
    if options.device.type == "cuda":
        ceilings = measure_ceilings(options.device)
        show(*ceilings.lines())
        use_fast_kernels(options.device)  # TF32 for all, because fivefold's trainer would set it for all
    figures = {}
    for name in options.models:
        problem = PROBLEMS[name]
        rounds = options.repeats or problem.rounds
        results = compare(problem, rivals, options.device, rounds)
        show(
            "",
            f"{name}, batches of {problem.batch_size}, {rounds} rounds of {problem.steps} steps",
            *lines(results),
        )
        if ceilings is not None:
            show(*shares(problem, results, ceilings, options.device))
        figures[name] = as_values(results)
    if options.json is not None:
        options.json.write_text(
            json.dumps({"machine": describe(options), "figures": figures}, indent=1), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
