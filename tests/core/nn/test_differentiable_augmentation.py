"""Differentiable augmentation against a plain one in numpy, sample by sample; gradients; chances."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from fivefold.nn.differentiable_augmentation import DRAWS, DifferentiableAugmentation

ALL = ("colour", "translation", "cutout")


def reference(image: np.ndarray, numbers: np.ndarray, policies: tuple[str, ...], chance: float) -> np.ndarray:
    """One image ``(C, S, S)``, step by step as the paper's code does it."""
    size = image.shape[-1]
    image = image.astype(np.float64)
    if "colour" in policies and numbers[0] < chance:
        image = image + (numbers[3] - 0.5)
        grey = image.mean(axis=0, keepdims=True)
        image = grey + (image - grey) * (2 * numbers[4])
        image = image.mean() + (image - image.mean()) * (numbers[5] + 0.5)
    if "translation" in policies and numbers[1] < chance:
        farthest = size // 8
        down, right = (int((2 * farthest + 1) * number) - farthest for number in numbers[6:8])
        padded = np.pad(image, ((0, 0), (farthest, farthest), (farthest, farthest)))
        rows, columns = farthest - down, farthest - right
        image = padded[:, rows : rows + size, columns : columns + size]
    if "cutout" in policies and numbers[2] < chance:
        edge = size // 2
        top, left = (int((size + 1 - edge % 2) * number) - edge // 2 for number in numbers[8:10])
        image = image.copy()
        image[:, max(top, 0) : max(top + edge, 0), max(left, 0) : max(left + edge, 0)] = 0
    return image


def drawn(batch: int, channels: int, size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(size + channels)
    images = torch.rand(batch, channels, size, size, generator=generator) * 2 - 1
    return images, torch.rand(batch, DRAWS, generator=generator)


@pytest.mark.parametrize("policies", [*[(name,) for name in ALL], ALL, ()])
@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
@pytest.mark.parametrize("chance", [1.0, 0.4])
def test_each_sample_as_in_numpy(policies: tuple[str, ...], channels: int, size: int, chance: float) -> None:
    images, numbers = drawn(40, channels, size)
    for laid_out in (images, images.to(memory_format=torch.channels_last)):
        found = DifferentiableAugmentation(policies)(laid_out, numbers, torch.tensor(chance))
        expected = [
            reference(image, row, policies, chance)
            for image, row in zip(images.numpy(), numbers.numpy(), strict=True)
        ]
        np.testing.assert_allclose(found.numpy(), np.stack(expected), atol=1e-5)


def test_shifts_reach_all_ways_and_holes_over_the_edge() -> None:
    images, numbers = torch.ones(2, 1, 32, 32), torch.zeros(2, DRAWS)
    numbers[1, 6:] = 0.9999999
    shifted = DifferentiableAugmentation(["translation"])(images, numbers)
    assert [image.nonzero()[:, 1:].amin(0).tolist() for image in shifted] == [[0, 0], [4, 4]]
    assert shifted.sum(dim=(1, 2, 3)).tolist() == [28 * 28, 28 * 28]
    cut = DifferentiableAugmentation(["cutout"])(images, numbers)
    assert (1 - cut).sum(dim=(1, 2, 3)).tolist() == [64, 64]  # a quarter of the hole at the corner


def test_gradients_are_those_of_the_varied_pixels() -> None:
    images, numbers = drawn(5, 3, 16)
    augment = DifferentiableAugmentation(ALL)
    assert torch.autograd.gradcheck(
        lambda x: augment(x, numbers.double()), images.double()[:, :, :8, :8].requires_grad_()
    )


def test_no_chance_leaves_images_alone() -> None:
    images, numbers = drawn(6, 3, 32)
    assert torch.equal(DifferentiableAugmentation(ALL)(images, numbers, 0.0), images)


def test_a_sample_does_not_look_at_others() -> None:
    images, numbers = drawn(6, 3, 32)
    augment = DifferentiableAugmentation(ALL)
    torch.testing.assert_close(augment(images, numbers)[2:3], augment(images[2:3], numbers[2:3]))
