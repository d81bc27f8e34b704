"""Finds a batch size in each of two processes, of which the second has less memory; run by torchrun.

torchrun --nproc-per-node 2 two_processes.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.finding.plans import CPU, plan
from core.training.toys import Classifier, blobs, settings
from fivefold.data.dataset import Batch
from fivefold.finding.batch_size import find_batch_size
from fivefold.tasks.base import Loss
from fivefold.training.processes.group import joined


class Limited(Classifier):
    """Runs out of memory where a batch has more than ``most`` samples."""

    most = 1000

    def loss(self, batch: Batch, phase: str) -> Loss:
        if len(batch["input"]) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().loss(batch, phase)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    config = settings(batch_size="auto")
    found = []
    with joined(CPU) as processes:
        task = Limited()
        task.most = 1000 if processes.is_first else 8
        for samples in (1280, 100):
            # Steps that all take the same time, so that speed is no limit.
            size = find_batch_size(
                plan(task, blobs(samples), config=config),
                processes=processes,
                clock=iter(range(1000)).__next__,
            )
            found.append(size)
        (folder / f"{processes.rank}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
