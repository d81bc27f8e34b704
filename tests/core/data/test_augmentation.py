import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Generator, Tensor

from fivefold.data.augmentation import (
    Augmentation,
    beta_quantiles,
    cutmix,
    mixup,
    random_affine,
    random_crop,
    random_erasing,
    random_flip,
)


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def pictures(batch: int = 6, channels: int = 3, height: int = 12, width: int = 16) -> Tensor:
    return torch.randint(0, 256, (batch, channels, height, width), dtype=torch.uint8, generator=generator(9))


def one_hot(batch: int, classes: int = 3) -> Tensor:
    return torch.nn.functional.one_hot(torch.arange(batch) % classes, classes).float()


@pytest.mark.parametrize("padding", [1, 3])
def test_crop_is_a_padded_crop(padding: int) -> None:
    images = pictures()
    shifted = random_crop(images, padding, generator())
    padded = torch.nn.functional.pad(images, [padding] * 4)
    for row in range(len(images)):
        windows = [
            padded[row, :, top : top + 12, left : left + 16]
            for top in range(2 * padding + 1)
            for left in range(2 * padding + 1)
        ]
        assert any(torch.equal(shifted[row], window) for window in windows)
    assert shifted.dtype == torch.uint8


def test_crop_reaches_every_shift_alike() -> None:
    images = torch.zeros(4000, 1, 9, 9, dtype=torch.uint8)
    images[:, :, 4, 4] = 255
    places = random_crop(images, 1, generator()).flatten(1).argmax(1)
    counts = torch.bincount(places, minlength=81).view(9, 9)[3:6, 3:6]
    assert counts.sum() == 4000
    assert stats.chisquare(counts.flatten().numpy()).pvalue > 1e-3


def test_flip_twice_is_the_identity() -> None:
    images = pictures()
    assert torch.equal(random_flip(random_flip(images, generator(), 1.0), generator(), 1.0), images)
    assert torch.equal(random_flip(images, generator(), 1.0), images.flip(3))


def test_flip_has_its_probability() -> None:
    images = torch.zeros(4000, 1, 1, 2, dtype=torch.uint8)
    images[..., 0] = 1
    share = random_flip(images, generator(), 0.3)[..., 1].float().mean().item()
    assert share == pytest.approx(0.3, abs=0.03)


def test_zero_strength_is_the_identity() -> None:
    images = pictures()
    batch = {"input": images, "target": torch.arange(6) % 3}
    varied = Augmentation(classes=3)(batch, generator())
    assert torch.equal(varied["input"], images)
    assert torch.equal(varied["target"], batch["target"])
    assert torch.equal(random_affine(images, generator()), images)
    assert torch.equal(random_erasing(images, generator(), probability=0.0), images)


def test_an_affine_map_close_to_none_is_close_to_the_identity() -> None:
    images = pictures()
    assert torch.equal(random_affine(images, generator(), degrees=1e-6), images)


def test_affine_turns_a_wide_picture_without_stretching_it() -> None:
    # A turn of 180 degrees at most; whatever the angle, the distance of a dot from the centre stays.
    images = torch.zeros(64, 1, 41, 81)
    images[:, :, 20, 50:53] = 200.0  # dot at 11 pixels to the right of the centre
    images[:, :, 19, 51] = images[:, :, 21, 51] = 200.0
    turned = random_affine(images, generator(), degrees=180.0)
    rows, columns = torch.meshgrid(torch.arange(41) - 20.0, torch.arange(81) - 40.0, indexing="ij")
    mass = turned.sum(dim=(1, 2, 3))
    down, across = ((turned[:, 0] * axis).sum(dim=(1, 2)) / mass for axis in (rows, columns))
    assert torch.allclose((down**2 + across**2).sqrt(), torch.tensor(11.0), atol=0.3)
    assert down.abs().max() > 5


