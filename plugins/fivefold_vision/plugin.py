"""The vision plugin: what it offers, as names and targets. Imports neither torch nor OpenCV."""

from __future__ import annotations

from fivefold.plugins.hookspecs import hookimpl
from fivefold.plugins.spec import DatasetSpec, Demo, ModelSpec, PipelineSpec

FIVEFOLD_CONTRACT = 1


@hookimpl
def fivefold_pipelines() -> list[PipelineSpec]:
    """Pipelines on images."""
    return [
        PipelineSpec(
            "vision/classify",
            "Image classification: which of several classes a picture shows",
            target="fivefold_vision.classify.pipeline:Classify",
            config="fivefold_vision.classify.config:ClassifyConfig",
            example="digits",
            presets="fivefold_vision.classify.presets:PRESETS",
            prediction="fivefold.config:NoOptions",
            demo=Demo(
                "fashion-mnist",
                preset="quick",
                inputs="fashion-sample",
                pattern="test/*/000.png",
                settings=(("epochs", 2),),
                picture="Where the model looked",
            ),
        ),
        PipelineSpec(
            "vision/generate",
            "Image generation: new pictures like those of a collection",
            target="fivefold_vision.generate.pipeline:Generate",
            config="fivefold_vision.generate.config:GenerateConfig",
            example="fashion-sample",
            presets="fivefold_vision.generate.presets:PRESETS",
            prediction="fivefold_vision.generate.config:GenerateOptions",
            predict="--count 16",
        ),
    ]


@hookimpl
def fivefold_datasets() -> list[DatasetSpec]:
    """Named sets of images."""
    either = ("vision/classify", "vision/generate")
    return [
        DatasetSpec(
            "fashion-mnist",
            "70,000 grey photos of clothing in 10 classes, 28x28 pixels",
            manifest="fivefold_data:datasets/fashion-mnist.yaml",
            pipelines=either,
        ),
        DatasetSpec(
            "fashion-sample",
            "800 of these as image files in folders; comes with fivefold, needs no download",
            manifest="fivefold_data:datasets/fashion-sample.yaml",
            pipelines=either,
        ),
        DatasetSpec(
            "mnist",
            "70,000 handwritten digits, 28x28 pixels",
            manifest="fivefold_data:datasets/mnist.yaml",
            pipelines=either,
        ),
        DatasetSpec(
            "digits",
            "1,797 handwritten digits, 8x8 pixels; comes with scikit-learn, needs no download",
            manifest="fivefold_data:datasets/digits.yaml",
            pipelines=either,
        ),
    ]


@hookimpl
def fivefold_models() -> list[ModelSpec]:
    """Backbones with weights."""
    return [
        ModelSpec(
            "efficientnet-lite0",
            "EfficientNet-Lite0 trained on ImageNet, 4.7 million parameters",
            target="fivefold.nn.efficientnet:EfficientNetLite0",
            manifest="fivefold_data:weights/efficientnet-lite0.yaml",
        )
    ]
