"""Nothing before a moment depends on anything after it: through reading, splitting, scaling, training and scores."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.dataset import Facts
from fivefold.training.inference import predict_outputs
from fivefold_finance.fraud.pipeline import Fraud
from plugins.finance.fraud_cases import config, fitted, payments, write_csv

CPU = torch.device("cpu")


def scores(pipeline: Fraud, task: Any, path: Path) -> dict[str, Any]:
    """Outputs for all transactions of a file, with the facts of the model's own training."""
    return predict_outputs(task, pipeline.samples(pipeline.read_inputs(path)), device=CPU)


@pytest.mark.parametrize("kind", ["mlp", "gru", "autoencoder"])
@settings(max_examples=10, deadline=None)
@given(cut=st.integers(10, 99), seed=st.integers(1, 100))
def test_the_future_changes_no_score_before_it(kind: str, cut: int, seed: int) -> None:
    rows = payments(100)
    with tempfile.TemporaryDirectory() as folder:
        whole = write_csv(Path(folder) / "whole.csv", rows)
        pipeline, task = fitted(whole, config(kind))
        truncated = write_csv(Path(folder) / "cut.csv", rows[:cut])
        later = [
            [row[0], *other[1:]] for row, other in zip(rows[cut:], payments(100, seed)[cut:], strict=True)
        ]
        altered = write_csv(Path(folder) / "altered.csv", [*rows[:cut], *later])
        before = scores(pipeline, task, whole)["probabilities"][:cut]
        for other in (truncated, altered):
            after = scores(pipeline, task, other)["probabilities"][:cut]
            np.testing.assert_allclose(after, before, atol=1e-6)


@pytest.mark.parametrize("kind", ["mlp", "gru"])
def test_what_comes_after_training_changes_neither_facts_nor_scalers_nor_weights(
    tmp_path: Path, kind: str
) -> None:
    rows = payments(100)
    later = [[row[0], *other[1:]] for row, other in zip(rows[60:], payments(100, 5)[60:], strict=True)]
    found = []
    for name, changed in (("a", rows), ("b", [*rows[:60], *later])):
        pipeline, task = fitted(write_csv(tmp_path / f"{name}.csv", changed), config(kind))
        splits = pipeline.split(pipeline.read(tmp_path / f"{name}.csv"))
        train = pipeline.samples(splits.train)
        batch = train.batch(torch.arange(len(train)))
        task.loss(batch, "main").value.backward()
        found.append((pipeline.facts, task.state_dict(), batch, [p.grad for p in task.parameters()]))
    (facts, state, batch, slopes), (other_facts, other_state, other_batch, other_slopes) = found
    assert {**facts, "unit": ""} == {**other_facts, "unit": ""}
    for name in state:
        torch.testing.assert_close(state[name], other_state[name], rtol=0, atol=0)
    for name in batch:
        torch.testing.assert_close(batch[name], other_batch[name], rtol=0, atol=0, equal_nan=True)
    for slope, other in zip(slopes, other_slopes, strict=True):
        torch.testing.assert_close(slope, other, rtol=0, atol=0)


def test_unseen_names_are_counted_and_share_one_code(tmp_path: Path) -> None:
    rows = payments(100)
    pipeline, task = fitted(write_csv(tmp_path / "a.csv", rows), config("gru"))
    assert isinstance(pipeline.facts, Facts)
    first, second = ([[*row[:4], name, row[5]] for row in rows] for name in ("never", "neither"))
    one, other = (write_csv(tmp_path / f"{name}.csv", some) for name, some in (("b", first), ("c", second)))
    np.testing.assert_array_equal(
        scores(pipeline, task, one)["probabilities"], scores(pipeline, task, other)["probabilities"]
    )
    samples = pipeline.samples(pipeline.read_inputs(one))
    assert samples.unseen == len(rows)  # type: ignore[attr-defined]  # of `TransactionSamples`


def test_a_column_without_a_frequent_name_is_told_at_training_and_not_counted_later(tmp_path: Path) -> None:
    rows = [[*row[:4], f"shop {number}", row[5]] for number, row in enumerate(payments(100))]
    pipeline, _ = fitted(write_csv(tmp_path / "a.csv", rows), config("gru"))
    assert isinstance(pipeline.facts, Facts)
    assert pipeline.facts.categories == {"shop": []}
    (told,) = [one for one in pipeline.cautions(pipeline.facts) if one.startswith("No name in 'shop'")]
    assert told.endswith(
        "occurs 3 times in training, so that nothing is learned there; --rare says how often is enough."
    )
    samples = pipeline.samples(pipeline.read_inputs(write_csv(tmp_path / "b.csv", rows)))
    assert samples.unseen == 0  # type: ignore[attr-defined]  # of `TransactionSamples`
