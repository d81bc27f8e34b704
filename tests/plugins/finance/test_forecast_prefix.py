"""Prefix invariance: whatever happens later, or never does, nothing before it moves.

From the file over origins, splits, facts, scales and training samples to a forecast: a history that is cut off, or goes
on in another way, gives the same up to there, bit for bit.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.dataset import Batch, Dataset
from fivefold.tasks.base import Task
from fivefold.training.inference import predict_outputs
from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.forecast.data import Origins
from fivefold_finance.forecast.origins import window_keys
from fivefold_finance.forecast.pipeline import Forecast
from fivefold_finance.forecast.reading import last_origins_of, origins_of
from fivefold_finance.series.schema import Series
from plugins.finance.forecast_cases import before, config, series, sessions, together, walk, write_csv

LENGTH, CUT = 120, 100
"""Bars of a history, and of the part that must not move."""
SPLIT = {"dates": ("2020-03-01", "2020-03-25")}  # bars 60 and 84 of days


def learned(pipeline: Forecast, found: Any) -> tuple[Origins, Origins, Task]:
    """Training and test samples, and the task as it stands before its first step."""
    splits = pipeline.split(found.table)
    train = pipeline.samples(splits.train)
    pipeline.facts = train.facts
    test = pipeline.samples(splits.test)
    torch.manual_seed(0)
    task = pipeline.task(train.facts)
    task.prepare(train)
    assert isinstance(train, Origins)
    assert isinstance(test, Origins)
    return train, test, task.eval()


def outcomes(some: tuple[Series, ...], chosen: ForecastConfig) -> tuple[Origins, Origins, Task]:
    return learned(Forecast(chosen), origins_of(together(*some), chosen, None))


def same_batches(one: Dataset, other: Dataset, rows: np.ndarray, others: np.ndarray) -> None:
    """Samples are equal, bit for bit, target and all."""
    here: Batch = one.batch(torch.from_numpy(rows))
    there: Batch = other.batch(torch.from_numpy(others))
    assert here.keys() == there.keys()
    for name, tensor in here.items():
        assert torch.equal(tensor, there[name]), name


def altered(one: Series, at: int, how: str, generator: np.random.Generator) -> Series:
    """``one`` with another history from bar ``at`` on."""
    length = len(one)
    if how == "cut":
        return before(one, at)
    kept = np.ones(length, dtype=bool)
    columns = {name: values.copy() for name, values in one.columns.items()}
    for values in columns.values():
        if how == "scaled":
            values[at:] *= 1000
        elif how == "missing":
            values[at:] = np.nan
        else:
            values[at:] = generator.uniform(0.5, 500, length - at)
    if how == "thinned":
        kept[at:] = generator.random(length - at) < 0.5
    return replace(
        one,
        times=one.times[kept],
        columns={name: values[kept] for name, values in columns.items()},
        rows=one.rows[kept],
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    how=st.sampled_from(["cut", "scaled", "missing", "other", "thinned"]),
    mode=st.sampled_from(["levels", "returns"]),
    kind=st.sampled_from(["dlinear", "gru"]),
    several=st.booleans(),
    holes=st.integers(0, 4),
)
def test_the_future_moves_nothing_before_it(
    seed: int, how: str, mode: str, kind: str, several: bool, holes: int
) -> None:
    generator = np.random.default_rng(seed)
    columns = {"value": walk(LENGTH, seed), "other": walk(LENGTH, seed + 1)}
    columns["value"][generator.integers(5, LENGTH, holes)] = np.nan
    whole = [
        series(columns, "x"),
        *([series({k: v * 3 for k, v in columns.items()}, "y")] if several else []),
    ]
    chosen = config(
        split=SPLIT, target_as=mode, model={"kind": kind}, calendar=("weekday", "month"), by_symbol=several,
        targets=("value",), covariates=("other",),
    )  # fmt: skip
    train, test, task = outcomes(tuple(whole), chosen)
    changed = [altered(one, CUT, how, np.random.default_rng(seed + 2)) for one in whole]
    train_2, test_2, task_2 = outcomes(tuple(changed), chosen)

    assert {**train.facts, "doubts": 0} == {**train_2.facts, "doubts": 0}
    assert train.ids.tolist() == train_2.ids.tolist()
    everything = np.arange(len(train))
    same_batches(train, train_2, everything, everything)
    assert window_keys(train.table).exact.tolist() == window_keys(train_2.table).exact.tolist()
    for name, tensor in task.state_dict().items():
        assert torch.equal(tensor.nan_to_num(), task_2.state_dict()[name].nan_to_num()), name

    limit = whole[0].times[CUT - 1]
    early, early_2 = (np.flatnonzero(one.table["last"] <= limit) for one in (test, test_2))
    assert len(early)
    assert test.ids[early].tolist() == test_2.ids[early_2].tolist()
    same_batches(test, test_2, early, early_2)
    here, there = (
        predict_outputs(of, one, device=torch.device("cpu")) for of, one in ((task, test), (task_2, test_2))
    )
    for name in ("prediction", "target", "last", "naive_error", "time"):
        # Products of other sizes may round otherwise; whole batches of one size would be equal.
        np.testing.assert_allclose(
            here[name][early], there[name][early_2], rtol=2e-6, atol=1e-7, err_msg=name
        )


def test_nor_do_later_bars_decide_the_step() -> None:
    """Days that go on as hours are days up to there: their steps are no gaps, and their season is a week."""
    days = np.datetime64("2020-01-01", "ns") + np.arange(60) * np.timedelta64(1, "D")
    hours = days[-1] + np.arange(1, 200) * np.timedelta64(1, "h")
    whole = series(walk(259), times=np.concatenate([days, hours]))
    chosen = config()
    found = [origins_of(together(one), chosen, None).table for one in (whole, before(whole, 60))]
    early = found[0]["last"] <= days[-1]
    assert found[0].ids[early].tolist() == found[1].ids.tolist()
    facts = [Forecast(chosen).samples(one.take(np.arange(30))).facts for one in found]
    assert facts[0] == facts[1]
    assert facts[0].season == 7


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), end=st.integers(40, 119), mode=st.sampled_from(["levels", "returns"]))
def test_a_forecast_from_the_last_bar_is_the_one_made_in_hindsight(seed: int, end: int, mode: str) -> None:
    """What `predict` sees of a series that ends there is the window of the origin in the whole history."""
    whole = series({"close": walk(LENGTH, seed)}, "x")
    chosen = config(target_as=mode, calendar=("weekday", "day", "month"), grid="regular", split=SPLIT)
    pipeline = Forecast(chosen)
    found = origins_of(together(whole), chosen, None)
    learned(pipeline, found)
    facts = pipeline.facts
    assert facts is not None
    hindsight = Origins(found.table, facts)
    row = np.flatnonzero(found.table["row"] == end - 1)
    last = last_origins_of(together(before(whole, end)), chosen, facts)
    now = Origins(last.table, facts)
    if not len(row):
        return  # the end of the history itself
    expected, seen = hindsight.batch(torch.from_numpy(row)), now.batch(torch.tensor([0]))
    assert expected.keys() - seen.keys() == {"target"}
    for name, tensor in seen.items():
        assert torch.equal(tensor, expected[name]), name


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(95, 119))
def test_nor_does_it_through_the_file(seed: int, cut: int) -> None:
    """The reader, too, decides nothing by what comes later: not formats, steps, seasons or scales."""
    times = sessions(LENGTH, "2020-01-01")
    close = walk(LENGTH, seed)
    chosen = config(
        split={"dates": ("2020-03-25", "2020-04-20")}, series={"calendar": "XNYS"}, covariates=("volume",)
    )
    columns = {"close": close, "volume": np.round(close * 1e4)}
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, length in (("whole", LENGTH), ("part", cut)):
            path = Path(folder) / name / "x.csv"
            path.parent.mkdir()
            write_csv(path, times[:length], {key: values[:length] for key, values in columns.items()})
            pipeline = Forecast(chosen)
            found.append(learned(pipeline, _as_read(pipeline, path)))
    (train, test, task), (train_2, test_2, task_2) = found
    assert {**train.facts, "doubts": 0} == {**train_2.facts, "doubts": 0}
    same_batches(train, train_2, np.arange(len(train)), np.arange(len(train_2)))
    assert len(train) == len(train_2)
    same_batches(test, test_2, np.arange(len(test_2)), np.arange(len(test_2)))
    for name, tensor in task.state_dict().items():
        assert torch.equal(tensor.nan_to_num(), task_2.state_dict()[name].nan_to_num()), name


def _as_read(pipeline: Forecast, path: Path) -> Any:
    class Read:
        table = pipeline.read(path)

    return Read


@pytest.mark.parametrize("fold", [0, 1])
def test_an_earlier_fold_does_not_know_the_later_ones(fold: int) -> None:
    """A walk forward over twice the history, cut so that its periods begin alike, has the same first folds."""
    whole = series(walk(120), "x")
    chosen = config(folds=4, fold=fold, walk={"tested": 0.4})
    shorter = config(folds=3, fold=fold, walk={"tested": 36 / 108})
    pipelines = Forecast(chosen), Forecast(shorter)
    samples = []
    for pipeline, one, folds in zip(pipelines, (whole, before(whole, 108)), (4, 3), strict=True):
        splits = pipeline.fold(origins_of(together(one), pipeline.config, None).table, folds)
        train = pipeline.samples(splits.train)
        pipeline.facts = train.facts
        samples.append((train, pipeline.samples(splits.test)))
    (train, test), (train_2, test_2) = samples
    assert dict(train.facts) == dict(train_2.facts)
    same_batches(train, train_2, np.arange(len(train)), np.arange(len(train_2)))
    same_batches(test, test_2, np.arange(len(test)), np.arange(len(test_2)))
