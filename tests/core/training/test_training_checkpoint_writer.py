"""Checkpoints are written beside the training, as everything was when they were asked for."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fivefold.errors import CheckpointError, TrainingError
from fivefold.training.saving.checkpoint import newest_checkpoint, save_checkpoint
from fivefold.training.saving.tensor_files import TensorFile
from fivefold.training.saving.writer import CheckpointWriter, take_snapshot

HERE = Path(__file__).parent


def state(value: float = 1.0) -> dict[str, dict[str, Tensor]]:
    weight = torch.full((4, 3), value)
    return {"model": {"weight": weight, "tied": weight, "column": weight[:, 0]}, "nothing": {}}


@pytest.mark.parametrize("background", [False, True])
def test_what_is_written_is_what_was_there(tmp_path: Path, background: bool) -> None:
    tensors, values = state(), {"list": [1]}
    going_on = threading.Event()
    if not background:
        going_on.set()
    with CheckpointWriter(tmp_path / "new", background=background) as writer:
        writer.save(5, tensors, values, before=going_on.wait)
        if background:
            assert newest_checkpoint(tmp_path / "new") is None
        tensors["model"]["weight"].fill_(9.0)
        values["list"].append(2)
        going_on.set()
        writer.wait()
        found = newest_checkpoint(tmp_path / "new")
        assert found is not None
        assert found.step == 5
        assert found.values() == {"list": [1]}
        assert found.tensors("model").keys() == {"weight", "tied", "column"}
        assert all((tensor == 1.0).all() for tensor in found.tensors("model").values())


def test_the_same_files_with_and_without_a_thread(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "function", 5, state(), {"a": 1})
    for background in (False, True):
        with CheckpointWriter(tmp_path / str(background), background=background) as writer:
            writer.save(5, state(), {"a": 1})
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / name / "step-00000005").iterdir()}
        for name in ("function", "False", "True")
    ]
    assert contents[0].keys() == {"model.safetensors", "state.json", "COMPLETE"}
    assert contents[0] == contents[1] == contents[2]


def test_one_at_a_time_and_in_order(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []

    def note(what: str, step: int) -> None:
        newest = newest_checkpoint(tmp_path)
        seen.append((what, step, None if newest is None else newest.step))

    with CheckpointWriter(tmp_path, background=True) as writer:
        for step in (1, 2, 3):
            writer.save(
                step,
                state(),
                {},
                before=lambda step=step: note("before", step),
                after=lambda step=step: note("after", step),
            )
    assert seen == [
        ("before", 1, None), ("after", 1, 1), ("before", 2, 1), ("after", 2, 2), ("before", 3, 2), ("after", 3, 3),
    ]  # fmt: skip


def test_what_runs_beside_runs_in_one_thread_of_its_own(tmp_path: Path) -> None:
    threads: list[threading.Thread] = []
    with CheckpointWriter(tmp_path, background=True) as writer:
        for step in (1, 2):
            writer.save(step, state(), {}, after=lambda: threads.append(threading.current_thread()))
    assert threads[0] is threads[1]
    assert threads[0] is not threading.main_thread()
    assert not threads[0].is_alive()
    with CheckpointWriter(tmp_path, background=False) as writer:
        writer.save(1, state(), {}, after=lambda: threads.append(threading.current_thread()))
    assert threads[2] is threading.main_thread()


@pytest.mark.parametrize("place", ["save", "wait", "close"])
def test_a_full_disk_is_told_at_the_next_occasion(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = CheckpointWriter(tmp_path, background=True)
    writer.save(1, state(), {})
    writer.wait()
    monkeypatch.setattr(os, "fsync", full)
    writer.save(2, state(), {})
    with pytest.raises(
        CheckpointError, match=r"of step 2 could not be written to .*: No space left on device"
    ):
        writer.save(3, state(), {}) if place == "save" else getattr(writer, place)()
    monkeypatch.setattr(os, "fsync", real)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    if place != "close":  # told once; the writer goes on
        writer.save(4, state(), {})
        writer.close()
        newest = newest_checkpoint(tmp_path)
        assert newest is not None
        assert newest.step == 4


def test_in_the_foreground_an_error_comes_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        CheckpointWriter(tmp_path / "file", background=False) as writer,
        pytest.raises(CheckpointError, match=r"of step 1 could not be written to .*file"),
    ):
        writer.save(1, state(), {})


def test_what_before_raises_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    def fail() -> None:
        raise TrainingError("metrics.jsonl could not be written")

    writer = CheckpointWriter(tmp_path, background=True)
    writer.save(1, state(), {}, before=fail)
    with pytest.raises(TrainingError, match=r"metrics.jsonl could not be written"):
        writer.close()
    assert newest_checkpoint(tmp_path) is None


def test_an_error_of_the_training_is_not_hidden_by_one_of_the_writing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")

    def train() -> None:
        with CheckpointWriter(tmp_path / "file", background=True) as writer:
            writer.save(1, state(), {})
            raise KeyError("of the training")

    with pytest.raises(KeyError, match="of the training"):
        train()
    assert "the checkpoint of step 1 could not be written" in caplog.text


def test_leaving_by_an_error_waits_for_what_is_being_written(tmp_path: Path) -> None:
    def train() -> None:
        with CheckpointWriter(tmp_path, background=True) as writer:
            writer.save(1, state(), {})
            raise KeyError("of the training")

    with pytest.raises(KeyError, match="of the training"):
        train()
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the processes that it kills")
def test_killed_while_writing_in_the_background(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, HERE / "checkpoint_killing.py", tmp_path],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "KeyError: 'the training failed'" in done.stderr
    whole, *killed = json.loads(done.stdout)
    assert whole == [2, 3.0]
    # Some kills struck before the first of the two writings was done, some in the second.
    assert {tuple(found) for found in killed} >= {(1, 1.0), (2, 2.0)}
    # The interpreter ended by an exception and nobody closed the writer: what was under way stands.
    left = newest_checkpoint(tmp_path / "left")
    assert left is not None
    assert left.step == 7
    assert [path.name for path in (tmp_path / "left").iterdir()] == ["step-00000007"]


def test_a_snapshot_is_contiguous_and_of_its_own(tmp_path: Path) -> None:
    base = torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    files = {"x": TensorFile({"base": base, "tied": base, "row": torch.rand(1).expand(5)}, {"a": "b"})}
    copies, events = take_snapshot(files)
    held = copies["x"].tensors
    assert events == []
    assert copies["x"].metadata == {"a": "b"}
    assert all(tensor.is_contiguous() and not tensor.requires_grad for tensor in held.values())
    assert len({tensor.data_ptr() for tensor in (base, *held.values())}) == 4
    assert all(torch.equal(held[name], tensor) for name, tensor in files["x"].tensors.items())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_what_cuda_computes_after_saving_is_not_in_the_checkpoint(tmp_path: Path) -> None:
    weight = torch.rand(64, 1024, 1024, device="cuda")
    images = torch.rand(2, 3, 8, 8, device="cuda").contiguous(memory_format=torch.channels_last)
    expected = {"weight": weight.cpu(), "images": images.cpu()}
    with CheckpointWriter(tmp_path, background=True) as writer:
        writer.save(1, {"model": {"weight": weight, "images": images}}, {})
        weight.zero_()
        images.zero_()
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert all(torch.equal(found.tensors("model")[name], tensor) for name, tensor in expected.items())
    copies, events = take_snapshot({"x": TensorFile({"weight": weight})})
    assert copies["x"].tensors["weight"].is_pinned()
    assert len(events) == 1
