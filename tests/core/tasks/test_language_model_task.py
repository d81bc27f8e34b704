import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.training.toys import settings
from fivefold.data.dataset import Batch, Dataset, Facts, TensorDataset
from fivefold.errors import ConfigError, Interrupted
from fivefold.nn.language import GPT, LanguageNetwork, RecurrentLanguageModel
from fivefold.tasks.carried import NOTHING, CarriedStates
from fivefold.tasks.language_model import LanguageModel
from fivefold.training.callback import Callback
from fivefold.training.saving.checkpoint import load_tensors, save_tensors
from fivefold.training.speed.precision import runs_lstm_in_bfloat16
from fivefold.training.trainer import Trainer

V, T = 9, 6


def network(kind: str = "lstm", dropout: float = 0.0) -> LanguageNetwork:
    torch.manual_seed(0)
    if kind == "gpt":
        return GPT(V, 8, features=16, heads=2, layers=2, dropout=dropout)
    return RecurrentLanguageModel(kind, V, 10, 2, dropout=dropout)


def text(size: int, seed: int = 0) -> Tensor:
    return torch.randint(V, (size + 1,), generator=torch.Generator().manual_seed(seed))


def piece(run: Tensor, number: int) -> Batch:
    """Piece ``number`` of a text, as a batch of one."""
    start = number * T
    return {
        "input": run[None, start : start + T],
        "target": run[None, start + 1 : start + T + 1],
        "position": torch.tensor([number]),
    }


def merged(*batches: Batch) -> Batch:
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


@pytest.mark.parametrize("kind", ["lstm", "gru", "gpt"])
def test_loss_is_the_mean_over_scored_tokens(kind: str) -> None:
    task = LanguageModel(network(kind))
    run = text(2 * T)
    batch = merged(piece(run, 0), piece(run, 1))
    batch["target"] = batch["target"].clone()
    batch["target"][0, 2:] = -1
    loss = task.loss(batch, "main")
    logits = task(batch["input"])
    wanted = [
        -logits[row, step].log_softmax(0)[batch["target"][row, step]]
        for row in range(2)
        for step in range(T)
        if batch["target"][row, step] >= 0
    ]
    assert int(loss.weight) == len(wanted) == T + 2
    torch.testing.assert_close(loss.value, torch.stack(wanted).mean())


def test_a_batch_without_a_scored_token_is_no_nan() -> None:
    batch = piece(text(T), 0) | {"target": torch.full((1, T), -1)}
    loss = LanguageModel(network()).loss(batch, "main")
    assert loss.value.item() == loss.weight.item() == 0


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_two_pieces_are_one_run_whose_state_was_detached(kind: str) -> None:
    run = text(2 * T)
    task = LanguageModel(network(kind), streams=4)
    losses = [task.loss(piece(run, number), "main").value for number in (0, 1)]
    plain = network(kind)
    logits, state = plain(run[None, :T])
    first = torch.nn.functional.cross_entropy(logits[0], run[1 : T + 1])
    logits, _ = plain(run[None, T : 2 * T], tuple(part.detach() for part in state))
    second = torch.nn.functional.cross_entropy(logits[0], run[T + 1 : 2 * T + 1])
    torch.testing.assert_close(torch.stack(losses), torch.stack([first, second]))
    sum(losses).backward()
    (first + second).backward()
    for mine, other in zip(task.network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)
    # Together with other streams, whose pieces come in any order, each finds its own.
    both = LanguageModel(network(kind), streams=4)
    other = text(9 * T, seed=1)
    both.loss(merged(piece(other, 7), piece(run, 0)), "main")
    found = both.loss(merged(piece(run, 1), piece(other, 8)), "main").value
    alone = [LanguageModel(network(kind), streams=4) for _ in range(2)]
    alone[0].loss(piece(other, 7), "main")
    alone[1].loss(piece(run, 0), "main")
    expected = (alone[0].loss(piece(other, 8), "main").value + alone[1].loss(piece(run, 1), "main").value) / 2
    torch.testing.assert_close(found, expected)


def test_a_piece_whose_predecessor_is_unknown_begins_with_nothing() -> None:
    run = text(9 * T)
    task = LanguageModel(network(), streams=2)
    fresh = [LanguageModel(network()).loss(piece(run, number), "main").value for number in (0, 2, 5)]
    found = [task.loss(piece(run, number), "main").value for number in (0, 2, 5)]
    torch.testing.assert_close(found, fresh)


def test_the_newest_state_of_a_piece_counts_and_the_oldest_goes() -> None:
    table = CarriedStates(3, 2)
    assert table.numbers.tolist() == [NOTHING] * 3
    table.after(torch.tensor([4, 5]), torch.tensor([[1.0, 1], [2, 2]]))
    table.after(torch.tensor([4]), torch.tensor([[3.0, 3]]))
    assert table.before(torch.tensor([5, 6, 0])).tolist() == [[3, 3], [2, 2], [0, 0]]
    table.after(torch.tensor([8, 9, 10, 11]), torch.arange(8.0).view(4, 2))
    assert table.numbers.tolist() == [9, 10, 11]
    assert table.before(torch.tensor([5, 12])).tolist() == [[0, 0], [6, 7]]
    table.clear()
    assert table.before(torch.tensor([12])).tolist() == [[0, 0]]
    table.after(torch.tensor([12]), torch.ones(1, 2))
    assert len(table.states) == 0


