from __future__ import annotations

import errno
import json
import logging
import os
import re
from pathlib import Path

import pytest
import torch

from fivefold.errors import CheckpointError, TrainingError
from fivefold.training.saving.checkpoint import (
    Checkpoint,
    checkpoint_of_step,
    newest_checkpoint,
    prune_checkpoints,
    remove_unfinished,
    save_checkpoint,
    set_aside_later,
)
from fivefold.training.watching.records import MetricsLog


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


FILES = ["COMPLETE", "model.safetensors", "state.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["delete", "truncate", "flip", "empty", "folder"])
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
    if damage == "folder":
        path.unlink()
        path.mkdir()
    with caplog.at_level(logging.WARNING):
        found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 1
    assert "passed over the checkpoint" in caplog.text
    assert "step-00000002" in caplog.text
    assert re.search(FAULTS.get((name, damage), name), caplog.text)


FAULTS = {
    ("COMPLETE", "delete"): "COMPLETE is missing",
    ("COMPLETE", "empty"): "its marker COMPLETE cannot be read",
    ("model.safetensors", "delete"): "model.safetensors is missing",
    ("model.safetensors", "truncate"): r"model.safetensors has \d+ bytes, \d+ were written",
    ("state.json", "flip"): "state.json is not the file that was written: its SHA-256 differs",
    ("state.json", "folder"): r"state.json cannot be read \(Is a directory\)",
}


@pytest.mark.parametrize(
    "marker",
    [
        "[]",
        "{}",
        '{"format": 1, "files": {"a": 3}}',
        '{"format": 1, "files": []}',
        '{"format": 0, "files": {}}',
        '{"format": "1", "files": {}}',
        '{"format": 1, "files": {"a": {"bytes": 1}}}',
    ],
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
        CheckpointError,
        match=r"step-00000002 has checkpoint format 9, this fivefold reads format 1; "
        "resume it with the version that wrote it, or a later one",
    ):
        newest_checkpoint(tmp_path)


def test_a_newer_format_is_refused_also_where_the_rest_of_its_marker_is_another(tmp_path: Path) -> None:
    (save(tmp_path, 2).path / "COMPLETE").write_text(json.dumps({"format": 2, "parts": []}))
    with pytest.raises(CheckpointError, match="has checkpoint format 2"):
        newest_checkpoint(tmp_path)


def test_other_things_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "step-best").mkdir()
    (tmp_path / "step-12").mkdir()
    (tmp_path / "step-0000000x").mkdir()
    (tmp_path / ".writing-1-00000009").mkdir()
    (tmp_path / ".writing-1-00000010").write_text("a file")
    assert newest_checkpoint(tmp_path) is None
    save(tmp_path, 1)
    remove_unfinished(tmp_path)
    prune_checkpoints(tmp_path, keep=1)
    set_aside_later(tmp_path, 1)
    assert steps(tmp_path) == ["notes.txt", "step-00000001", "step-0000000x", "step-12", "step-best"]


def test_files_where_folders_are_expected(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "checkpoints").write_text("a file")
    assert newest_checkpoint(tmp_path / "checkpoints") is None
    with pytest.raises(CheckpointError, match=r"of step 1 could not be written .*; free some space or make"):
        save(tmp_path / "checkpoints", 1)
    save(tmp_path, 1)
    (tmp_path / "step-00000002").write_text("a file")
    (tmp_path / "step-00000002.old").write_text("a file")
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 1
    assert "step-00000002: it is not a directory" in caplog.text
    save(tmp_path, 2)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.step == 2
    assert [name for name in steps(tmp_path) if name.startswith("step")] == ["step-00000001", "step-00000002"]


def test_what_a_killed_process_of_the_same_number_left_is_no_obstacle(tmp_path: Path) -> None:
    # In a container every run may have the same process number.
    left = tmp_path / f".writing-{os.getpid()}-00000001"
    left.mkdir()
    (left / "model.safetensors").write_text("half")
    save(tmp_path, 1)
    assert steps(tmp_path) == ["step-00000001"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
@pytest.mark.parametrize("name", FILES)
def test_what_may_not_be_read_is_passed_over(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path, 1)
    (save(tmp_path, 2).path / name).chmod(0)
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 1
    assert re.search(rf"{name} cannot be read \(.*Permission denied", caplog.text)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_directory_that_may_not_be_listed(tmp_path: Path) -> None:
    save(tmp_path / "checkpoints", 1)
    (tmp_path / "checkpoints").chmod(0)
    try:
        with pytest.raises(
            CheckpointError,
            match="could not be searched for checkpoints: Permission denied; make it readable",
        ):
            newest_checkpoint(tmp_path / "checkpoints")
    finally:
        (tmp_path / "checkpoints").chmod(0o700)


def test_prune_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4, 5, 6):
        save(tmp_path, step)
    prune_checkpoints(tmp_path, keep=2, kept_steps={1, 3, 6, 99})
    assert steps(tmp_path) == ["step-00000001", "step-00000003", "step-00000005", "step-00000006"]
    assert checkpoint_of_step(tmp_path, 1) is not None
    assert checkpoint_of_step(tmp_path, 2) is None


def test_prune_counts_complete_checkpoints_only(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save(tmp_path, step)
    (tmp_path / "step-00000003" / "COMPLETE").unlink()
    (tmp_path / "step-99999999").write_text("a file")
    prune_checkpoints(tmp_path, keep=1)
    assert steps(tmp_path) == ["step-00000002", "step-99999999"]


def test_after_a_fall_back_damaged_ones_are_not_kept_in_place_of_new_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for step in (1, 2, 3):
        save(tmp_path, step)
    for step in (2, 3):
        (tmp_path / f"step-0000000{step}" / "state.json").unlink()
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert f"the newest whole checkpoint is {found.path}" in caplog.text
    set_aside_later(tmp_path, found.step)
    assert "step-00000003 is kept as step-00000003.damaged" in caplog.text
    save(tmp_path, 2, 5.0)
    prune_checkpoints(tmp_path, keep=1)
    assert steps(tmp_path) == ["step-00000002", "step-00000002.damaged", "step-00000003.damaged"]
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.tensors("model")["scalar"].item() == 5.0


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
    prune_checkpoints(tmp_path, keep=1)


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


def test_records_are_appended_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    log = MetricsLog(path, length=0)
    log.write({"step": 1, "loss": 0.5})
    log.sync()
    length = log.length
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
