"""Saves checkpoints in the background in processes that are killed at many moments of the writing.

Run by test_training_checkpoint_writer.py in a process of its own: python checkpoint_killing.py DIRECTORY

Prints what was found after each kill; then ends by an exception while a last checkpoint is being written.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import torch

from fivefold.training.saving.checkpoint import newest_checkpoint, prune_checkpoints, remove_unfinished
from fivefold.training.saving.writer import CheckpointWriter

KILLS = 24


def save(writer: CheckpointWriter, step: int, value: float) -> None:
    tensors = {"model": {"weight": torch.full((1000,), value)}, "other": {"value": torch.tensor(value)}}
    after = lambda: prune_checkpoints(writer.directory, keep=1)  # noqa: E731 - beside what calls it
    writer.save(step, tensors, {"value": value}, after=after)


def attempt(directory: Path, kill_at: int | None) -> int:
    """Save twice under the same step in a child that is killed at an event; how many events there were."""
    source, sink = os.pipe()
    child = os.fork()
    if child:
        os.close(sink)
        os.waitpid(child, 0)
        with os.fdopen(source) as pipe:
            return int(pipe.read() or 0)
    events = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal events
        events += 1
        if events == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)  # the threads begun from here on: the writer's
    with CheckpointWriter(directory, background=True) as writer:
        save(writer, 2, 2.0)
        save(writer, 2, 3.0)
    os.write(sink, str(events).encode())
    os._exit(0)


def look(directory: Path) -> tuple[int, float]:
    """The step and the value of the newest checkpoint."""
    found = newest_checkpoint(directory)
    if found is None:
        sys.exit("no checkpoint was left")
    value = found.tensors("model")["weight"].unique().item()
    if value != found.values()["value"] or value != found.tensors("other")["value"].item():
        sys.exit("parts of different checkpoints were mixed")
    remove_unfinished(directory)
    if list(directory.glob(".*")):
        sys.exit("something half-written is left")
    return found.step, value


def main(root: Path) -> None:
    with CheckpointWriter(root / "first", background=False) as writer:
        save(writer, 1, 1.0)
    shutil.copytree(root / "first", root / "whole")
    events = attempt(root / "whole", None)
    found = [look(root / "whole")]
    for number in range(1, KILLS + 1):
        directory = root / f"killed-{number}"
        shutil.copytree(root / "first", directory)
        attempt(directory, number * events // (KILLS + 1))
        found.append(look(directory))
        with CheckpointWriter(directory, background=True) as writer:
            save(writer, 3, 4.0)
        if look(directory) != (3, 4.0):
            sys.exit("a checkpoint after the kill was not found")
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    save(CheckpointWriter(root / "left", background=True), 7, 7.0)
    raise KeyError("the training failed")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
