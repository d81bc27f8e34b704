from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from fivefold.errors import ConfigError, DataError, RunError
from fivefold.runs import Run
from fivefold_vision.classify.config import ClassifyConfig
from fivefold_vision.classify.pipeline import Classify
from fivefold_vision.generate.extractors import build_extractor
from fivefold_vision.generate.inception import InceptionV3, fitting, resized_as_tensorflow
from fivefold_vision.generate.trained_classifier import TrainedClassifier
from plugins.vision.pictures import idx_folder


def images(count: int = 5, channels: int = 1, size: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def own_weights(network: nn.Module) -> dict[str, torch.Tensor]:
    """As published files have them: without counters, and with statistics that differ from channel to channel."""
    generator = torch.Generator().manual_seed(0)
    weights = {name: tensor for name, tensor in network.state_dict().items() if "num_batches" not in name}
    for name, tensor in weights.items():
        if ".bn." in name:
            weights[name] = torch.rand(tensor.shape, generator=generator) * 0.2 + 0.1
    return weights


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """As a training leaves it, but for the training."""
    root = tmp_path_factory.mktemp("classifier")
    config = ClassifyConfig.model_validate({"model": {"kind": "cnn", "width": 4}, "test_time_flip": True})
    pipeline = Classify(config)
    facts = pipeline.samples(pipeline.read(idx_folder(root / "idx"))).facts
    torch.manual_seed(0)
    task = pipeline.task(facts)
    task.temperature.fill_(2.0)
    info = {"pipeline": "vision/classify", "status": "complete", "facts": dict(facts)}
    made = Run.create(root / "judge", config.model_dump(mode="json"), info)
    save_file(task.state_dict(), made.weights)
    (made.path / "report.json").write_text('{"metrics": {"accuracy": {"value": 0.925}}}', encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def inception() -> InceptionV3:
    torch.manual_seed(0)
    network = InceptionV3()
    network.load_state_dict(own_weights(network))
    return network.eval()


def test_pixels_are_the_images_laid_flat() -> None:
    extractor = build_extractor("pixels", size=8, channels=3)
    found = extractor(images(channels=3))
    assert (extractor.name, extractor.width) == ("pixels", 192)
    assert torch.equal(found, images(channels=3).flatten(1))
    assert extractor.train().training is False


@pytest.mark.parametrize(
    ("name", "size", "channels", "message"),
    [
        (
            "pixels",
            32,
            1,
            "at most 28x28 pixels, found 32x32; choose efficientnet-lite0, which takes any size",
        ),
        ("pixels", 8, 4, "images of 1 or 3 channels to judge, found 4"),
        (
            "resnet",
            8,
            1,
            "extractor 'resnet' is not known.*expected one of efficientnet-lite0, efficientnet-lite0@SIZE",
        ),
        ("efficientnet-lite0@", 8, 1, "a size of 32 to 512 after '@', found ''"),
        ("efficientnet-lite0@16", 8, 1, "a size of 32 to 512 after '@', found '16'"),
        ("efficientnet-lite0@big", 8, 1, "a size of 32 to 512 after '@', found 'big'"),
        (
            "inception:nowhere.safetensors",
            8,
            1,
            "nowhere.safetensors: expected a safetensors file.*found no file",
        ),
    ],
)
def test_what_does_not_fit_is_refused(name: str, size: int, channels: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_extractor(name, size=size, channels=channels)


def test_a_run_gives_the_features_below_its_logits(run: Run) -> None:
    extractor = build_extractor(str(run.path), size=8, channels=1)
    assert isinstance(extractor, TrainedClassifier)
    assert (extractor.name, extractor.width) == ("judge", 16)
    found = extractor(images())
    backbone = extractor.task.network.backbone
    pixels = ((images() + 1) * 127.5 - extractor.task.network.mean) / extractor.task.network.std
    expected = backbone.feature_map(pixels).mean(dim=(2, 3))
    torch.testing.assert_close(found, expected)
    assert not found.requires_grad


def test_a_run_sees_generated_images_as_it_saw_its_own(run: Run) -> None:
    extractor = TrainedClassifier(run.path, 1)
    pixels = torch.randint(0, 256, (4, 1, 8, 8), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    expected = extractor.task.predict({"input": pixels})["probabilities"]
    found = extractor.probabilities(pixels / 127.5 - 1)
    torch.testing.assert_close(found, expected)
    assert extractor.classes == ("0", "1", "2", "3")
    assert extractor.accuracy == 0.925


def test_a_run_brings_images_to_its_size_and_takes_few_at_once(run: Run) -> None:
    extractor = TrainedClassifier(run.path, 1)
    smooth = torch.linspace(-1, 1, 16).expand(3, 1, 16, 16)
    torch.testing.assert_close(extractor(smooth), extractor(F.avg_pool2d(smooth, 2)), rtol=0.05, atol=0.05)
    whole = extractor(images(7))
    extractor.at_once = 2
    torch.testing.assert_close(extractor(images(7)), whole)


def test_a_grey_run_does_not_judge_colour(run: Run) -> None:
    with pytest.raises(
        ConfigError, match="reads grey images, and those to judge have 3 channels; name a run trained"
    ):
        build_extractor(str(run.path), size=8, channels=3)


def test_directories_that_are_no_classifier_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"expected a run directory with a run\.json"):
        build_extractor(str(tmp_path), size=8, channels=1)
    Run.create(tmp_path / "other", {}, {"pipeline": "nlp/classify", "status": "complete"})
    with pytest.raises(ConfigError, match=r"expected a run of vision/classify.*found one of nlp/classify"):
        build_extractor(str(tmp_path / "other"), size=8, channels=1)


def test_inception_has_the_published_size(inception: InceptionV3) -> None:
    # torchvision's has 27,161,264 parameters with its auxiliary classifier of 3,326,696, and 1,000 classes.
    assert sum(weight.numel() for weight in inception.parameters()) == 27_161_264 - 3_326_696 + 8 * 2049
    shapes = {name: tuple(tensor.shape) for name, tensor in inception.state_dict().items()}
    assert shapes["Mixed_5b.branch5x5_2.conv.weight"] == (64, 48, 5, 5)
    assert shapes["Mixed_6c.branch7x7dbl_4.conv.weight"] == (160, 160, 7, 1)
    assert shapes["Mixed_7c.branch3x3dbl_3b.bn.running_var"] == (384,)
    assert shapes["fc.weight"] == (1008, 2048)


def test_inception_weights_make_the_round_trip(tmp_path: Path, inception: InceptionV3) -> None:
    file = tmp_path / "inception.safetensors"
    save_file(own_weights(inception), file)
    extractor = build_extractor(f"inception:{file}", size=28, channels=1)
    assert (extractor.name, extractor.width) == ("inception-v3", 2048)
    grey = images(2, size=28)
    found = extractor(grey)
    assert found.shape == (2, 2048)
    with torch.no_grad():
        torch.testing.assert_close(found, inception(((grey + 1) * 127.5).expand(-1, 3, -1, -1)))
    assert torch.isfinite(found).all()
    assert not torch.equal(found[0], found[1])


def test_blocks_of_inception_have_the_shapes_of_the_paper(inception: InceptionV3) -> None:
    shapes = []
    handles = [
        module.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[1:])))
        for name, module in inception.named_children()
        if name.startswith("Mixed")
    ]
    with torch.no_grad():
        inception(torch.zeros(1, 3, 10, 10))
    for handle in handles:
        handle.remove()
    assert shapes == [
        (256, 35, 35),
        *[(288, 35, 35)] * 2,
        *[(768, 17, 17)] * 5,
        (1280, 8, 8),
        *[(2048, 8, 8)] * 2,
    ]