def test_a_finished_model_holds_no_states_and_opens_again(tmp_path: Path) -> None:
    task = LanguageModel(network(), streams=50)
    task.loss(piece(text(T), 0), "main")
    task.calibrate({})
    save_tensors(tmp_path / "model.safetensors", task.state_dict())
    again = LanguageModel(network("lstm"), streams=50)
    again.load_state_dict(load_tensors(tmp_path / "model.safetensors"))
    assert len(again.carried.states) == 0
    batch = piece(text(T), 0)
    assert torch.equal(again.predict(batch)["nats"], task.predict(batch)["nats"])
    # And a checkpoint of a training with another number of streams is taken as it is.
    fewer = LanguageModel(network(), streams=3)
    task = LanguageModel(network(), streams=5)
    fewer.load_state_dict(task.state_dict())
    assert len(fewer.carried.states) == 5


@pytest.mark.parametrize("kind", ["lstm", "gpt"])
def test_predict_sums_nats_of_scored_tokens(kind: str) -> None:
    task = LanguageModel(network(kind)).eval()
    run = text(2 * T)
    batch = merged(piece(run, 0), piece(run, 1))
    batch["target"] = batch["target"].clone()
    batch["target"][1, :4] = -1
    batch["characters"] = torch.tensor([11.0, 5.0])
    found = task.predict(batch)
    logs = task(batch["input"]).log_softmax(2)
    for row, first in ((0, 0), (1, 4)):
        nats = -sum(logs[row, step, batch["target"][row, step]].item() for step in range(first, T))
        assert found["nats"][row].item() == pytest.approx(nats, rel=1e-5)
    assert found["tokens"].tolist() == [6, 2]
    assert found["target"].tolist() == [11, 5]


def test_prediction_carries_nothing() -> None:
    run = text(2 * T)
    task = LanguageModel(network(), streams=4).eval()
    before = task.predict(piece(run, 1))["nats"]
    task.loss(piece(run, 0), "main")
    assert torch.equal(task.predict(piece(run, 1))["nats"], before)


def test_rates_by_hand() -> None:
    metrics = {metric.name: metric for metric in LanguageModel(network()).metrics()}
    outputs = {
        "nats": np.array([3.0, 5.0]),
        "tokens": np.array([2.0, 2.0]),
        "target": np.array([4.0, 1.0]),
    }
    assert next(iter(metrics)) == "bits per character"
    assert metrics["bits per character"].compute(outputs, None) == pytest.approx(8 / 5 / math.log(2))
    assert metrics["nats per character"].compute(outputs, None) == pytest.approx(8 / 5)
    assert metrics["perplexity per token"].compute(outputs, None) == pytest.approx(math.exp(2))
    weighted = metrics["nats per character"].compute(outputs, np.array([2.0, 0.0]))
    assert weighted == pytest.approx(3 / 4)
    assert not any(metric.higher_is_better for metric in metrics.values())


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_states_under_bfloat16(kind: str) -> None:
    if kind == "lstm" and not runs_lstm_in_bfloat16():
        pytest.skip("needs a processor on which torch runs an LSTM in bfloat16")
    task = LanguageModel(network(kind), streams=4)
    run = text(2 * T)
    for number in (0, 1):
        with torch.autocast("cpu", torch.bfloat16):
            loss = task.loss(piece(run, number), "main")
        loss.value.backward()
    assert task.carried.states.dtype == torch.float32
    assert task.carried.states.abs().sum() > 0


def test_a_network_without_state_cannot_carry_it() -> None:
    with pytest.raises(ConfigError, match="GPT has no state to carry"):
        LanguageModel(network("gpt"), streams=3)


def test_records() -> None:
    outputs = {"nats": np.array([1.5]), "tokens": np.array([2.0])}
    assert LanguageModel(network()).decode(outputs, Facts()) == [{"nats": 1.5, "tokens": 2}]


class Streams(TensorDataset):
    """Pieces of a text in parallel streams."""

    def order(self, samples_a_step: int) -> Tensor:
        steps = len(self) // samples_a_step
        whole = torch.arange(samples_a_step * steps).view(samples_a_step, steps).T.flatten()
        return torch.cat((whole, torch.arange(samples_a_step * steps, len(self))))


def pieces_of(count: int, seed: int, *, judged: bool = False) -> Dataset:
    run = text(count * T, seed)
    tensors = merged(*(piece(run, number) for number in range(count)))
    if judged:
        tensors["characters"] = torch.full((count,), float(T))
    ids = np.array([f"piece {number}" for number in range(count)], dtype=object)
    return Streams(tensors, facts=Facts(), ids=ids)


class Stop(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_log(self, record) -> None:
        if (record["step"], record["split"]) == (self.step, "train"):
            os.kill(os.getpid(), signal.SIGINT)


def trainer(directory: Path, *callbacks: Callback) -> Trainer:
    return Trainer(
        LanguageModel(network(dropout=0.3), streams=8),
        pieces_of(42, 0),
        pieces_of(6, 1, judged=True),
        config=settings(batch_size=4, trainer={"log_every": 1, "accumulate": 2, "ema": 0.8}),
        device=torch.device("cpu"),
        directory=directory,
        callbacks=callbacks,
        progress=False,
        tensorboard=False,
    )


@pytest.mark.parametrize("step", [2, 6, 8])
def test_a_training_stopped_amid_an_epoch_goes_on_exactly(step: int, tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole")
    whole.fit()
    with pytest.raises(Interrupted):
        trainer(tmp_path / "cut", Stop(step)).fit()
    resumed = trainer(tmp_path / "cut")
    resumed.fit(resume=True)
    mine, other = resumed.task.state_dict(), whole.task.state_dict()
    assert mine.keys() == other.keys()
    for name, value in other.items():
        assert torch.equal(mine[name], value), name
    assert int((mine["carried.numbers"] >= 0).sum()) == 8
