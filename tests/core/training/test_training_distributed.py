"""Two processes train as one would: losses, samples, evaluation, weights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core.training import together
from core.training.toys import Weighted, blobs
from fivefold.errors import CheckpointError
from fivefold.training.processes.group import ALONE
from fivefold.training.sampler import Sampler
from fivefold.training.saving.checkpoint import load_tensors

TESTS = Path(__file__).parents[2]


def torchrun(script: str, *words: str, count: int = 2) -> subprocess.CompletedProcess[str]:
    """Run a script of this folder in ``count`` processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, str(Path(__file__).with_name(script)), *words],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which two processes left what came out of every case."""
    folder = tmp_path_factory.mktemp("two")
    for kind in ("copies", "shards"):
        together.training(kind, folder / f"one-then-two-{kind}", ALONE, batch_size=16).fit()
    done = torchrun("together.py", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def found(two: Path) -> dict[str, Any]:
    contents: dict[str, Any] = json.loads((two / "found.json").read_text())
    return contents


@pytest.fixture(scope="module")
def big_batch() -> Iterator[dict[str, Tensor]]:
    return dict(together.one_step(ALONE, batch_size=64, accumulate=1).state_dict())


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=tolerance, atol=tolerance, msg=name)


def test_accumulated_batches_give_the_gradient_of_the_big_one(big_batch: dict[str, Tensor]) -> None:
    assert_close(dict(together.one_step(ALONE, batch_size=16, accumulate=4).state_dict()), big_batch, 1e-6)


@pytest.mark.parametrize(
    ("name", "tolerance"), [("gradient", 1e-6), ("fsdp", 1e-6), ("hsdp", 1e-6), ("compressed", 2e-2)]
)
def test_two_processes_give_the_gradient_of_the_big_batch(
    two: Path, big_batch: dict[str, Tensor], name: str, tolerance: float
) -> None:
    assert_close(load_tensors(two / f"{name}.safetensors"), big_batch, tolerance)


def test_the_toy_would_show_a_loss_weighted_wrongly(big_batch: dict[str, Tensor]) -> None:
    """Its batches differ in weight: the mean of their means has another gradient."""
    torch.manual_seed(3)
    task, data = Weighted(), blobs(64)
    batches = [data.batch(indices) for indices in Sampler(64, 16, seed=0).batches(0)]
    torch.stack([task.loss(batch, "main").value for batch in batches]).mean().backward()
    wrong = task.network[0].weight - task.network[0].weight.grad
    assert not torch.allclose(wrong, big_batch["network.0.weight"], atol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 65])
def test_evaluation_counts_every_sample_once(found: dict[str, Any], size: int) -> None:
    assert found["outputs"][str(size)] == blobs(size).batch(torch.arange(size))["target"].tolist()


def test_processes_share_an_epoch_without_duplicates(found: dict[str, Any]) -> None:
    seen, sizes = found["samples"]["seen"], found["samples"]["sizes"]
    assert sorted(index for batches in seen for batch in batches for index in batch) == list(range(101))
    assert [len(first) + len(second) for first, second in zip(*seen, strict=True)] == sizes
    assert all(abs(len(first) - len(second)) <= 1 for first, second in zip(*seen, strict=True))


@pytest.mark.parametrize("kind", ["supervised", "gan"])
def test_all_processes_end_with_equal_weights(found: dict[str, Any], kind: str) -> None:
    assert found["whole_training"][kind]["equal"]
    assert found["whole_training"][kind]["steps"] > 0


@pytest.fixture(scope="module")
def one_throughout(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The weights after three epochs in one process."""
    trainer = together.training("copies", tmp_path_factory.mktemp("one"), ALONE, batch_size=16, epochs=3)
    trainer.fit()
    return dict(trainer.task.state_dict())


@pytest.mark.parametrize("kind", ["copies", "shards"])
def test_one_process_becomes_two(two: Path, one_throughout: dict[str, Tensor], kind: str) -> None:
    assert_close(load_tensors(two / f"one-then-two-{kind}.safetensors"), one_throughout, 1e-4)


@pytest.mark.parametrize("kind", ["copies", "shards"])
def test_two_processes_become_one(
    two: Path, one_throughout: dict[str, Tensor], kind: str, tmp_path: Path
) -> None:
    begun = Path(shutil.copytree(two / f"two-{kind}", tmp_path / "begun"))
    trainer = together.training("copies", begun, ALONE, batch_size=16, epochs=3)
    trainer.fit(resume=True)
    assert_close(dict(trainer.task.state_dict()), one_throughout, 1e-4)


def test_another_number_of_samples_an_update_is_refused(two: Path, tmp_path: Path) -> None:
    begun = Path(shutil.copytree(two / "two-copies", tmp_path / "begun"))
    with pytest.raises(CheckpointError, match=r"32 samples an update in 2 process\(es\), now it would be 16"):
        together.training("copies", begun, ALONE, epochs=3).fit(resume=True)


def test_what_does_not_fit_is_refused_in_a_sentence(found: dict[str, Any]) -> None:
    first, second = found["refusals"]
    assert "trainer.compression is for ddp" in first[0]
    assert "torch has for CUDA devices only" in first[1]
    assert "trains tasks of one phase, and Gan has 2" in first[2]
    assert "some parameters got no gradient in a step" in first[3]
    assert (first[4], second[4]) == ("first", "peer 1")
