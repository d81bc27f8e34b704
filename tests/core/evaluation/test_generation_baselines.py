import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import DataError
from fivefold.evaluation.baselines.generation import PCAGaussian, RealImages, drawn, features_of, floor
from fivefold.evaluation.generative_metrics import generative_metrics


def flat(images: Tensor) -> Tensor:
    return images.flatten(1)


def images_of(array: Tensor) -> TensorDataset:
    ids = np.arange(len(array)).astype(object)
    return TensorDataset({"input": array}, facts=Facts(), ids=ids)


def correlated(count: int = 3000, seed: int = 0) -> Tensor:
    """Grey images of 2x2 pixels from 0 to 1, far from either end, whose first two pixels go together."""
    noise = np.random.default_rng(seed).normal(size=(count, 3)) * 0.05
    pixels = 0.5 + np.stack([noise[:, 0], 2 * noise[:, 0], noise[:, 1], 0.1 * noise[:, 2]], axis=1)
    return torch.from_numpy(pixels.astype(np.float32)).reshape(-1, 1, 2, 2)


def test_gaussian_has_the_mean_and_covariance_of_the_training_images() -> None:
    baseline = PCAGaussian(flat)
    train = images_of(correlated())
    baseline.fit(train)
    made = baseline.predict(train)["generated"]
    seen = 2 * correlated().flatten(1).numpy() - 1
    assert made.shape == (3000, 4)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.mean(axis=0), seen.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(np.cov(made.T), np.cov(seen.T), atol=0.004)


def test_few_components_keep_what_varies_most() -> None:
    baseline = PCAGaussian(flat, components=1)
    baseline.fit(images_of(correlated()))
    made = baseline.images(500).flatten(1).numpy()
    np.testing.assert_allclose(
        made[:, 1] - made[:, 1].mean(), 2 * (made[:, 0] - made[:, 0].mean()), atol=0.02
    )
    assert np.ptp(made[:, 3]) < 0.02


def test_bytes_are_scaled_and_images_stay_in_range() -> None:
    pixels = torch.randint(0, 2, (50, 3, 4, 4), dtype=torch.uint8) * 255
    baseline = PCAGaussian(flat, seed=1)
    baseline.fit(images_of(pixels))
    made = baseline.images(300)
    assert made.shape == (300, 3, 4, 4)
    assert -1 <= float(made.min()) < -0.9
    assert 0.9 < float(made.max()) <= 1
    again = PCAGaussian(flat, seed=1)
    again.fit(images_of(pixels))
    assert torch.equal(again.images(300), made)
    assert torch.equal(again.images(20), made[:20])
    np.testing.assert_array_equal(again.predict(images_of(pixels))["generated"], made[:50].flatten(1).numpy())


def test_only_a_bounded_draw_of_the_training_images_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fivefold.evaluation.baselines.generation.MOST_NUMBERS", 4 * 100)
    baseline = PCAGaussian(flat)
    baseline.fit(images_of(correlated()))
    assert baseline._model.n_samples_ == 100


def test_one_image_has_no_gaussian() -> None:
    with pytest.raises(DataError, match="two training images or more, found 1"):
        PCAGaussian(flat).fit(images_of(correlated(1)))


def test_real_images_are_training_images_each_once() -> None:
    baseline = RealImages(flat)
    train = correlated(60)
    baseline.fit(images_of(train))
    made = baseline.predict(images_of(correlated(40, seed=1)))["generated"]
    rows = {tuple(row) for row in (2 * train.flatten(1) - 1).numpy().tolist()}
    assert len(made) == 40
    assert len({tuple(row) for row in made.tolist()}) == 40
    assert {tuple(row) for row in made.tolist()} <= rows


def test_more_images_to_judge_than_training_images_are_refused() -> None:
    baseline = RealImages(flat)
    baseline.fit(images_of(correlated(10)))
    with pytest.raises(DataError, match="as many training images as are judged \\(11\\), found 10"):
        baseline.predict(images_of(correlated(11)))


def test_the_floor_is_below_the_gaussian_and_above_zero() -> None:
    skewed = correlated(600) ** 3
    train, held_out = images_of(skewed[:400]), images_of(skewed[400:])
    gaussian, real = PCAGaussian(flat, components=2), RealImages(flat)
    gaussian.fit(train)
    real.fit(train)
    fid = generative_metrics("pixels, 200")[0]
    target = features_of(flat, iter([2 * skewed[400:] - 1]))
    least = floor(fid, target, real.predict(held_out)["generated"])
    assert least == fid.compute({"target": target, "generated": real.predict(held_out)["generated"]}, None)
    assert 0.0 < least < floor(generative_metrics("pixels, 200")[0], target, np.flip(target) + 0.5)


def test_features_are_computed_where_the_extractor_is_and_without_gradients() -> None:
    extractor = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).double()
    found = features_of(
        lambda images: extractor(images.double()), iter([torch.ones(3, 1, 2, 2), torch.ones(1, 1, 2, 2)])
    )
    assert found.shape == (4, 2)
    assert found.dtype == np.float32
    assert features_of(nn.Flatten(), iter([torch.ones(2, 1, 2, 2)])).shape == (2, 4)


def test_draws_are_ascending_bounded_and_by_seed() -> None:
    assert drawn(5, 9, 0).tolist() == [0, 1, 2, 3, 4]
    some = drawn(100, 10, 3)
    assert some.tolist() == sorted(set(some.tolist()))
    assert len(some) == 10
    assert torch.equal(some, drawn(100, 10, 3))
    assert not torch.equal(some, drawn(100, 10, 4))
