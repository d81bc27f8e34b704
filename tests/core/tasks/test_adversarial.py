"""A GAN's losses by hand, draws that nothing else moves, going on after a kill, sharing, judging."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional as F

from core.tasks import adversarial_together
from core.tasks.adversarial_toys import CPU, EVERYTHING, batch_of, pictures, toy, trainer
from fivefold.config import OptimizerConfig
from fivefold.config.adversarial import AdversarialConfig
from fivefold.nn.generation.draws import normals
from fivefold.tasks.adaptive import AdaptiveChance
from fivefold.tasks.adversarial import Adversarial, Stream, diversity, in_range
from fivefold.training.inference import predict_outputs
from fivefold.training.processes.group import ALONE
from fivefold.training.saving.checkpoint import load_tensors
from fivefold.training.seeds import Purpose, derive_seed

HERE = Path(__file__).parent


# Losses


def noise_of(task: Adversarial, batch: dict[str, Tensor], phase: int, batches: int) -> Tensor:
    return normals(
        derive_seed(0, Purpose.TRAINING, Stream.NOISE, phase, batches), batch["index"], task.latent
    )


def test_the_discriminator_loss_with_r1_and_r2_by_hand() -> None:
    task = toy(norms=("group", "none"), loss="non-saturating", r1=0.7, r2=0.3, penalty_every=3)
    batch = batch_of(6)
    real = (2 * batch["input"] - 1).requires_grad_()
    for number in range(4):
        fake = task.generator(noise_of(task, batch, 0, number)).detach().requires_grad_()
        on_real, on_fake = task.discriminator(real), task.discriminator(fake)
        expected = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        if number % 3 == 0:  # three times as heavy, every third batch
            for gamma, scores, images in ((0.7, on_real, real), (0.3, on_fake, fake)):
                (slope,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
                expected = expected + 3 * gamma / 2 * slope.square().sum() / 6
        found = task.loss(batch, "discriminator")
        torch.testing.assert_close(found.value, expected)
        assert found.weight == 6
        parameters = list(task.discriminator.parameters())
        for one, other in zip(
            torch.autograd.grad(found.value, parameters),
            torch.autograd.grad(expected, parameters),
            strict=True,
        ):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
        assert ("penalty" in found.parts) is (number % 3 == 0)


def test_the_generator_loss_by_hand() -> None:
    for kind in ("hinge", "relativistic"):
        task, batch = toy(norms=("group", "none"), loss=kind), batch_of(6)
        fake = task.generator(noise_of(task, batch, 1, 0))
        on_fake, on_real = task.discriminator(fake), task.discriminator(2 * batch["input"] - 1)
        expected = -on_fake.mean() if kind == "hinge" else F.softplus(on_real - on_fake).mean()
        found = task.loss(batch, "generator")
        torch.testing.assert_close(found.value, expected)
        flat, true = fake.flatten(1), 2 * batch["input"].flatten(1)
        distances = torch.pdist(flat).square().mean() / torch.pdist(true).square().mean()
        assert float(found.parts["diversity"]) == pytest.approx(float(distances.detach().sqrt()), rel=1e-4)


def test_images_of_bytes_and_of_floats_are_the_same() -> None:
    bytes_ = torch.randint(0, 256, (5, 1, 28, 28), dtype=torch.uint8)
    floats = bytes_ / 255
    torch.testing.assert_close(in_range(bytes_), in_range(floats), atol=1e-6, rtol=0)
    assert (float(in_range(bytes_).min()), float(in_range(bytes_).max())) == pytest.approx((-1, 1), abs=0.02)
    generated = torch.rand(5, 1, 28, 28)
    torch.testing.assert_close(diversity(generated, bytes_), diversity(generated, floats))


def test_the_generator_keeps_no_gradient_in_the_phase_of_the_discriminator() -> None:
    task = toy(**EVERYTHING)
    task.loss(batch_of(6), "discriminator").value.backward()
    assert all(value.grad is None for value in task.generator.parameters())
    assert all(value.grad is not None for value in task.discriminator.parameters())


def test_penalties_do_not_lose_precision_under_autocast() -> None:
    settings: dict[str, Any] = {
        "norms": ("group", "none"),
        "loss": "wasserstein",
        "gradient_penalty": 10.0,
        "r1": 1.0,
    }
    plain = toy(**settings).loss(batch_of(8), "discriminator")
    with torch.autocast("cpu", torch.bfloat16):
        found = toy(**settings).loss(batch_of(8), "discriminator")
    assert found.value.dtype is torch.float32
    # The generated images are bfloat16's; what comes of them is not rounded again.
    assert float(found.parts["penalty"].detach()) == pytest.approx(
        float(plain.parts["penalty"].detach()), rel=1e-3
    )


def test_phases_have_optimizers_of_their_own() -> None:
    slow, fast = OptimizerConfig(lr=1e-4), OptimizerConfig(lr=4e-4)
    task = toy(generator=slow, discriminator=fast, discriminator_steps=3)
    first, second = task.phases()
    assert (first.modules, first.optimizer, first.repeats) == (("discriminator",), fast, 3)
    assert (second.modules, second.optimizer, second.repeats) == (("generator",), slow, 1)


# Draws


def test_draws_follow_the_sample_and_the_batch_and_nothing_else() -> None:
    settings = {"classes": 2, "chance": 0.5, "norms": ("group", "none"), **EVERYTHING}
    whole, batch = toy(**settings), batch_of(8)
    halves = [{name: value[part] for name, value in batch.items()} for part in (slice(0, 4), slice(4, 8))]
    for number, phase in enumerate(("discriminator", "generator", "discriminator")):
        torch.manual_seed(number)  # torch's own generator has no part in it
        together = float(whole.loss(batch, phase).value.detach())
        apart = []
        for half in halves:
            task = toy(**settings)
            task.batches.counts.copy_(whole.batches.counts)
            task.batches.counts[phase == "generator"] -= 1
            apart.append(float(task.loss(half, phase).value.detach()))
        assert sum(apart) / 2 == pytest.approx(together, rel=1e-4)


def test_no_two_batches_or_seeds_or_phases_draw_alike() -> None:
    batch, values = batch_of(8), []
    for seed in (0, 1):
        task = toy(norms=("group", "none"), seed=seed)
        values += [float(task.loss(batch, "discriminator").value.detach()) for _ in range(3)]
    assert len(set(values)) == 6


def test_the_counter_is_saved_and_stays_on_the_host() -> None:
    task = toy()
    for phase in ("discriminator", "discriminator", "generator"):
        task.loss(batch_of(4), phase)
    assert task.state_dict()["batches.counts"].tolist() == [2, 1]
    assert task.to("meta").batches.counts.device == CPU


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the processes that it kills")
def test_killed_in_either_phase_it_goes_on_bit_for_bit(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / "adversarial_killed.py", tmp_path],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    whole = load_tensors(tmp_path / "whole" / "final.safetensors")
    for phase in ("discriminator", "generator"):
        killed = load_tensors(tmp_path / phase / "final.safetensors")
        assert whole.keys() == killed.keys()
        assert [name for name in whole if not torch.equal(whole[name], killed[name])] == []
    assert whole["batches.counts"].tolist() == [18, 10]
    assert float(whole["adaptive.chance"]) not in {0.0, 0.5}


def test_two_processes_give_the_losses_and_weights_of_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
         HERE / "adversarial_together.py", tmp_path],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    task, losses = adversarial_together.steps(ALONE)
    found = load_tensors(tmp_path / "together.safetensors")
    for name, value in task.state_dict().items():
        if name != "adaptive.gathered":  # of each process's own share, until it is exchanged
            torch.testing.assert_close(found[name], value, atol=1e-4, rtol=1e-3, msg=name)
    together = json.loads((tmp_path / "losses.json").read_text())
    assert together.keys() == losses.keys()
    for name, value in losses.items():
        # Diversity is within each process's share of the batch.
        assert together[name] == pytest.approx(value, rel=0.2 if name == "generator/diversity" else 1e-4), (
            name
        )
    assert float(task.adaptive.chance) not in {0.0, 0.5}


# Adaptive augmentation


def test_the_chance_moves_every_four_batches_towards_its_target() -> None:
    adaptive = AdaptiveChance(0.6, 100)
    right, wrong = torch.tensor([1.0, 2.0, 0.5, -0.1, 3.0]), -torch.ones(5)
    seen = []
    for number in range(16):
        # Signs of 0.6 exactly, then of -1, then of 1.
        scores = [right, wrong, -wrong, wrong][number // 4]
        adaptive.update(scores, number)
        seen.append(round(float(adaptive.chance), 4))
    # 20 images a move of 100: held at the target, at 0 already, up, down.
    assert seen == [0.0] * 11 + [0.2] * 4 + [0.0]


def test_a_discriminator_that_knows_its_images_raises_the_chance(tmp_path: Path) -> None:
    task = toy(augment=("colour",), adaptive=0.6, adaptive_images=2000, widths=4,
               discriminator=OptimizerConfig(lr=2e-3, momentum=0.5, weight_decay=0.0))  # fmt: skip
    trainer(task, tmp_path, val=False, epochs=6).fit()
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    chances = [record["discriminator/augment_chance"] for record in records]
    assert chances[0] == 0
    assert chances[-1] > 0.1


def test_adaptive_needs_something_to_adapt() -> None:
    with pytest.raises(ValidationError, match="'augment' is empty; name colour, translation or cutout"):
        AdversarialConfig(adaptive=0.6)


# Predictions


class Brightness(nn.Module):
    """Features with weights, which must be neither trained nor saved."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(28 * 28, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(1))


