"""Every registered pipeline overfits one batch, resumes bit for bit, and survives bad input.

Pipelines are found through the registry, so that a new one is tested the day it is registered.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from fivefold.cli.main import main
from fivefold.plugins.registry import load_registry
from fivefold.plugins.spec import PipelineSpec
from fivefold.workflow import prepare

SPECS = [spec for spec, _ in load_registry().pipelines.values()]
pytestmark = pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])


def command(spec: PipelineSpec, *words: str) -> list[str]:
    return [*spec.name.split("/"), *words]


def test_one_batch_is_learned_by_heart(spec: PipelineSpec) -> None:
    registry = load_registry()
    pipeline = registry.pipeline_class(spec.name)()
    prepared = prepare(pipeline, spec.example, registry)
    torch.manual_seed(0)
    task = pipeline.task(prepared.facts)
    task.prepare(prepared.train)
    # From everywhere: neighbours in a table may look alike and differ in what comes of them.
    batch = prepared.train.batch(torch.linspace(0, len(prepared.train) - 1, 16).long())
    # Of networks that train against each other, the first alone: beside the other it has nothing to settle at.
    phase = task.phases()[0]
    parameters = [weight for name in phase.modules for weight in task.get_submodule(name).parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3)
    task.train()
    first = last = task.loss(batch, phase.name).value.item()
    for _ in range(800):
        optimizer.zero_grad()
        loss = task.loss(batch, phase.name).value
        loss.backward()
        optimizer.step()
        last = loss.item()
        if last < 0.1 * first:
            break
    assert last < 0.1 * first


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As many threads here as in the processes started: other numbers give other last bits."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_killed_training_resumes_bit_for_bit(spec: PipelineSpec, tmp_path: Path) -> None:
    # Small batches, so that the smallest example has steps enough for five checkpoints.
    options = ["--epochs", "2", "--batch-size", "16", "--trainer.checkpoint-every", "5", "--device", "cpu"]
    whole = tmp_path / "whole"
    assert main(command(spec, "train", spec.example, *options, "--out", str(whole))) == 0
    killed = tmp_path / "killed"
    words = command(spec, "train", spec.example, *options, "--out", str(killed))
    kill_after_checkpoints(words, killed / "checkpoints", random.Random(spec.name).randint(1, 4))
    assert not (killed / "model.safetensors").exists()
    assert main([*words, "--resume"]) == 0
    assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert (killed / "report.html").is_file()


def kill_after_checkpoints(words: list[str], checkpoints: Path, count: int) -> None:
    """Start ``fivefold`` with ``words`` and kill it, without warning, after its ``count``-th checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fivefold", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    seen: set[str] = set()
    while len(seen) < count:
        if process.poll() is not None:
            pytest.fail(f"ended before it could be killed: {process.communicate()[1].decode()}")
        if checkpoints.is_dir():
            seen |= {path.name for path in checkpoints.glob("step-*")}
        time.sleep(0.005)
    process.kill()
    process.communicate()


@pytest.mark.parametrize("kind", ["absent", "empty folder", "text file", "empty file"])
def test_bad_input_is_one_sentence_and_writes_nothing(
    spec: PipelineSpec, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    if kind == "empty folder":
        source.mkdir()
    elif kind == "text file":
        source.write_text("this is no data set\n")
    elif kind == "empty file":
        source.touch()
    before = set(tmp_path.iterdir())
    assert main(command(spec, "train", str(source), "--out", str(tmp_path / "run"))) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert said.startswith("error: ")
    assert "source" in said
    assert set(tmp_path.iterdir()) == before