def test_chains_of_inception_are_wired_as_their_names_say(inception: InceptionV3) -> None:
    shown = torch.rand(1, 2048, 4, 4, generator=torch.Generator().manual_seed(0))
    block = inception.Mixed_7c
    with torch.no_grad():
        single, double = block.branch3x3_1(shown), block.branch3x3dbl_2(block.branch3x3dbl_1(shown))
        parts = [
            block.branch1x1(shown),
            block.branch3x3_2a(single),
            block.branch3x3_2b(single),
            block.branch3x3dbl_3a(double),
            block.branch3x3dbl_3b(double),
            block.branch_pool(F.max_pool2d(shown, 3, 1, 1)),
        ]
        assert torch.equal(block(shown), torch.cat(parts, dim=1))

    shown = torch.rand(1, 192, 5, 5, generator=torch.Generator().manual_seed(1))
    block = inception.Mixed_5b
    around = F.avg_pool2d(F.pad(shown, (1, 1, 1, 1)), 3, 1) / F.avg_pool2d(
        F.pad(torch.ones_like(shown), (1, 1, 1, 1)), 3, 1
    )
    with torch.no_grad():
        torch.testing.assert_close(block(shown)[:, -32:], block.branch_pool(around))

    shown = torch.rand(1, 288, 5, 5, generator=torch.Generator().manual_seed(2))
    block = inception.Mixed_6a
    with torch.no_grad():
        chain = block.branch3x3dbl_3(block.branch3x3dbl_2(block.branch3x3dbl_1(shown)))
        assert torch.equal(
            block(shown), torch.cat([block.branch3x3(shown), chain, F.max_pool2d(shown, 3, 2)], dim=1)
        )