def with_features(classes: int = 0) -> Adversarial:
    plain = toy(classes=classes)
    names = [str(code) for code in range(classes)]
    return Adversarial(
        plain.generator, plain.discriminator, plain.config, classes=names, features=Brightness()
    )


def test_features_are_neither_trained_nor_saved_and_move_along() -> None:
    task = with_features()
    names = [name for name, _ in [*task.named_parameters(), *task.state_dict().items()]]
    assert not [name for name in names if "layer" in name or "features" in name]
    (extractor,) = task._features
    assert not any(value.requires_grad for value in extractor.parameters())
    task.train()
    assert not extractor.training
    task.to(torch.float64)
    assert {value.dtype for value in extractor.parameters()} == {torch.float64}


@pytest.mark.parametrize("classes", [0, 2])
def test_outputs_follow_from_each_samples_number(classes: int) -> None:
    task, data = with_features(classes), pictures(11)
    outputs = predict_outputs(task, data, device=CPU, batch_size=4)
    again = predict_outputs(task, data, device=CPU, batch_size=7)
    assert outputs["target"].shape == outputs["generated"].shape == (11, 3)
    for name, values in outputs.items():
        torch.testing.assert_close(
            torch.from_numpy(again[name]), torch.from_numpy(values), atol=1e-5, rtol=1e-4
        )
    task.eval()
    seeds = torch.arange(11)
    images = task.sample(task.noise(seeds), seeds % 2)
    torch.testing.assert_close(
        torch.from_numpy(outputs["generated"]), task.extract(images).detach(), atol=1e-5, rtol=1e-4
    )
    known = {**data.tensors(), "features": torch.ones(11, 3)}
    assert torch.equal(task.predict(known)["target"], torch.ones(11, 3))


def test_equal_seeds_give_equal_images() -> None:
    task = toy(classes=2).eval()
    seeds, labels = torch.tensor([5, 123456789, 5]), torch.tensor([1, 0, 1])
    with torch.no_grad():
        images = task.sample(task.noise(seeds), labels)
        assert torch.equal(images[0], images[2])
        assert torch.equal(images, task(task.noise(seeds), labels))
        closer = task.sample(task.noise(seeds), labels, truncation=0.1)
    assert float(closer.var(dim=0, correction=0).sum()) < float(images.var(dim=0, correction=0).sum())
