from pathlib import Path

import pytest
import torch

from fivefold.data.dataset import Facts
from fivefold.errors import DataError
from fivefold.evaluation.gradcam import grad_cam
from fivefold_vision.classify.config import ClassifyConfig
from fivefold_vision.classify.pipeline import Classify
from plugins.vision.pictures import idx_folder

transformers = pytest.importorskip("transformers")


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=8,
    )
    transformers.ViTModel(config).save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_a_local_backbone_is_trained_and_opened_again_without_its_files(
    tmp_path: Path, backbone: Path
) -> None:
    model = {"kind": "huggingface", "name": str(backbone)}
    classify = Classify(ClassifyConfig.model_validate({"model": model}))
    samples = classify.samples(classify.read(idx_folder(tmp_path / "idx")))
    assert samples.facts.size == [32, 32]
    task = classify.task(samples.facts)
    task.prepare(samples)
    published = transformers.ViTModel.from_pretrained(backbone).state_dict()
    own = task.network.backbone.get_submodule("0").network.state_dict()
    assert published
    assert all(torch.equal(own[name], tensor) for name, tensor in published.items())
    task.loss(samples.batch(torch.arange(4)), "main").value.backward()

    batch = samples.batch(torch.arange(4))
    expected = task.eval().predict(batch)["logits"]
    for file in backbone.iterdir():
        file.unlink()
    again = Classify(classify.config)
    again.facts = Facts(samples.facts)
    reopened = again.task(again.facts).eval()
    reopened.load_state_dict(task.state_dict())
    assert torch.equal(reopened.predict(batch)["logits"], expected)
    # A transformer's only feature map is that of its patches, which knows nothing of classes.
    assert grad_cam(reopened.network, batch["input"], torch.zeros(4, dtype=torch.int64)) is None


def test_a_backbone_that_is_not_there_ends_before_training(tmp_path: Path) -> None:
    model = {"kind": "huggingface", "name": str(tmp_path / "nowhere")}
    classify = Classify(ClassifyConfig.model_validate({"model": model}))
    with pytest.raises(DataError, match="nowhere: no such folder"):
        classify.read(idx_folder(tmp_path / "idx"))


@pytest.mark.package_index
def test_imagenet_weights_are_put_in_when_training_starts(tmp_path: Path) -> None:
    classify = Classify(
        ClassifyConfig.model_validate({"model": {"kind": "efficientnet-lite0", "freeze": True}, "size": 64})
    )
    samples = classify.samples(classify.read(idx_folder(tmp_path / "idx")))
    torch.manual_seed(0)
    task = classify.task(samples.facts)
    fresh = {name: tensor.clone() for name, tensor in task.state_dict().items()}
    task.prepare(samples)
    changed = {name for name, tensor in task.state_dict().items() if not torch.equal(tensor, fresh[name])}
    assert "network.backbone.stem.convolution.weight" in changed
    assert not any("head" in name for name in changed)
