import json
import sys

import pytest
import torch
import transformers
from torch import nn

from fivefold.errors import ConfigError, DataError, DependencyError
from fivefold.nn import Backbone, ImageInput, load_backbone
from fivefold.nn.backbone import build_backbone
from fivefold.nn.preprocessing import image_input

TOWER = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def tiny_vit() -> transformers.PreTrainedModel:
    return transformers.ViTModel(transformers.ViTConfig(**TOWER, image_size=16, patch_size=8))


def tiny_resnet() -> transformers.PreTrainedModel:
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic"
    )
    return transformers.ResNetModel(config)


def tiny_bert() -> transformers.PreTrainedModel:
    return transformers.BertModel(transformers.BertConfig(**TOWER, vocab_size=20, max_position_embeddings=12))


def tiny_t5() -> transformers.PreTrainedModel:
    config = transformers.T5Config(d_model=16, d_ff=16, num_layers=1, num_heads=2, d_kv=8, vocab_size=20)
    return transformers.T5Model(config)


def tiny_clip() -> transformers.PreTrainedModel:
    text = TOWER | {"vocab_size": 20, "bos_token_id": 0, "eos_token_id": 1}
    config = transformers.CLIPConfig(
        text_config=text, vision_config=TOWER | {"image_size": 16, "patch_size": 8}
    )
    return transformers.CLIPModel(config)


@pytest.fixture
def save(tmp_path):
    def to_folder(model: transformers.PreTrainedModel, processor: dict | None = None):
        torch.manual_seed(0)
        model.save_pretrained(tmp_path / "model")
        if processor is not None:
            (tmp_path / "model" / "preprocessor_config.json").write_text(json.dumps(processor))
        return tmp_path / "model"

    return to_folder


@pytest.mark.parametrize(
    ("make", "features"), [(tiny_vit, 16), (tiny_resnet, 12), (tiny_clip, 16)], ids=["vit", "resnet", "clip"]
)
def test_images_become_vectors(save, make, features: int) -> None:
    backbone = load_backbone(save(make(), {"size": {"height": 16, "width": 16}}))
    assert (backbone.reads, backbone.features, backbone.training) == ("images", features, False)
    outputs = backbone(torch.randn(2, 3, 16, 16))
    assert outputs.shape == (2, features)
    outputs.sum().backward()
    assert any(parameter.grad is not None for parameter in backbone.parameters())


def test_outputs_are_the_mean_of_the_saved_networks(save) -> None:
    model = tiny_vit().eval()
    folder = save(model)
    images = torch.randn(2, 3, 16, 16)
    hidden = model(images).last_hidden_state
    torch.testing.assert_close(load_backbone(folder)(images), hidden.mean(dim=1))
    torch.testing.assert_close(load_backbone(str(folder), pooling="first")(images), hidden[:, 0])


@pytest.mark.parametrize("make", [tiny_bert, tiny_t5], ids=["bert", "t5"])
def test_padding_tokens_change_nothing(save, make) -> None:
    backbone = load_backbone(save(make()))
    assert (backbone.reads, backbone.image, backbone.features) == ("tokens", None, 16)
    short = torch.tensor([[3, 4, 5]])
    padded, mask = torch.tensor([[3, 4, 5, 9, 9]]), torch.tensor([[1, 1, 1, 0, 0]])
    torch.testing.assert_close(backbone(padded, mask), backbone(short), atol=1e-5, rtol=1e-5)


def test_every_parameter_that_trains_has_a_gradient(save) -> None:
    backbone = load_backbone(save(tiny_vit()))
    backbone(torch.randn(2, 3, 16, 16)).square().sum().backward()
    trained = [parameter for parameter in backbone.parameters() if parameter.requires_grad]
    assert len(trained) > 0
    assert all(parameter.grad is not None for parameter in trained)


def test_processor_is_read(save) -> None:
    processor = {
        "size": {"shortest_edge": 20},
        "crop_size": {"height": 16, "width": 16},
        "image_mean": [0.5, 0.4, 0.3],
        "image_std": [0.1, 0.2, 0.3],
    }
    expected = ImageInput(3, 16, (0.5, 0.4, 0.3), (0.1, 0.2, 0.3))
    assert load_backbone(save(tiny_vit(), processor)).image == expected