def test_affine_shifts_by_a_share_of_the_side_at_most() -> None:
    images = torch.zeros(256, 1, 21, 21)
    images[:, :, 10, 10] = 100.0
    moved = random_affine(images, generator(), translate=0.2)
    places = moved[:, 0].flatten(1).argmax(1)
    down = (places // 21 - 10).abs()
    assert 3 <= down.max() <= 5


def test_affine_scales_both_ways() -> None:
    images = torch.zeros(256, 1, 33, 33)
    images[:, :, 8:25, 8:25] = 1.0
    areas = random_affine(images, generator(), scale=0.2).sum(dim=(1, 2, 3)).sqrt() / 17
    assert areas.min() == pytest.approx(0.8, abs=0.03)
    assert areas.max() == pytest.approx(1.2, abs=0.03)


def test_erasing_covers_a_rectangle_of_the_asked_area() -> None:
    images = torch.full((300, 1, 40, 40), -1.0)
    erased = random_erasing(images, generator(), probability=1.0, area=(0.1, 0.3), ratio=2.0)[:, 0] != -1
    shares = erased.float().mean(dim=(1, 2))
    assert shares.min() > 0.08
    assert shares.max() < 0.33
    for mask in erased:
        rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
        assert mask.sum() == len(rows) * len(columns)
        assert len(rows) == rows[-1] - rows[0] + 1


def test_erasing_leaves_the_rest_of_the_batch_alone() -> None:
    images = pictures(batch=400)
    changed = (random_erasing(images, generator(), probability=0.25) != images).flatten(1).any(1)
    assert changed.float().mean().item() == pytest.approx(0.25, abs=0.07)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_quantiles_draw_from_the_beta_distribution(alpha: float) -> None:
    values = beta_quantiles(alpha).numpy()
    assert values.mean() == pytest.approx(0.5, abs=1e-3)
    assert values.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=1e-2)
    if alpha >= 1:  # below, many values round to 1 in float32
        assert stats.kstest(values, stats.beta(alpha, alpha).cdf).statistic < 1e-2


def test_mixup_blends_images_and_targets_alike() -> None:
    images = torch.zeros(8, 1, 4, 4)
    images[1::2] = 200.0
    targets = torch.nn.functional.one_hot(torch.arange(8) % 2, 2).float()
    blended, shares = mixup(images, targets, beta_quantiles(1.0), generator())
    assert torch.allclose(blended.mean(dim=(1, 2, 3)), 200 * shares[:, 1], atol=1e-4)


def test_cutmix_mixes_targets_by_the_area_pasted() -> None:
    images = torch.zeros(64, 1, 20, 28, dtype=torch.uint8)
    images[1::2] = 255
    targets = torch.nn.functional.one_hot(torch.arange(64) % 2, 2).float()
    pasted, shares = cutmix(images, targets, beta_quantiles(1.0), generator())
    assert torch.allclose((pasted == 255).float().mean(dim=(1, 2, 3)), shares[:, 1], atol=1e-6)


@given(seed=st.integers(0, 2**31), both=st.booleans(), batch=st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_mixed_targets_are_shares_and_the_same_seed_gives_the_same(seed: int, both: bool, batch: int) -> None:
    vary = Augmentation(
        classes=3, crop=2, flip=0.5, degrees=10, translate=0.1, scale=0.1, erasing=0.5,
        mixup=0.4, cutmix=1.0 if both else 0.0,
    )  # fmt: skip
    samples = {"input": pictures(batch), "target": torch.arange(batch) % 3, "other": torch.arange(batch)}
    first, again = vary(samples, generator(seed)), vary(samples, generator(seed))
    assert torch.equal(first["input"], again["input"])
    assert torch.equal(first["target"], again["target"])
    assert first["input"].dtype == torch.uint8
    assert torch.allclose(first["target"].sum(1), torch.ones(batch))
    assert (first["target"] >= 0).all()
    assert torch.equal(first["other"], samples["other"])


def test_another_seed_gives_another_result() -> None:
    vary = Augmentation(classes=3, crop=3)
    samples = {"input": pictures(), "target": torch.arange(6) % 3}
    assert not torch.equal(vary(samples, generator(1))["input"], vary(samples, generator(2))["input"])
    assert np.array_equal(samples["input"], pictures())  # the batch given is not written to
