"""A training whose newest checkpoint was damaged goes on from the one before, and ends the same, bit for bit."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from core.training.toys import Classifier, blobs, jitter, settings
from fivefold.data.dataset import Batch
from fivefold.errors import CheckpointError, Interrupted
from fivefold.training.sources import Augment
from fivefold.training.trainer import Trainer
from fivefold.training.watching.records import VARYING

FILES = [
    "COMPLETE",
    "ema.safetensors",
    "generators.safetensors",
    "losses.safetensors",
    "model.safetensors",
    "optimizer-main.safetensors",
    "state.json",
]
DAMAGES = ["delete", "truncate", "flip"]
NEWEST, BEFORE = "step-00000005", "step-00000003"


def trainer(directory: Path, augment: Augment = jitter) -> Trainer:
    torch.manual_seed(5)
    return Trainer(
        Classifier(dropout=0.3, norm=True),
        blobs(70),
        blobs(30, seed=1),
        config=settings(trainer={"log_every": 2, "accumulate": 2, "ema": 0.8}),
        device=torch.device("cpu"),
        directory=directory,
        augment=augment,
        progress=False,
        tensorboard=False,
    )


def records(directory: Path) -> list[dict[str, Any]]:
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key not in VARYING} for line in lines]


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "delete":
        path.unlink()
    elif how == "truncate":
        path.write_bytes(content[: len(content) // 2])
    else:
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 0x80]) + content[middle + 1 :])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trainer]:
    directory = tmp_path_factory.mktemp("uninterrupted")
    training = trainer(directory)
    training.fit()
    return directory, training


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of 9 steps that was stopped at its fifth, with a checkpoint of the third before."""

    def stopping(batch: Batch, generator: torch.Generator) -> Batch:
        calls.append(len(batch["input"]))
        if len(calls) == 9:  # two batches a step, five an epoch
            os.kill(os.getpid(), signal.SIGINT)
        return jitter(batch, generator)

    calls: list[int] = []
    directory = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(Interrupted, match="at step 5 of 9"):
        trainer(directory, stopping).fit()
    return directory


@pytest.fixture
def copy(interrupted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(interrupted, tmp_path / "run"))


def finishes_the_same(directory: Path, uninterrupted: tuple[Path, Trainer]) -> None:
    resumed = trainer(directory)
    assert resumed.fit(resume=True).steps == 9
    expected = uninterrupted[1].task.state_dict()
    found = resumed.task.state_dict()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    assert records(directory) == records(uninterrupted[0])


def test_every_file_is_damaged_below(interrupted: Path) -> None:
    checkpoints = interrupted / "checkpoints"
    assert sorted(path.name for path in checkpoints.iterdir()) == [BEFORE, NEWEST]
    assert sorted(path.name for path in (checkpoints / NEWEST).iterdir()) == FILES


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_goes_on_from_the_checkpoint_before(
    copy: Path, name: str, how: str, uninterrupted: tuple[Path, Trainer], caplog: pytest.LogCaptureFixture
) -> None:
    damage(copy / "checkpoints" / NEWEST / name, how)
    finishes_the_same(copy, uninterrupted)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert NEWEST in warnings[0]
    assert name in warnings[0]
    assert warnings[1] == f"the newest whole checkpoint is {copy / 'checkpoints' / BEFORE}"


def test_starts_anew_where_none_is_whole(
    copy: Path, uninterrupted: tuple[Path, Trainer], caplog: pytest.LogCaptureFixture
) -> None:
    damage(copy / "checkpoints" / NEWEST / "model.safetensors", "truncate")
    damage(copy / "checkpoints" / BEFORE / "COMPLETE", "delete")
    finishes_the_same(copy, uninterrupted)
    assert "no complete checkpoint to resume from; the training starts anew" in caplog.text


def test_what_else_lies_about_is_no_obstacle(copy: Path, uninterrupted: tuple[Path, Trainer]) -> None:
    checkpoints = copy / "checkpoints"
    (checkpoints / "step-99999999").write_text("a file")
    (checkpoints / "step-x").mkdir()
    (checkpoints / "notes.txt").write_text("mine")
    (checkpoints / ".writing-1-00000007").mkdir()
    (checkpoints / ".writing-1-00000007" / "model.safetensors").write_text("half")
    (checkpoints / "step-00000006.old").mkdir()
    (checkpoints / NEWEST / "notes.txt").write_text("mine too")
    finishes_the_same(copy, uninterrupted)
    assert (checkpoints / "notes.txt").read_text() == "mine"
    assert (checkpoints / "step-x").is_dir()
    assert not list(checkpoints.glob(".writing-*"))


def test_a_newer_format_is_not_trained_over(copy: Path) -> None:
    (copy / "checkpoints" / NEWEST / "COMPLETE").write_text(json.dumps({"format": 7}))
    with pytest.raises(CheckpointError, match=r"step-00000005 has checkpoint format 7.*or a later one"):
        trainer(copy).fit(resume=True)
