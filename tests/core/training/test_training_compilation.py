from __future__ import annotations

import copy
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.training.compiling import FLOAT32, Tower, gradients
from core.training.toys import Classifier, Gan, blobs
from fivefold.config import TrainerConfig
from fivefold.data.dataset import Batch
from fivefold.errors import ConfigError
from fivefold.training.speed.activations import checkpoint_activations
from fivefold.training.speed.compilation import compile_mode, compile_regions, compile_task, compiling_ended
from fivefold.training.speed.precision import Precision
from fivefold.training.speed.rehearsal import forward_backward

CPU, CUDA = torch.device("cpu"), torch.device("cuda")

# torch's compiler warns of its own ways.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute")


class Counting:
    """A compiler that changes nothing and counts what it is given."""

    def __init__(self) -> None:
        self.graphs = 0

    def __call__(self, graph: torch.fx.GraphModule, inputs: Any) -> Any:
        self.graphs += 1
        return graph.forward


def refusing(graph: torch.fx.GraphModule, inputs: Any) -> Any:
    raise RuntimeError("no kernel for this\nand a long story")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    torch.compiler.reset()


@pytest.fixture
def batch() -> Batch:
    return blobs(12).tensors() or {}


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("fivefold")]


def test_blocks_are_compiled_in_place_once_for_all(batch: Batch) -> None:
    torch.manual_seed(0)
    task, counting = Tower(), Counting()
    eager = copy.deepcopy(task)
    assert compile_task(task, [batch], FLOAT32, "default", backend=counting) == [
        "blocks.0",
        "blocks.1",
        "blocks.2",
    ]
    # The second block sees inputs that need a gradient, the first does not; the third is as the second.
    assert counting.graphs == 2
    assert list(task.state_dict()) == list(eager.state_dict())
    for one, other in zip(gradients(task, batch), gradients(eager, batch), strict=True):
        torch.testing.assert_close(one, other)
    for one, other in zip(task.buffers(), eager.buffers(), strict=True):
        torch.testing.assert_close(one, other)
    assert counting.graphs == 2, "what the rehearsal compiled serves the task"


def test_the_rehearsal_leaves_no_trace(batch: Batch) -> None:
    task = Tower().eval()
    before = copy.deepcopy(task.state_dict())
    torch.manual_seed(5)
    compile_task(task, [batch], FLOAT32, "default", backend="eager")
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items())
    assert not task.training
    assert all(value.grad is None for value in task.parameters())


def test_where_nothing_repeats_the_networks_are_compiled(batch: Batch) -> None:
    counting = Counting()
    task = Classifier()
    assert compile_regions(task, backend=counting) == ["network"]
    forward_backward(task, batch, FLOAT32)
    assert counting.graphs == 1


def test_what_was_not_rehearsed_runs_eagerly(batch: Batch) -> None:
    task, counting = Tower(), Counting()
    regions = compile_task(task, [batch], FLOAT32, "default", backend=counting)
    compiled = counting.graphs
    smaller = {name: tensor[:5] for name, tensor in batch.items()}
    with compiling_ended(regions):
        forward_backward(task, smaller, FLOAT32)
        with torch.no_grad():
            task.eval().loss(batch, "main")
    assert counting.graphs == compiled
    forward_backward(task.train(), smaller, FLOAT32)
    assert counting.graphs > compiled
    with compiling_ended([]):
        pass


def test_two_shapes_in_the_rehearsal_let_sizes_vary(batch: Batch) -> None:
    task, counting = Tower(), Counting()
    batches = [{name: tensor[:size] for name, tensor in batch.items()} for size in (12, 7, 5)]
    regions = compile_task(task, batches[:2], FLOAT32, "default", backend=counting)
    compiled = counting.graphs
    with torch.compiler.set_stance("fail_on_recompile"):
        forward_backward(task, batches[2], FLOAT32)
    assert regions
    assert counting.graphs == compiled


