from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from fivefold.config.image_network import ImageNetworkConfig
from fivefold.config.image_variation import AffineConfig
from fivefold.data.dataset import all_samples
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.images.statistics import channel_statistics
from fivefold_vision.classify.config import AugmentConfig, ClassifyConfig
from fivefold_vision.classify.pipeline import Classify
from fivefold_vision.files import ImageFiles
from plugins.vision.pictures import idx_folder, image_folder, picture, save


def pipeline(**settings: object) -> Classify:
    return Classify(ClassifyConfig.model_validate(settings))


def refuse(source: Path, message: str, **settings: object) -> None:
    with pytest.raises(DataError, match=message) as caught:
        pipeline(**settings).read(source)
    assert "\n" not in str(caught.value)


# From a source to samples


def test_a_folder_becomes_samples(tmp_path: Path) -> None:
    classify = pipeline()
    assert (
        classify.recognise(image_folder(tmp_path, height=90, width=120)) == "a folder of images in 2 classes"
    )
    table = classify.read(tmp_path)
    assert table["image"].shape == (20, 128, 128, 3)
    splits = classify.split(table)
    assert (len(splits.train), len(splits.val), len(splits.test)) == (16, 2, 2)
    samples = classify.samples(splits.train)
    batch = samples.batch(torch.tensor([3, 0]))
    assert batch["input"].shape == (2, 3, 128, 128)
    assert batch["input"].dtype == torch.uint8
    assert batch["target"].tolist() == [0, 0]
    facts = samples.facts
    assert facts.classes == ["cat", "dog"]
    assert (facts.size, facts.channels, facts.class_counts) == ([128, 128], 3, [8, 8])
    everything = all_samples(samples)["input"].double()
    assert facts.mean == pytest.approx(everything.mean(dim=(0, 2, 3)).tolist())
    assert facts.std == pytest.approx(everything.std(dim=(0, 2, 3), correction=0).tolist())


