"""Checkpoints whose tensors lie on several processes are written in parts and load onto any number of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor

from core.training.checkpoint_sharded import network
from fivefold.errors import CheckpointError
from fivefold.training.saving.checkpoint import Checkpoint, load_tensors, newest_checkpoint, save_checkpoint
from fivefold.training.saving.pieces import PiecedTensors, describe_offsets
from fivefold.training.saving.sharded import load_sharded
from fivefold.training.saving.tensor_files import TensorFile, encode_tensors, write_file

HERE = Path(__file__).parent
FILES = ["losses", "model", "optimizer"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes left behind."""
    directory = tmp_path_factory.mktemp("sharded")
    save_checkpoint(directory / "whole", 1, whole_state(), {})
    script = HERE / "checkpoint_sharded.py"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node",
            "2",
            script,
            directory,
        ],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="module")
def found(root: Path) -> list[dict[str, Any]]:
    """What happened, by process and case."""
    values: list[dict[str, Any]] = json.loads((root / "found.json").read_text())
    assert len(values) == 2
    return values


def whole_state() -> dict[str, dict[str, Tensor]]:
    net = network()
    state = {}
    for name, parameter in net.named_parameters():
        state |= {
            f"{name}/exp_avg": parameter,
            f"{name}/exp_avg_sq": parameter,
            f"{name}/step": torch.ones(()),
        }
    return {"model": dict(net.state_dict()), "optimizer": state, "losses": {"sum": torch.tensor(0.5)}}


def newest(directory: Path) -> Checkpoint:
    checkpoint = newest_checkpoint(directory)
    assert checkpoint is not None
    return checkpoint


def test_the_same_number_of_processes_gets_back_what_it_saved(found: list[dict[str, Any]]) -> None:
    assert [process["save_and_load"]["same"] for process in found] == [[], []]


def test_tensors_may_be_cut_another_way_when_they_are_loaded(found: list[dict[str, Any]]) -> None:
    assert [process["save_and_load"]["across"] for process in found] == [[], []]


def test_what_one_process_saved_loads_onto_two(found: list[dict[str, Any]]) -> None:
    assert [process["save_and_load"]["whole"] for process in found] == [[], []]


def test_what_two_processes_saved_loads_onto_one(root: Path) -> None:
    checkpoint, expected = newest(root / "sharded"), load_tensors(root / "expected.safetensors")
    assert checkpoint.values() == {"step": 3}
    read = {f"{file}/{key}": value for file in FILES for key, value in checkpoint.tensors(file).items()}
    assert read.keys() == expected.keys()
    assert [key for key in read if not torch.equal(read[key], expected[key])] == []
    assert checkpoint.shapes("model") == {key: value.shape for key, value in network().state_dict().items()}
    filled = {
        file: {key: torch.zeros_like(v) for key, v in held.items()} for file, held in whole_state().items()
    }
    load_sharded(checkpoint, filled)
    assert [k for f in FILES for k, v in filled[f].items() if not torch.equal(v, expected[f"{f}/{k}"])] == []


def test_no_process_writes_the_tensors_of_another(root: Path) -> None:
    folder = newest(root / "sharded").path
    assert sorted(path.name for path in folder.iterdir()) == [
        "COMPLETE",
        "losses.safetensors",
        "model-00000-of-00002.safetensors",
        "model-00001-of-00002.safetensors",
        "optimizer-00000-of-00002.safetensors",
        "optimizer-00001-of-00002.safetensors",
        "state.json",
    ]
    first, second = (load_tensors(folder / f"model-0000{rank}-of-00002.safetensors") for rank in (0, 1))
    assert (first["0.weight"].shape, second["0.weight"].shape) == ((3, 5), (3, 5))
    assert (first["2.weight"].shape, second["2.weight"].shape) == ((2, 6), (1, 6))
    # Too small to divide, and the same in every process: written once.
    assert {"3.weight", "3.bias", "1.running_mean"} <= first.keys() - second.keys()
    marked = json.loads((folder / "COMPLETE").read_text())["files"]
    assert marked.keys() == {path.name for path in folder.iterdir()} - {"COMPLETE"}