def test_a_loss_that_differentiates_twice_stays_eager(batch: Batch, caplog: pytest.LogCaptureFixture) -> None:
    task = Gan()
    with caplog.at_level(logging.WARNING):
        assert compile_task(task, [batch], FLOAT32, "default", backend="aot_eager") == []
    (record,) = ours(caplog)
    assert "not compiled" in record.message
    assert "double backward" in record.message
    forward_backward(task, batch, FLOAT32)


def test_a_compiler_that_fails_leaves_the_training_eager(
    batch: Batch, caplog: pytest.LogCaptureFixture
) -> None:
    task = Tower()
    with caplog.at_level(logging.WARNING):
        assert compile_task(task, [batch], FLOAT32, "default", backend=refusing) == []
    (record,) = ours(caplog)
    assert "no kernel for this" in record.message
    assert "\n" not in record.message
    forward_backward(task, batch, FLOAT32)


def test_recomputed_blocks_are_compiled_unless_they_have_buffers(batch: Batch) -> None:
    torch.manual_seed(0)
    task = Tower(nn.LayerNorm)
    eager = copy.deepcopy(task)
    checkpoint_activations(task)
    assert len(compile_task(task, [batch], FLOAT32, "default", backend="aot_eager")) == 3
    for one, other in zip(gradients(task, batch), gradients(eager, batch), strict=True):
        torch.testing.assert_close(one, other)
    task = Tower()
    checkpoint_activations(task)
    assert compile_task(task, [batch], FLOAT32, "default", backend="aot_eager") == []
    forward_backward(task, batch, FLOAT32)


@pytest.mark.parametrize(
    ("settings", "device", "steps", "mode"),
    [
        ({}, CPU, 10_000, None),
        ({"compile": "on"}, CPU, 10, "default"),
        ({}, CUDA, 100, None),
        ({}, CUDA, 2_000, "reduce-overhead"),
        ({"graphs": "off"}, CUDA, 2_000, "default"),
        ({"accumulate": 2}, CUDA, 2_000, "default"),
        ({"compile": "off"}, CUDA, 2_000, None),
        ({"compile": "on"}, CUDA, 10, "reduce-overhead"),
        ({"graphs": "on"}, CUDA, 10, "reduce-overhead"),
    ],
)
def test_mode(
    settings: dict[str, Any], device: torch.device, steps: int, mode: str | None, batch: Batch
) -> None:
    assert compile_mode(TrainerConfig(**settings), device, steps=steps, batches=[batch, batch]) == mode


def test_no_graphs_where_shapes_vary(batch: Batch) -> None:
    batches = [batch, {name: tensor[:5] for name, tensor in batch.items()}]
    assert compile_mode(TrainerConfig(), CUDA, steps=5_000, batches=batches) == "default"


@pytest.mark.parametrize(
    ("settings", "device", "message"),
    [
        ({}, CPU, "the device is cpu"),
        ({"compile": "off"}, CUDA, "trainer.compile is off"),
        ({"accumulate": 2}, CUDA, "trainer.accumulate is 2"),
    ],
)
def test_graphs_that_cannot_be_are_refused(
    settings: dict[str, Any], device: torch.device, message: str, batch: Batch
) -> None:
    with pytest.raises(ConfigError, match=f"trainer.graphs is on, and {message}"):
        compile_mode(TrainerConfig(graphs="on", **settings), device, steps=10, batches=[batch])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_by_inductor() -> None:
    # In a process of its own: it imports setuptools, which wants to come before all that imports distutils.
    done = subprocess.run(
        [sys.executable, "-c", "from core.training import compiling; compiling.main()"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "is not compiled" not in done.stderr


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_compiled_with_graphs(batch: Batch) -> None:
    torch.manual_seed(0)
    task = Tower().cuda()
    task.dropout.p = 0.0
    eager = copy.deepcopy(task)
    moved = {name: tensor.cuda() for name, tensor in batch.items()}
    regions = compile_task(task, [moved], Precision(torch.float32, "cuda"), "reduce-overhead")
    assert len(regions) == 3
    with compiling_ended(regions):
        for _ in range(4):
            for one, other in zip(gradients(task, moved), gradients(eager, moved), strict=True):
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
