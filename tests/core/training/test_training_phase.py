"""Accumulated gradients are those of the big batch; phases train what they name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.training.toys import Classifier, Gan, blobs, settings
from fivefold.config import OptimizerConfig, ScheduleConfig
from fivefold.data.dataset import Batch
from fivefold.errors import TrainingError
from fivefold.tasks.base import Loss, Phase, Task
from fivefold.training.engine import Engine
from fivefold.training.phase import PhaseRunner
from fivefold.training.schedule import build_schedule
from fivefold.training.speed.precision import Precision
from fivefold.training.tracker import LossTracker

CPU = torch.device("cpu")


class Tokens(Task):
    """Sequences with padding: the loss is a mean over tokens, of which each batch has another number."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(4, 3)

    def loss(self, batch: Batch, phase: str) -> Loss:
        kept = batch["kept"]
        losses = F.cross_entropy(
            self.network(batch["input"]).movedim(-1, 1), batch["target"], reduction="none"
        )
        return Loss((losses * kept).sum() / kept.sum(), kept.sum())


def token_batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 8, (64,), generator=generator)
    return {
        "input": torch.randn(64, 7, 4, generator=generator),
        "target": torch.randint(3, (64, 7), generator=generator),
        "kept": torch.arange(7)[None] < lengths[:, None],
    }


def split(batch: Batch, sizes: Sequence[int]) -> list[Batch]:
    parts = {name: torch.split(tensor, list(sizes)) for name, tensor in batch.items()}
    return [{name: parts[name][number] for name in parts} for number in range(len(sizes))]


def runner(task: Task, phase: Phase | None = None, **optimizer: float) -> PhaseRunner:
    return PhaseRunner(
        phase or Phase(),
        task,
        # Plain gradient descent with rate 1: the update is the gradient.
        optimizer=OptimizerConfig.model_validate(
            {"name": "sgd", "lr": 1, "momentum": 0, "weight_decay": 0, **optimizer}
        ),
        schedule=build_schedule(ScheduleConfig(name="constant"), 1),
        precision=Precision(torch.float32, "cpu"),
        tracker=LossTracker(),
    )


def gradient(task: Task, batches: list[Batch]) -> Tensor:
    task.double()
    before = nn.utils.parameters_to_vector(task.parameters()).detach().clone()
    runner(task).update(
        [{k: v.double() if v.is_floating_point() else v for k, v in one.items()} for one in batches], 0
    )
    return before - nn.utils.parameters_to_vector(task.parameters()).detach()


@pytest.mark.parametrize("sizes", [[16] * 4, [16, 16, 16, 15, 1], [64]])
@pytest.mark.parametrize("kind", ["samples", "tokens"])
def test_accumulation_gives_the_gradient_of_the_big_batch(sizes: list[int], kind: str) -> None:
    def fresh() -> Task:
        torch.manual_seed(0)
        return Classifier() if kind == "samples" else Tokens()

    whole = blobs(64).tensors() if kind == "samples" else token_batch()
    reference_task = fresh().double()
    reference_batch = {k: v.double() if v.is_floating_point() else v for k, v in whole.items()}
    reference_task.loss(reference_batch, "main").value.backward()
    expected = torch.cat(
        [value.grad.flatten() for value in reference_task.parameters() if value.grad is not None]
    )
    torch.testing.assert_close(gradient(fresh(), split(whole, sizes)), expected, rtol=1e-10, atol=1e-12)


def test_clipping_bounds_the_gradient() -> None:
    task = Classifier()
    before = nn.utils.parameters_to_vector(task.parameters()).detach().clone()
    runner(task, clip_norm=1e-3).update(split(blobs(64).tensors(), [32, 32]), 0)
    moved = nn.utils.parameters_to_vector(task.parameters()).detach() - before
    assert float(moved.norm()) == pytest.approx(1e-3, rel=1e-4)