def test_torch_reads_the_parts_too(root: Path, tmp_path: Path) -> None:
    # The reference: torch's reader of its own safetensors format, which knows no more than the files.
    for path in newest(root / "sharded").path.glob("model-*"):
        shutil.copy(path, tmp_path)
    read = {key: torch.zeros_like(value) for key, value in network().state_dict().items()}
    with pytest.warns(UserWarning, match="assuming the intent is to load in a single process"):
        dcp.load(read, storage_reader=dcp.HuggingFaceStorageReader(str(tmp_path)), no_dist=True)
    expected = load_tensors(root / "expected.safetensors")
    assert [key for key in read if not torch.equal(read[key], expected[f"model/{key}"])] == []


def test_copies_of_a_shard_are_written_once(root: Path, found: list[dict[str, Any]]) -> None:
    assert [process["copies"] for process in found] == [[], []]
    names = {path.name for path in newest(root / "copies").path.iterdir()}
    assert "model-00000-of-00002.safetensors" in names
    assert "model-00001-of-00002.safetensors" not in names


def test_in_the_background_as_it_was_when_it_was_asked_for(root: Path, found: list[dict[str, Any]]) -> None:
    for step in (1, 2, 3):
        path = root / "background" / f"step-0000000{step}"
        assert torch.equal(Checkpoint(path, step).tensors("model")["0.bias"], torch.full((6,), float(step)))
    # What runs before and after runs on the first process only.
    assert found[0]["beside"] == [["b", "a"] * 3, []]


def test_a_process_that_cannot_write_stops_all_of_them(root: Path, found: list[dict[str, Any]]) -> None:
    first, second = found[0]["full_disk"]["said"]
    assert first.startswith("CheckpointError: the checkpoint of step 4 could not be written to ")
    assert "process 1: File too large; free some space" in first
    assert second == "PeerError: another process of the training failed; its own message says why"
    assert [path.name for path in (root / "sharded").iterdir()] == ["step-00000003"]


def test_what_does_not_fit_is_refused(found: list[dict[str, Any]]) -> None:
    for process in found:
        shape, absent = process["refusals"]
        assert "0.weight in model has shape (6, 5), expected (6, 4); resume with the settings" in shape
        assert "has no absent in model; resume with the settings" in absent


@pytest.mark.parametrize("damage", ["delete", "truncate", "flip"])
@pytest.mark.parametrize("number", range(7))
def test_a_damaged_part_is_passed_over(
    root: Path, tmp_path: Path, damage: str, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(root / "sharded" / "step-00000003", tmp_path / "step-00000003")
    save_checkpoint(tmp_path, 2, whole_state(), {})
    path = sorted((tmp_path / "step-00000003").iterdir())[number]
    content = path.read_bytes()
    if damage == "delete":
        path.unlink()
    elif damage == "truncate":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 0x80]) + content[-8:])
    assert newest(tmp_path).step == 2
    assert "step-00000003" in caplog.text
    assert path.name in caplog.text


def test_parts_that_do_not_make_up_a_tensor_are_refused(tmp_path: Path) -> None:
    def write(rank: int, tensor: Tensor, offsets: list[int]) -> Path:
        path = tmp_path / f"model-0000{rank}-of-00002.safetensors"
        write_file(
            path, encode_tensors(TensorFile({"weight": tensor}, describe_offsets({"weight": offsets})))
        )
        return path

    first = write(0, torch.zeros(2, 3), [0, 0])
    for tensor, offsets in ((torch.ones(2, 3), [3, 0]), (torch.ones(2), [2])):
        with pytest.raises(
            CheckpointError, match=r"the parts of weight in model-00000.*, model-00001.* do not make"
        ):
            PiecedTensors([first, write(1, tensor, offsets)])
    for offsets in ([-2, 0], [2]):
        with pytest.raises(
            CheckpointError, match=r"model-00001.*could not be read as a part of a checkpoint"
        ):
            PiecedTensors([first, write(1, torch.ones(2, 3), offsets)])
    whole = PiecedTensors([first, write(1, torch.ones(2, 3), [2, 0])])
    assert whole.shapes == {"weight": (4, 3)}
    assert whole.read("weight", [1, 1], [2, 2]).tolist() == [[0, 0], [1, 1]]
    assert whole.read("weight", [1, 1], [0, 2]).shape == (0, 2)
