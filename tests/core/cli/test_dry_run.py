"""What a dry run tells people and machines, of a pipeline as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fivefold.cli.dry_run import duration, show_dry_run
from fivefold.errors import DataError
from fivefold.workflow.finding import dry_run
from iris_pipeline import SPEC, Iris, registry, write_irises

# 4 to 16 to 3, with biases.
WEIGHTS = 4 * 16 + 16 + 16 * 3 + 3


def test_machines_get_one_object_and_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    source = write_irises(Path("irises.csv"))
    before = sorted(Path().rglob("*"))
    tried = dry_run(SPEC, str(source), Iris.Config(epochs=4), registry=registry())
    show_dry_run(tried, json=True)
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert captured.err == ""
    assert printed["parameters"] == WEIGHTS
    assert printed["memory"]["weights"] == 4 * WEIGHTS
    assert printed["memory"]["total"] == tried.cost.memory.total
    assert "saved-tensor hooks" in printed["memory"]["how_activations"]
    assert sum(printed["samples"].values()) == 150
    assert printed["steps"] == 4 * printed["steps_per_epoch"] == 4 * -(-printed["samples"]["train"] // 16)
    assert printed["outputs"]["logits"] == "(4, 3) float32"
    assert sorted(Path().rglob("*")) == before


def test_people_get_tables(capsys: pytest.CaptureFixture[str]) -> None:
    source = write_irises(Path("irises.csv"))
    show_dry_run(dry_run(SPEC, str(source), registry=registry()), json=False)
    captured = capsys.readouterr()
    assert captured.out == ""
    for words in (
        "optimizer state",
        "activations of a batch",
        f"{WEIGHTS}",
        "(4, 3) float32",
        "16 samples, 1 a step",
    ):
        assert words in captured.err
    assert "average of weights" not in captured.err
    assert "the same command without --dry-run trains" in captured.err


def test_an_automatic_batch_size_is_found() -> None:
    source = write_irises(Path("irises.csv"))
    # This pipeline's own settings allow numbers only; those of the core, auto too.
    config = Iris.Config().model_copy(update={"batch_size": "auto"})
    tried = dry_run(SPEC, str(source), config, registry=registry())
    assert tried.cost.batch_size in {2, 4, 8, 16, 32, 64}


def test_wrong_data_are_told() -> None:
    with pytest.raises(DataError, match="nowhere"):
        dry_run(SPEC, "nowhere.csv", registry=registry())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0032, "3.2 ms"), (0.456, "456 ms"), (41.2, "41 s"), (720, "12 min"), (9000, "2.5 h")],
)
def test_durations_are_read_at_a_glance(seconds: float, said: str) -> None:
    assert duration(seconds) == said