def test_a_phase_leaves_the_others_parameters_alone() -> None:
    task = Gan()
    critic = runner(task, Phase("critic", ("critic",)))
    generator = runner(task, Phase("generator", ("generator",)))
    batch = blobs(16).batch(torch.arange(16))
    kept = {name: value.detach().clone() for name, value in task.named_parameters()}
    generator.update([batch], 0)
    assert all(value.grad is None for value in task.parameters())
    moved = {name for name, value in task.named_parameters() if not torch.equal(value, kept[name])}
    assert {name.partition(".")[0] for name in moved} == {"generator"}
    critic.update([batch], 0)
    moved = {name for name, value in task.named_parameters() if not torch.equal(value, kept[name])}
    assert {name.partition(".")[0] for name in moved} == {"generator", "critic"}


def test_repeats_see_new_samples_and_the_last_step_has_what_is_left() -> None:
    seen: list[tuple[str, int]] = []

    class Spy(Gan):
        def loss(self, batch: Batch, phase: str) -> Loss:
            seen.append((phase, int(batch["target"][0])))
            return super().loss(batch, phase)

    engine = Engine(Spy(), settings(trainer={"accumulate": 2}), CPU, batches=11)
    assert (engine.batches_per_step, engine.steps_per_epoch) == (4, 3)
    batches = [{"input": torch.randn(4, 4), "target": torch.full((4,), number)} for number in range(7)]
    engine.train_step(batches[:4], 0)
    critic, generator = [("critic", number) for number in range(4)], [("generator", 0), ("generator", 1)]
    assert seen == [*critic, *generator]
    seen.clear()
    engine.train_step(batches[4:], 1)
    assert seen == [("critic", 4), ("critic", 5), ("critic", 6), ("generator", 4), ("generator", 5)]


def test_two_time_scales() -> None:
    engine = Engine(Gan(), settings(schedule={"name": "constant"}), CPU, batches=4)
    assert [phase.learning_rate(0) for phase in engine.phases] == [2e-3, 1e-2]


def test_tied_weights_are_updated_once() -> None:
    class Tied(Classifier):
        def __init__(self) -> None:
            super().__init__()
            self.alias = self.network

    assert len(runner(Tied(), Phase("main", ("network", "alias"))).state_dict()) == 0
    one, other = Tied(), Classifier()
    other.load_state_dict({k: v for k, v in one.state_dict().items() if not k.startswith("alias")})
    batch = blobs(16).batch(torch.arange(16))
    runner(one, Phase("main", ("network", "alias"))).update([batch], 0)
    runner(other).update([batch], 0)
    assert torch.equal(one.network[0].weight, other.network[0].weight)


def test_unknown_module() -> None:
    with pytest.raises(
        TrainingError, match=r"phase 'x' trains 'critik', which Gan does not have; it has generator, critic"
    ):
        runner(Gan(), Phase("x", ("critik",)))


def test_nothing_to_train() -> None:
    with pytest.raises(TrainingError, match=r"phase 'x' of Gan has no parameter to train"):
        runner(Gan().requires_grad_(requires_grad=False), Phase("x", ("critic",)))


def test_tracker_weighs_and_forgets() -> None:
    tracker = LossTracker()
    assert not tracker
    tracker.add("main", 0, Loss(torch.tensor(1.0), 3, {"part": torch.tensor(4.0)}))
    tracker.add("main", 1, Loss(torch.tensor(5.0), torch.tensor(1), {}))
    assert tracker
    assert tracker.first_non_finite() is None
    assert tracker.summary() == {"main/loss": 2.0, "main/part": 4.0}
    assert not tracker


def test_tracker_goes_on_after_a_restart() -> None:
    losses = [
        Loss(torch.tensor(value), torch.tensor(weight)) for value, weight in [(0.1, 3), (0.7, 5), (0.3, 2)]
    ]
    whole, first, second = LossTracker(), LossTracker(), LossTracker()
    for step, loss in enumerate(losses):
        whole.add("main", step, loss)
        (first if step < 2 else second).add("main", step, loss)
        if step == 1:
            second.load_state_dict(first.state_dict())
    assert second.summary() == whole.summary()
    first.load_state_dict(first.state_dict())
    assert first.state_dict()["main/loss:steps"].tolist() == [0, 1]


def test_tracker_finds_the_first_bad_step() -> None:
    tracker = LossTracker()
    for step, value in enumerate([1.0, 2.0, torch.inf, torch.nan]):
        tracker.add("main", step, Loss(torch.tensor(value), 1))
    assert tracker.first_non_finite() == 2
