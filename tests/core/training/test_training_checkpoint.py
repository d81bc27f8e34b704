from __future__ import annotations

import errno
import json
import logging
import os
from pathlib import Path

import pytest
import torch

from fivefold.errors import CheckpointError, TrainingError
from fivefold.training.checkpoint import (
    Checkpoint,
    checkpoint_of_step,
    load_tensors,
    newest_checkpoint,
    prune_checkpoints,
    remove_unfinished,
    save_checkpoint,
    save_tensors,
)
from fivefold.training.records import MetricsLog


def save(directory: Path, step: int, value: float = 1.0) -> Checkpoint:
    tensors = {"model": {"weight": torch.full((3,), value), "scalar": torch.tensor(value)}, "empty": {}}
    return save_checkpoint(directory, step, tensors, {"number": 0.1 + 0.2, "words": [2**62, None, "é"]})


def steps(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_round_trip(tmp_path: Path) -> None:
    saved = save(tmp_path / "new", 12)
    found = newest_checkpoint(tmp_path / "new")
    assert found == saved
    assert saved.path.name == "step-00000012"
    assert sorted(path.name for path in saved.path.iterdir()) == [
        "COMPLETE",
        "model.safetensors",
        "state.json",
    ]
    assert saved.values() == {"number": 0.1 + 0.2, "words": [2**62, None, "é"]}
    model = saved.tensors("model")
    assert torch.equal(model["weight"], torch.ones(3))
    assert model["scalar"].shape == ()
    assert saved.tensors("empty") == {}


def test_nothing_there(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "none") is None
    assert newest_checkpoint(tmp_path) is None


def test_tensors_bit_for_bit_whatever_their_layout(tmp_path: Path) -> None:
    shared = torch.rand(4, 4)
    tensors = {
        "transposed": shared.T,
        "view": shared[1:],
        "tied": shared,
        "expanded": torch.rand(1).expand(5),
        "last": torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
        "odd": torch.tensor([torch.nan, torch.inf, -0.0]),
        "bfloat16": torch.rand(3).bfloat16(),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "parameter": torch.nn.Parameter(torch.rand(2)),
    }
    save_tensors(tmp_path / "x.safetensors", tensors)
    read = load_tensors(tmp_path / "x.safetensors")
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype
        torch.testing.assert_close(read[name], tensor.detach(), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all"])
def test_broken_tensors(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x.safetensors could not be read as safetensors"):
        load_tensors(path)


FILES = ["COMPLETE", "model.safetensors", "state.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["delete", "truncate", "flip", "empty"])
def test_a_damaged_checkpoint_is_passed_over(
    tmp_path: Path, name: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path, 1)
    path = save(tmp_path, 2).path / name
    content = path.read_bytes()
    if damage == "delete":
        path.unlink()
    elif damage == "truncate":
        path.write_bytes(content[:-5])
    elif damage == "flip":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 0x80]) + content[middle + 1 :])
    else:
        path.write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 1
    assert "passed over the checkpoint" in caplog.text
    assert "step-00000002" in caplog.text
    assert name in caplog.text


@pytest.mark.parametrize(
    "marker", ["[]", "{}", '{"format": 1, "files": {"a": 3}}', '{"format": 1, "files": []}']
)
def test_a_strange_marker_is_passed_over(
    tmp_path: Path, marker: str, caplog: pytest.LogCaptureFixture
) -> None:
    (save(tmp_path, 2).path / "COMPLETE").write_text(marker)
    with caplog.at_level(logging.WARNING):
        assert newest_checkpoint(tmp_path) is None
    assert "passed over" in caplog.text


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (save(tmp_path, 2).path / "COMPLETE").write_text(json.dumps({"format": 9, "files": {}}))
    with pytest.raises(
        CheckpointError, match=r"step-00000002 has checkpoint format 9, this fivefold reads format 1"
    ):
        newest_checkpoint(tmp_path)


def test_other_things_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "step-best").mkdir()
    (tmp_path / ".writing-1-00000009").mkdir()
    assert newest_checkpoint(tmp_path) is None
    save(tmp_path, 1)
    remove_unfinished(tmp_path)
    prune_checkpoints(tmp_path, keep=1, best_step=None)
    assert steps(tmp_path) == ["notes.txt", "step-00000001", "step-best"]


def test_prune_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4, 5):
        save(tmp_path, step)
    prune_checkpoints(tmp_path, keep=2, best_step=1)
    assert steps(tmp_path) == ["step-00000001", "step-00000004", "step-00000005"]
    assert checkpoint_of_step(tmp_path, 1) is not None
    assert checkpoint_of_step(tmp_path, 2) is None


def test_the_same_step_is_replaced(tmp_path: Path) -> None:
    save(tmp_path, 1, 1.0)
    saved = save(tmp_path, 1, 2.0)
    assert steps(tmp_path) == ["step-00000001"]
    assert saved.tensors("model")["scalar"].item() == 2.0


def test_a_replacement_cut_short_leaves_the_old_one(tmp_path: Path) -> None:
    # As the disk looks when the machine stops between the two renames of a replacement.
    saved = save(tmp_path, 3)
    saved.path.rename(tmp_path / "step-00000003.old")
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert (found.step, found.path.name) == (3, "step-00000003.old")
    save(tmp_path, 3, 2.0)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.tensors("model")["scalar"].item() == 2.0
    prune_checkpoints(tmp_path, keep=1, best_step=None)


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)
    real, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        CheckpointError, match=r"checkpoint of step 2 could not be written to .*: No space left on device; "
    ):
        save(tmp_path, 2)
    assert steps(tmp_path) == ["step-00000001"]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"x.safetensors could not be written: No such file"):
        save_tensors(tmp_path / "absent" / "x.safetensors", {})


def test_records_are_appended_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    log = MetricsLog(path, length=0)
    log.write({"step": 1, "loss": 0.5})
    length = log.sync()
    log.write({"step": 2, "loss": float("nan"), "other": float("inf"), "split": "träin"})
    log.close()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"step": 1, "loss": 0.5},
        {"step": 2, "loss": None, "other": None, "split": "träin"},
    ]
    again = MetricsLog(path, length=length)
    again.write({"step": 2})
    again.close()
    assert path.read_text() == '{"step": 1, "loss": 0.5}\n{"step": 2}\n'
    MetricsLog(path, length=10**9).close()
    assert len(path.read_text().splitlines()) == 2


def test_records_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"metrics.jsonl could not be written: .*free some space"):
        MetricsLog(tmp_path / "file" / "metrics.jsonl", length=0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, the device that is always full")
def test_records_on_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    log = MetricsLog(tmp_path / "metrics.jsonl", length=0)
    with pytest.raises(TrainingError, match=r"could not be written: No space left on device; free"):
        log.write({"step": 1})
    with pytest.raises(TrainingError, match=r"metrics.jsonl could not be written: "):
        log.sync()
    log.close()