@pytest.mark.parametrize(
    ("processor", "size"),
    [({"size": 48}, 48), ({"size": [40, 40]}, 40), ({"size": {"shortest_edge": 56}}, 56), ({}, 224)],
)
def test_sizes_as_processors_write_them(processor: dict, size: int) -> None:
    assert image_input(transformers.ResNetConfig(), processor).size == size


def test_grey_networks_have_one_mean() -> None:
    assert image_input(transformers.ViTConfig(num_channels=1, image_size=32), {}) == ImageInput(
        1, 32, (0.5,), (0.5,)
    )


@pytest.mark.parametrize("make", [tiny_vit, tiny_resnet, tiny_bert, tiny_clip, tiny_t5])
def test_description_rebuilds_the_network(save, make) -> None:
    backbone = load_backbone(save(make(), {"size": 16}))
    description = json.loads(json.dumps(backbone.describe()))
    again = build_backbone(description)
    again.load_state_dict(backbone.state_dict())
    inputs = torch.tensor([[3, 4]]) if backbone.reads == "tokens" else torch.randn(1, 3, 16, 16)
    assert (again.image, again.features, again.pooling) == (backbone.image, backbone.features, "mean")
    torch.testing.assert_close(again.eval()(inputs), backbone(inputs))


def test_description_of_a_network_that_transformers_does_not_know() -> None:
    with pytest.raises(DependencyError, match="does not know the network 'perceptron'; upgrade it"):
        build_backbone({"config": {"model_type": "perceptron"}, "pooling": "mean", "processor": {}})


def test_unknown_pooling() -> None:
    with pytest.raises(ConfigError, match="pooling 'max' is not known; choose mean or first"):
        Backbone(tiny_vit(), "max")


@pytest.mark.parametrize("name", ["./nowhere", "~/nowhere-at-all", "a/b/c"])
def test_folder_that_is_not_there(name: str) -> None:
    with pytest.raises(DataError, match=r"no such folder; give a folder with config\.json"):
        load_backbone(name)


def test_folder_without_a_model(tmp_path) -> None:
    with pytest.raises(DataError, match=r"no config\.json, so this is no backbone"):
        load_backbone(tmp_path)


def test_name_that_is_not_in_the_cache(tmp_path, monkeypatch) -> None:
    with pytest.raises(DataError, match=r"backbone 'nobody/nothing' cannot be read .* HF_HUB_CACHE"):
        load_backbone("nobody/nothing", offline=True)


@pytest.mark.parametrize("config", ["{broken", '{"model_type": "perceptron"}', "{}"])
def test_config_that_is_no_models(tmp_path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(DataError, match=f"backbone '{tmp_path}' cannot be read"):
        load_backbone(tmp_path)


def test_pickled_weights_are_refused(save) -> None:
    model = tiny_vit()
    folder = save(model)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"cannot be read .*model\.safetensors"):
        load_backbone(folder)


def test_damaged_weights(save) -> None:
    folder = save(tiny_vit())
    (folder / "model.safetensors").write_bytes(b"no tensors here")
    with pytest.raises(DataError, match="cannot be read"):
        load_backbone(folder)


def test_network_that_reads_neither_images_nor_tokens(save) -> None:
    config = transformers.Wav2Vec2Config(
        **TOWER,
        conv_dim=[8],
        conv_stride=[2],
        conv_kernel=[2],
        num_feat_extract_layers=1,
        num_conv_pos_embeddings=2,
        num_conv_pos_embedding_groups=1,
    )
    folder = save(transformers.Wav2Vec2Model(config))
    with pytest.raises(DataError, match="reads 'input_values', expected pixel_values"):
        load_backbone(folder)


def test_transformers_missing(monkeypatch, save) -> None:
    folder = save(tiny_vit())
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(DependencyError, match=r"need the package transformers.*pip install transformers"):
        load_backbone(folder)


def test_is_a_module(save) -> None:
    assert isinstance(load_backbone(save(tiny_resnet())), nn.Module)
