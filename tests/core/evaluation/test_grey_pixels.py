"""Small grey pixels that baselines see."""

from __future__ import annotations

import pytest
import torch

from fivefold.evaluation.baselines.pixels import GreyPixels


def test_colours_and_neighbours_are_averaged() -> None:
    images = torch.zeros(2, 3, 4, 6, dtype=torch.uint8)
    images[0, 0, :2, :3] = 255  # a red quarter
    found = GreyPixels((2, 2))({"input": images})
    torch.testing.assert_close(found[0], torch.tensor([[1 / 3, 0.0], [0.0, 0.0]]))
    assert found[1].count_nonzero() == 0


@pytest.mark.parametrize(
    ("size", "shape", "words"),
    [((14, 14), (2, 3, 32, 40), "14x14 pixels"), ((8, 14, 14), (2, 1, 4, 8, 8), "8x14x14 pixels")],
)
def test_every_sample_is_brought_to_the_size(
    size: tuple[int, ...], shape: tuple[int, ...], words: str
) -> None:
    pixels = GreyPixels(size)
    found = pixels({"input": torch.full(shape, 255, dtype=torch.uint8)})
    assert found.shape == (2, *size)
    torch.testing.assert_close(found, torch.ones_like(found))
    assert str(pixels) == words
