"""Images as tensors: their form, volumes, facts, quality; in memory and on disk the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.dataset import Facts, all_samples
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.images.decode import Fit
from fivefold_healthcare.diagnose.data import Images
from fivefold_healthcare.diagnose.form import Form, resize_volume
from fivefold_healthcare.diagnose.quality import LIMIT, MEASURES, measure_quality, outliers, usual_quality
from fivefold_healthcare.diagnose.survey import decide_form
from fivefold_healthcare.dicom.window import Window
from plugins.healthcare.diagnose_cases import (
    Pixels,
    config,
    diagnose,
    dicom_image,
    dicom_series,
    pictures,
    png_table,
    save_nifti,
    save_npz,
    save_png,
    write_table,
)


def volume_table(folder: Path, count: int = 6) -> Path:
    """Series of different depths, and NIfTI files, in turn."""
    rows: list[dict[str, object]] = []
    for number in range(count):
        values = pictures([number % 2], number, depth=5 + number)[0]
        name = f"{number}" if number % 2 else f"{number}.nii.gz"
        if number % 2:
            dicom_series(folder / name, values, f"P{number}")
        else:
            save_nifti(folder / name, values)
        rows.append({"path": name, "label": number % 2, "patient": f"p{number}"})
    return write_table(folder / "labels.csv", rows)


def colour_table(folder: Path, count: int = 6) -> Path:
    """Colour pictures of several sizes."""
    rows: list[dict[str, object]] = []
    for number in range(count):
        channels = [pictures([number % 2], 3 * number + channel)[0] for channel in range(3)]
        save_png(folder / f"{number}.png", np.stack(channels, axis=-1)[: 12 - number])
        rows.append({"path": f"{number}.png", "label": number % 2})
    return write_table(folder / "labels.csv", rows)


# Facts


def test_facts_are_of_the_training_split(tmp_path: Path) -> None:
    pipeline = diagnose()
    splits = pipeline.split(pipeline.read(png_table(tmp_path, 40)))
    train = pipeline.samples(splits.train)
    assert isinstance(train, Images)
    everything = all_samples(train)
    facts = train.facts
    assert (facts.size, facts.channels, facts.unit) == ([12, 12], 1, "patient")
    assert "depth" not in facts
    assert everything["input"].dtype == torch.uint8
    assert facts.mean == pytest.approx([everything["input"].double().mean().item()])
    assert facts.std == pytest.approx([everything["input"].double().std(correction=0).item()])
    assert facts.known_counts == [len(train)]
    assert facts.yes_counts == [int(everything["target"].sum())]
    assert set(facts.quality) == set(MEASURES)
    pipeline.facts = facts
    assert pipeline.samples(splits.test).facts == facts


def test_volumes_are_tensors_with_depth(tmp_path: Path) -> None:
    pipeline = diagnose(depth=4, size=8)
    samples = pipeline.samples(pipeline.read(volume_table(tmp_path)))
    batch = samples.batch(torch.tensor([3, 0]))
    assert batch["input"].shape == (2, 1, 4, 8, 8)
    assert (samples.facts.depth, samples.facts.size, samples.facts.channels) == (4, [8, 8], 1)
    baseline = pipeline.baselines(samples.facts)[1]
    assert baseline.name == "logistic regression on 8x14x14 pixels"
    logits = pipeline.task(samples.facts).eval().predict(batch)["logits"]
    assert logits.shape == (2, 1)


def test_slices_of_a_volume_are_varied_alike(tmp_path: Path) -> None:
    values = np.repeat(pictures([1, 0], 3)[:, None], 5, axis=1)  # every slice the same
    file = save_npz(tmp_path / "a.npz", train_images=values, train_labels=np.array([0, 1]))
    pipeline = diagnose(augment={"crop": 0.25, "affine": {"degrees": 20.0}})
    samples = pipeline.samples(pipeline.read(file))
    vary = pipeline.augment(samples.facts)
    assert vary is not None
    varied = vary(samples.batch(torch.arange(2)), torch.Generator().manual_seed(0))["input"]
    assert varied.shape == (2, 1, 5, 12, 12)
    assert all(torch.equal(varied[:, :, 0], varied[:, :, place]) for place in range(5))
    assert not torch.equal(varied[:, 0, 0], torch.from_numpy(values[:, 0]))


@pytest.mark.parametrize("make", [png_table, colour_table, volume_table])
def test_on_disk_and_in_memory_are_the_same(make: Callable[[Path], Path], tmp_path: Path) -> None:
    file = make(tmp_path)
    held, lazy = (diagnose(size=10, memory=memory) for memory in (2.0, 0.0))
    there, here = held.read(file), lazy.read(file)
    assert "path" not in there
    assert "image" not in here
    keys, others = held.fingerprints(there), lazy.fingerprints(here)
    assert keys.exact.tolist() == others.exact.tolist()
    assert keys.near is not None
    assert others.near is not None
    assert np.array_equal(keys.near, others.near, equal_nan=True)
    first, second = held.samples(there), lazy.samples(here)
    assert isinstance(second, Images)
    assert second.tensors() is None
    assert first.tensors() is not None
    assert first.facts == second.facts
    assert first.ids.tolist() == second.ids.tolist()
    indices = torch.tensor([4, 0, 5])
    for name, tensor in first.batch(indices).items():
        assert torch.equal(second.batch(indices)[name], tensor)


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    pipeline = diagnose(memory=0)
    samples = pipeline.samples(pipeline.read(png_table(tmp_path, 4)))
    (tmp_path / "002.png").unlink()
    with pytest.raises(DataError, match=r"002\.png: expected an image file, found none that can be opened"):
        samples.batch(torch.arange(4))


# Form


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (Form((12, 12), 1), {}),
        (Form((32, 32), 1), {"size": 32}),
        (Form((12, 12), 3, way="crop"), {"channels": 3, "fit": "crop"}),
        (Form((12, 12), 1, window=Window("given", 40, 400)), {"window": "40,400"}),
        (Form((224, 224), 1), {"model": {"kind": "efficientnet-lite0"}}),
    ],
)
def test_the_form_of_images(tmp_path: Path, expected: Form, changes: dict[str, object]) -> None:
    table = diagnose(size=12).read(png_table(tmp_path, 4))
    assert decide_form(table, config(**changes), None, None) == expected


def test_sizes_that_differ_or_are_large_are_brought_to_one(tmp_path: Path) -> None:
    assert diagnose().read(colour_table(tmp_path / "sizes"))["image"].shape == (6, 128, 128, 3)
    save_png(tmp_path / "large" / "0.png", np.zeros((100, 100), np.uint8))
    save_png(tmp_path / "large" / "1.png", np.ones((100, 100), np.uint8))
    rows = [{"path": f"{number}.png", "label": number} for number in range(2)]
    table = diagnose().read(write_table(tmp_path / "large" / "labels.csv", rows))
    assert table["image"].shape == (2, 128, 128)


def test_volumes_keep_one_small_size_or_are_brought_to_64(tmp_path: Path) -> None:
    volumes = pictures([0, 1], depth=7)
    file = save_npz(tmp_path / "a.npz", train_images=volumes, train_labels=np.array([0, 1]))
    assert diagnose().read(file)["image"].shape == (2, 7, 12, 12)
    assert diagnose(depth=4).read(file)["image"].shape == (2, 4, 12, 12)
    assert diagnose().read(volume_table(tmp_path / "mixed", 2))["image"].shape == (2, 64, 64, 64)


def test_what_follows_a_training_takes_its_form(tmp_path: Path) -> None:
    pipeline = diagnose()
    pipeline.facts = pipeline.samples(pipeline.read(png_table(tmp_path / "train", 4))).facts
    photo = save_png(tmp_path / "photo.png", np.full((30, 20, 3), 200, np.uint8))
    samples = pipeline.samples(pipeline.read_inputs(photo))
    batch = samples.batch(torch.tensor([0]))
    assert batch["input"].shape == (1, 1, 12, 12)
    assert "target" not in batch
    assert samples.facts == pipeline.facts
    scan = save_nifti(tmp_path / "scan.nii", pictures([1], depth=5)[0])
    message = r"scan\.nii: expected an image as the other samples are, found a volume of 5 x 12 x 12; keep"
    with pytest.raises(DataError, match=message):
        pipeline.read_inputs(scan)


def test_images_where_volumes_were_trained_on(tmp_path: Path) -> None:
    pipeline = diagnose()
    pipeline.facts = pipeline.samples(pipeline.read(volume_table(tmp_path / "train", 2))).facts
    dicom_image(tmp_path / "one.dcm", pictures([1])[0])
    with pytest.raises(
        DataError, match=r"expected a volume as the other samples are, found an image of 12 x 12"
    ):
        pipeline.read_inputs(tmp_path / "one.dcm")


def test_padding_keeps_proportions_and_adds_black() -> None:
    image = np.full((4, 8), 200, np.uint8)
    fitted = Form((8, 8), 1).fit(image)
    assert fitted[2:6].min() == 200
    assert fitted[:2].max() == fitted[6:].max() == 0


WAYS: tuple[Fit, ...] = ("pad", "squash", "crop")
SIDES = st.integers(8, 40)


@settings(max_examples=60, deadline=None)
@given(way=st.sampled_from(WAYS), height=SIDES, width=SIDES, rows=SIDES, columns=SIDES)
def test_a_map_lies_over_the_image_where_it_lay_over_its_form(
    way: Fit, height: int, width: int, rows: int, columns: int
) -> None:
    """A ramp that is brought to the form and back is the same ramp, but at edges that interpolation blurs."""
    form = Form((height, width), 1, way=way)
    for axis, length in ((0, rows), (1, columns)):
        ramp = np.linspace(0, 255, length)
        image = np.broadcast_to(ramp[:, None] if axis == 0 else ramp, (rows, columns))
        heat = form.fit(np.ascontiguousarray(image.round().astype(np.uint8))).astype(np.float32)
        back = form.unfit(heat, (rows, columns))
        assert back.shape == (rows, columns)
        scale = max(height / rows, width / columns)
        kept = (1.0, 1.0) if way != "crop" else (height / (scale * rows), width / (scale * columns))
        inner = [_inner(side, share) for side, share in zip((rows, columns), kept, strict=True)]
        apart = np.abs(back - image)[np.ix_(*inner)]
        step = 255 / min(height, width, rows, columns)
        assert apart.size == 0 or apart.max() < 3 * step


def _inner(side: int, share: float) -> Array:
    """The middle ``share`` of a side, without what is near its ends."""
    centres = (np.arange(side) + 0.5) / side
    return np.flatnonzero(np.abs(centres - 0.5) < share / 2 - 0.2)


def test_what_was_cut_off_has_no_heat() -> None:
    back = Form((8, 8), 1, way="crop").unfit(np.ones((8, 8), np.float32), (8, 16))
    assert back[:, 4:12].min() == 1
    assert back[:, :4].max() == back[:, 12:].max() == 0


@pytest.mark.parametrize("way", ["pad", "squash"])
def test_even_heat_stays_even(way: Fit) -> None:
    for shape, size in product([(7, 20), (31, 9), (12, 12)], [(8, 8), (16, 6)]):
        heat = np.ones(size, np.float32)
        assert Form(size, 1, way=way).unfit(heat, shape) == pytest.approx(np.ones(shape))


def test_volumes_are_averaged_when_they_shrink() -> None:
    volume = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    assert np.array_equal(resize_volume(volume, (2, 4, 4)), volume)
    by_hand = volume.reshape(1, 2, 2, 2, 2, 2).mean(axis=(1, 3, 5))
    assert np.array_equal(resize_volume(volume, (1, 2, 2)), np.round(by_hand).astype(np.uint8))


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    size=st.tuples(*[st.integers(1, 9)] * 3),
    seed=st.integers(0, 99),
)
def test_volumes_stay_within_their_values(
    shape: tuple[int, int, int], size: tuple[int, int, int], seed: int
) -> None:
    volume = np.random.default_rng(seed).integers(40, 200, shape, dtype=np.uint8)
    found = resize_volume(volume, size)
    assert found.shape == size
    assert found.dtype == np.uint8
    assert volume.min() <= found.min() <= found.max() <= volume.max()


def test_a_window_decides_what_is_seen(tmp_path: Path) -> None:
    save_nifti(tmp_path / "a.nii", np.array([[[-1000, 0], [60, 3000]]] * 2))
    given, full = (Form((2, 2), 1, 2, window=Window.parse(text)) for text in ("40,400", "full"))
    path = str(tmp_path / "a.nii")
    assert given.read(path)[0].tolist() == [[0, round(160 * 255 / 400)], [round(220 * 255 / 400), 255]]
    assert full.read(path)[0].tolist() == [[0, round(1000 * 255 / 4000)], [round(1060 * 255 / 4000), 255]]


# Quality


def test_measures_of_quality_by_hand() -> None:
    flat = np.full((1, 1, 6, 6), 100, np.uint8)
    half = np.zeros((1, 1, 6, 6), np.uint8)
    half[..., 3:] = 255
    assert measure_quality(flat)[0].tolist() == [100, 0, 0, 0, 0]
    brightness, contrast, sharpness, dark, bright = measure_quality(half)[0]
    assert (brightness, contrast, dark, bright) == (127.5, 127.5, 0.5, 0.5)
    # the Laplacian of the inner four columns is 0, 255, -255, 0
    assert sharpness == pytest.approx(np.std([0, 255, -255, 0]))


def test_of_volumes_the_middle_slice_is_measured() -> None:
    volume = np.zeros((1, 1, 5, 6, 6), np.uint8)
    volume[:, :, 2] = 80
    assert measure_quality(volume)[0, 0] == 80


def test_pictures_that_stand_out_are_found_farthest_first() -> None:
    usual = pictures([0, 1] * 30)[:, None]
    facts = Facts(quality=usual_quality(measure_quality(usual)))
    strange: Pixels = np.concatenate(
        [usual[:2], np.full((1, 1, 12, 12), 255, np.uint8), usual[2:3] // 2 + 110]
    )
    found = outliers(measure_quality(strange), facts)
    assert [one.index for one in found] == [2, 3]
    assert found[0].measure == "bright"
    assert all(abs(one.distance) > LIMIT for one in found)
    assert outliers(measure_quality(usual[:1]), facts) == []
