"""``train --devices N`` and torchrun, as a user calls them: two processes, one run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fivefold.runs import Run
from stub_plugins import needs

pytestmark = needs("vision")

WORDS = [
    "vision",
    "classify",
    "train",
    "fashion-sample",
    "--trainer.checkpoint-every",
    "1",
    "--device",
    "cpu",
]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def start(words: list[str]) -> subprocess.Popen[str]:
    """Start python with ``words``, in a session of its own so that it can be signalled with its children."""
    return subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip


def wait_for_checkpoints(process: subprocess.Popen[str], folder: Path, count: int) -> None:
    seen: set[str] = set()
    while len(seen) < count:
        if process.poll() is not None:
            pytest.fail(f"ended too early: {process.communicate()[1]}")
        seen |= {path.name for path in folder.glob("step-*")}
        time.sleep(0.02)


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes that ``process`` started."""
    found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_two_processes_make_one_run_and_go_on_after_ctrl_c(tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["-m", "fivefold", *WORDS, "--epochs", "4", "--out", str(out), "--devices", "2"]
    process = start(words)
    wait_for_checkpoints(process, out / "checkpoints", 3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the launcher and all processes
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130, said
    assert said.count("go on with the same command and --resume") == 1
    assert Run.open(out).status == "interrupted"
    process = start([*words, "--resume", "--json"])
    printed, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert json.loads(printed)["info"]["processes"] == 2
    assert "from step" in said
    assert said.count("Training ") == 1
    run = Run.open(out)
    assert run.status == "complete"
    assert run.info["training"]["steps"] == 4 * 5  # 540 samples, 2 x 64 a step


def test_an_error_is_said_once(tmp_path: Path) -> None:
    source = tmp_path / "photos"
    source.mkdir()
    words = [
        "-m",
        "fivefold",
        "vision",
        "classify",
        "train",
        str(source),
        "--devices",
        "2",
        "--device",
        "cpu",
    ]
    process = start(words)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 2
    assert said.count("error: ") == 1
    assert "Traceback" not in said


def test_torchrun_restarts_from_the_last_checkpoint(tmp_path: Path) -> None:
    out = tmp_path / "run"
    fivefold = ["-m", "fivefold", *WORDS, "--epochs", "6", "--out", str(out)]
    process = start([*TORCHRUN, "--max-restarts=1", *fivefold])
    wait_for_checkpoints(process, out / "checkpoints", 4)
    os.kill(max(children(process)), signal.SIGKILL)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert ", from step" in said
    assert Run.open(out).status == "complete"