def test_small_images_keep_their_size_and_grey_ones_stay_grey(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(3):
            grey = picture(number, 20, 30, grey=True)
            save(tmp_path / name / f"{number}.png", np.repeat(grey[:, :, None], 3, axis=2))
    assert pipeline().read(tmp_path)["image"].shape == (6, 20, 30)
    assert pipeline(size=16, channels=3).read(tmp_path)["image"].shape == (6, 16, 16, 3)


def test_idx_becomes_samples_of_its_own_splits(tmp_path: Path) -> None:
    classify = pipeline()
    splits = classify.split(classify.read(idx_folder(tmp_path)))
    assert len(splits.test) == 10
    assert len(splits.train) + len(splits.val) == 40
    batch = classify.samples(splits.test).batch(torch.arange(10))
    assert torch.equal(batch["input"][3, 0], torch.from_numpy(picture(3, 8, 8, grey=True)))
    assert batch["target"].tolist() == [n % 4 for n in range(10)]


def test_images_on_disk_give_the_same_samples_as_in_memory(tmp_path: Path) -> None:
    image_folder(tmp_path)
    held, lazy = pipeline(size=20), pipeline(size=20, memory=0)
    held_samples = held.samples(held.read(tmp_path))
    table = lazy.read(tmp_path)
    assert "image" not in table
    samples = lazy.samples(table)
    assert isinstance(samples, ImageFiles)
    assert samples.tensors() is None
    assert samples.facts == held_samples.facts
    indices = torch.tensor([7, 2, 15])
    for name, tensor in held_samples.batch(indices).items():
        assert torch.equal(samples.batch(indices)[name], tensor)
        assert torch.equal(samples.batch(indices)[name], samples.batch(indices)[name])
    assert samples.ids.tolist() == held_samples.ids.tolist()


def test_images_on_disk_that_vanish_are_named(tmp_path: Path) -> None:
    classify = pipeline(memory=0)
    table = classify.read(image_folder(tmp_path))
    samples = classify.samples(table)
    (tmp_path / "cat" / "3.png").unlink()
    with pytest.raises(DataError, match=r"cat/3\.png: expected an image file, found none that can be opened"):
        samples.batch(torch.arange(5))


def test_equal_images_have_equal_fingerprints_in_memory_and_on_disk(tmp_path: Path) -> None:
    image_folder(tmp_path, each=3)
    save(tmp_path / "dog" / "copy.png", picture(1) // 2)  # cat/1 again
    bright = np.clip((picture(2) // 2).astype(int) + 9, 0, 255).astype(np.uint8)
    save(tmp_path / "dog" / "near.png", bright)
    for memory in (0, 1):
        classify = pipeline(memory=memory)
        table = classify.read(tmp_path)
        keys = classify.fingerprints(table)
        row = {name: number for number, name in enumerate(table.ids)}
        assert keys.exact[row["cat/1.png"]] == keys.exact[row["dog/copy.png"]]
        assert len(set(keys.exact)) == 7
        assert keys.near is not None
        distances = np.linalg.norm(keys.near - keys.near[row["dog/near.png"]], axis=1)
        close = {str(table.ids[number]) for number in np.flatnonzero(distances <= keys.near_distance)}
        assert close == {"dog/near.png", "cat/2.png"}


def test_groups_are_kept_together_and_are_the_unit(tmp_path: Path) -> None:
    rows = ["path,label,patient"]
    for number in range(40):
        save(tmp_path / f"{number}.png", picture(number, 12, 12))
        rows.append(f"{number}.png,{'ab'[number % 2]},p{number // 4}")
    (tmp_path / "list.csv").write_text("\n".join(rows), encoding="utf-8")
    classify = pipeline(columns={"group": "patient"})
    splits = classify.split(classify.read(tmp_path / "list.csv"))
    units = [set(part.units) for part in (splits.train, splits.val, splits.test) if part.units is not None]
    assert len(units) == 3
    assert not units[0] & units[1]
    assert not units[0] & units[2]
    samples = classify.samples(splits.train)
    assert samples.facts.unit == "patient"
    assert samples.units is not None


# What to predict follows what was trained on


def test_inputs_follow_the_facts(tmp_path: Path) -> None:
    classify = pipeline()
    train = classify.samples(classify.read(idx_folder(tmp_path / "idx")))
    classify.facts = train.facts
    photo = save(tmp_path / "photo.jpg", picture(1, 90, 70))
    samples = classify.samples(classify.read_inputs(photo))
    assert samples.batch(torch.tensor([0]))["input"].shape == (1, 1, 8, 8)
    assert "target" not in samples.batch(torch.tensor([0]))
    assert samples.facts == train.facts
    assert samples.ids.tolist() == ["photo.jpg"]
    np.savez(tmp_path / "new.npz", images=np.zeros((3, 20, 20, 3), np.uint8))
    samples = classify.samples(classify.read_inputs(tmp_path / "new.npz"))
    assert samples.batch(torch.arange(3))["input"].shape == (3, 1, 8, 8)


def test_data_to_judge_may_hold_one_class_only(tmp_path: Path) -> None:
    classify = pipeline()
    classify.facts = classify.samples(classify.read(image_folder(tmp_path / "train"))).facts
    table = classify.read(image_folder(tmp_path / "new", classes=("dog",))).recode(classify.facts.classes)
    assert set(table["label"]) == {1}
    unknown = classify.read(image_folder(tmp_path / "other", classes=("cow",)))
    with pytest.raises(DataError, match=r"cow/0\.png: unknown label 'cow'; the model knows cat, dog"):
        unknown.recode(classify.facts.classes)


# Bad input


@pytest.mark.parametrize("memory", [0, 1])
def test_a_truncated_jpeg_is_an_error(tmp_path: Path, memory: int) -> None:
    image_folder(tmp_path)
    path = save(tmp_path / "cat" / "cut.jpg", picture(1, 100, 100))
    path.write_bytes(path.read_bytes()[:700])
    refuse(
        tmp_path,
        r"cat/cut\.jpg: expected a whole JPEG, found one that is cut off after 700 bytes",
        memory=memory,
    )


def test_a_text_file_named_jpg_is_an_error(tmp_path: Path) -> None:
    image_folder(tmp_path)
    (tmp_path / "cat" / "fake.jpg").write_text("no picture", encoding="utf-8")
    refuse(tmp_path, r"cat/fake\.jpg: expected an image, found text; .*--max-bad-share allows a share")


def test_bad_images_can_be_left_out_but_are_told_of(tmp_path: Path) -> None:
    image_folder(tmp_path)
    for name in ("x", "y"):
        (tmp_path / "cat" / f"{name}.jpg").write_text("no picture", encoding="utf-8")
    refuse(tmp_path, r"x\.jpg: expected an image.*\(1 more of 22 cannot be read either\)", max_bad_share=0.05)
    with pytest.raises(DataError, match=r"x\.jpg: expected an image"):  # in a prediction none may be missing
        pipeline(max_bad_share=0.1).read_inputs(tmp_path)
    table = pipeline(max_bad_share=0.1).read(tmp_path)
    assert len(table) == 20
    assert [problem.sample for problem in table.problems] == ["cat/x.jpg", "cat/y.jpg"]
    assert [str(problem.reason).count("found text") for problem in table.problems] == [1, 1]


def test_one_class_only(tmp_path: Path) -> None:
    refuse(
        image_folder(tmp_path, classes=("cat",)),
        "expected images of two classes or more, found only 'cat'; add another",
    )


def test_no_images_in_an_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", train_images=np.zeros((0, 8, 8), np.uint8), train_labels=np.zeros(0, int))
    refuse(tmp_path / "a.npz", "expected images of two classes or more, found none")


def test_sixteen_bit_cmyk_and_palette_images_work(tmp_path: Path) -> None:
    image_folder(tmp_path, each=2)
    Pillow.fromarray(picture(1)).convert("CMYK").save(tmp_path / "cat" / "cmyk.jpg")
    Pillow.fromarray(picture(1)).quantize(8).save(tmp_path / "cat" / "palette.png")
    Pillow.fromarray(picture(1, grey=True).astype(np.uint16) * 257).save(tmp_path / "dog" / "deep.png")
    table = pipeline().read(tmp_path)
    assert len(table) == 7
    assert table.problems == ()


# The pieces of a training


def facts_of(tmp_path: Path, **settings: object) -> tuple[Classify, Table]:
    classify = pipeline(**settings)
    return classify, classify.read(idx_folder(tmp_path))


@pytest.mark.parametrize(
    "model",
    [
        {"kind": "cnn", "width": 4, "dropout": 0.1},
        {"kind": "resnet18"},
        {"kind": "resnet18", "stem": "large"},
        {"kind": "wide-resnet", "depth": 10, "width": 1},
        {"kind": "efficientnet-lite0", "pretrained": False},
    ],
)
def test_every_kind_learns_and_predicts(tmp_path: Path, model: dict[str, object]) -> None:
    classify, table = facts_of(
        tmp_path, model=model, size=32 if model["kind"] == "efficientnet-lite0" else None
    )
    samples = classify.samples(table)
    task = classify.task(samples.facts)
    task.prepare(samples)
    batch = samples.batch(torch.arange(6))
    task.loss(batch, "main").value.backward()
    assert all(parameter.grad is not None for parameter in task.parameters())
    outputs = task.eval().predict(batch)
    assert outputs["probabilities"].shape == (6, 4)


def test_a_small_network_learns_a_batch_by_heart(tmp_path: Path) -> None:
    torch.manual_seed(0)
    classify, table = facts_of(tmp_path, model={"width": 8})
    samples = classify.samples(table)
    task = classify.task(samples.facts)
    batch = samples.batch(torch.arange(16))
    optimizer = torch.optim.AdamW(task.parameters(), lr=2e-2)
    for _ in range(25):
        optimizer.zero_grad()
        loss = task.loss(batch, "main").value
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_a_frozen_backbone_stays_as_it_is(tmp_path: Path) -> None:
    model = {"kind": "efficientnet-lite0", "pretrained": False, "freeze": True}
    classify, table = facts_of(tmp_path, model=model, size=32)
    samples = classify.samples(table)
    task = classify.task(samples.facts).train()
    before = {name: tensor.clone() for name, tensor in task.state_dict().items()}
    task.loss(samples.batch(torch.arange(8)), "main").value.backward()
    learning = {name for name, parameter in task.named_parameters() if parameter.grad is not None}
    assert learning == {"network.backbone.head.3.weight", "network.backbone.head.3.bias"}
    assert all(torch.equal(before[name], tensor) for name, tensor in task.state_dict().items())


def test_pixels_are_scaled_by_the_training_split(tmp_path: Path) -> None:
    classify, table = facts_of(tmp_path)
    samples = classify.samples(table)
    network = classify.task(samples.facts).network
    seen: list[torch.Tensor] = []
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(all_samples(samples)["input"])
    assert seen[0].mean().item() == pytest.approx(0, abs=1e-5)
    assert seen[0].std().item() == pytest.approx(1, abs=1e-3)


def test_test_time_flip_makes_predictions_mirror_free(tmp_path: Path) -> None:
    classify, table = facts_of(tmp_path, test_time_flip=True)
    samples = classify.samples(table)
    task = classify.task(samples.facts).eval()
    batch = samples.batch(torch.arange(4))
    mirrored = {"input": batch["input"].flip(3)}
    torch.testing.assert_close(task.predict(batch)["logits"], task.predict(mirrored)["logits"])


def test_augmentation_follows_the_settings(tmp_path: Path) -> None:
    augment = AugmentConfig(
        crop=0.25, flip=0.5, affine=AffineConfig(degrees=5), erasing=0.3, mixup=0.2, cutmix=1.0
    )
    classify, table = facts_of(tmp_path, augment=augment.model_dump())
    samples = classify.samples(table)
    vary = classify.augment(samples.facts)
    assert vary is not None
    batch = vary(samples.batch(torch.arange(8)), torch.Generator().manual_seed(0))
    assert batch["target"].shape == (8, 4)
    classify.task(samples.facts).loss(batch, "main").value.backward()


def test_balanced_sampling_sees_classes_alike(tmp_path: Path) -> None:
    images = np.zeros((10, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", train_images=images, train_labels=np.array([0] * 8 + [1] * 2))
    classify = pipeline(balanced_sampling=True)
    samples = classify.samples(classify.read(tmp_path / "a.npz"))
    weights = classify.sample_weights(samples)
    assert weights is not None
    assert weights[:8].sum() == pytest.approx(weights[8:].sum())
    assert pipeline().sample_weights(samples) is None


def test_baselines_see_small_pixels(tmp_path: Path) -> None:
    classify, table = facts_of(tmp_path)
    samples = classify.samples(table)
    names = []
    for baseline in classify.baselines(samples.facts):
        baseline.fit(samples)
        assert baseline.predict(samples)["probabilities"].shape == (50, 4)
        names.append(baseline.name)
    assert names == ["majority class", "logistic regression on 8x8 pixels"]


def test_statistics_of_channels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2500, 3, 4, 5), dtype=np.uint8)
    mean, spread = channel_statistics(images)
    assert mean == pytest.approx(images.mean(axis=(0, 2, 3)).tolist())
    assert spread == pytest.approx(images.std(axis=(0, 2, 3)).tolist())
    assert channel_statistics(np.zeros((1, 1, 2, 2), np.uint8)) == ([0.0], [1.0])


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"kind": "cnn", "depth": 28},
            "'depth' does not apply to the kind 'cnn', which has dropout, width; leave it away",
        ),
        ({"kind": "resnet18", "pretrained": True}, "'pretrained' does not apply to the kind 'resnet18'"),
        ({"kind": "huggingface"}, "needs 'name', a hub name or a local folder"),
        ({"kind": "wide-resnet", "depth": 27}, r"must be 6 n \+ 4"),
    ],
)
def test_settings_of_another_kind_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageNetworkConfig.model_validate(settings)


def test_settings_survive_being_written_and_read() -> None:
    for preset in Classify.presets.values():
        config = preset()
        assert ClassifyConfig.model_validate(config.model_dump(mode="json")) == config
        assert preset.__doc__
    with pytest.raises(ValueError, match="balance the classes twice"):
        ClassifyConfig(class_weights=True, balanced_sampling=True)


def test_every_setting_is_documented() -> None:
    for model in (ClassifyConfig, ImageNetworkConfig, AugmentConfig, AffineConfig):
        undocumented = [
            name
            for name, field in model.model_fields.items()
            if not field.description and name in model.__annotations__ and not name.startswith("model")
        ]
        assert set(undocumented) <= {"columns", "augment", "affine"}  # these are documented as models