def test_weights_of_another_network_are_refused(tmp_path: Path, inception: InceptionV3) -> None:
    weights = own_weights(inception)
    assert fitting(weights) is None
    narrow = weights | {"fc.weight": torch.zeros(1000, 2048)}
    assert fitting(narrow) == "'fc.weight' has the shape [1000, 2048], expected [1008, 2048]"
    assert (
        fitting(weights | {"AuxLogits.fc.bias": torch.zeros(1)})
        == "'AuxLogits.fc.bias' is none of its weights"
    )
    file = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(1)}, file)
    with pytest.raises(
        DataError, match=r"other\.safetensors: expected the weights of FID's Inception-v3.*there is no"
    ):
        build_extractor(f"inception:{file}", size=8, channels=1)
    torch.save(weights["fc.bias"], tmp_path / "pickle.pth")
    with pytest.raises(DataError, match=r"pickle\.pth: expected safetensors, found something else"):
        build_extractor(f"inception:{tmp_path / 'pickle.pth'}", size=8, channels=1)


def test_resizing_lays_the_corners_of_pixels_upon_each_other() -> None:
    row = torch.tensor([[[[0.0, 10.0]]]])
    # Places 0, 0.5, 1, 1.5 of the source, the last held at its edge.
    assert resized_as_tensorflow(row, 4)[0, 0, 0].tolist() == [0.0, 5.0, 10.0, 10.0]
    same = images(2, 3, 9)
    assert torch.equal(resized_as_tensorflow(same, 9), same)
    assert resized_as_tensorflow(torch.arange(8.0).reshape(1, 1, 1, 8), 4)[0, 0, 0].tolist() == [0, 2, 4, 6]


@pytest.mark.package_index
def test_efficientnet_reads_grey_as_colour_and_each_image_by_itself() -> None:
    grey = build_extractor("efficientnet-lite0@32", size=28, channels=1)
    colour = build_extractor("efficientnet-lite0@32", size=28, channels=3)
    assert (grey.name, grey.width) == ("efficientnet-lite0@32", 1280)
    shown = images(3, size=28)
    found = grey(shown)
    assert found.shape == (3, 1280)
    torch.testing.assert_close(colour(shown.expand(-1, 3, -1, -1)), found, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(grey(shown[1:2]), found[1:2], rtol=1e-3, atol=1e-4)
    assert np.isfinite(found.numpy()).all()


@pytest.mark.package_index
def test_efficientnet_looks_at_the_size_that_it_was_trained_on() -> None:
    extractor = build_extractor("efficientnet-lite0", size=28, channels=1)
    assert extractor.name == "efficientnet-lite0"
    shown = images(1, size=28)
    by_hand = F.interpolate((shown + 1) / 2, (224, 224), mode="bilinear", antialias=True)
    with torch.no_grad():
        maps = extractor.network.feature_map((by_hand - 127 / 255) / (128 / 255))
    torch.testing.assert_close(extractor(shown), maps.mean(dim=(2, 3)), rtol=1e-3, atol=1e-4)
