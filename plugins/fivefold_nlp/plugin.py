"""The language plugin: what it offers, as names and targets. Imports neither torch nor tokenizers."""

from __future__ import annotations

from fivefold.plugins.hookspecs import hookimpl
from fivefold.plugins.spec import DatasetSpec, Demo, ModelSpec, PipelineSpec

FIVEFOLD_CONTRACT = 1


@hookimpl
def fivefold_pipelines() -> list[PipelineSpec]:
    """Pipelines on texts."""
    return [
        PipelineSpec(
            "nlp/sentiment",
            "Sentiment analysis: the class or rating that a text speaks for",
            target="fivefold_nlp.sentiment.pipeline:Sentiment",
            config="fivefold_nlp.sentiment.config:SentimentConfig",
            example="reviews",
            presets="fivefold_nlp.sentiment.presets:PRESETS",
            prediction="fivefold.config:NoOptions",
            demo=Demo(
                "rotten-tomatoes",
                preset="quick",
                inputs="reviews",
                pattern="",
                picture="Texts of the most confident mistakes",
            ),
        ),
        PipelineSpec(
            "nlp/generate",
            "Text generation: learn a body of text, and write more of its kind",
            target="fivefold_nlp.generate.pipeline:Generate",
            config="fivefold_nlp.generate.config:GenerateConfig",
            example="hamlet",
            presets="fivefold_nlp.generate.presets:PRESETS",
            prediction="fivefold_nlp.generate.config:GenerateOptions",
            predict="--length 100",
        ),
    ]


@hookimpl
def fivefold_datasets() -> list[DatasetSpec]:
    """Named sets of texts."""
    sentiment, generate = ("nlp/sentiment",), ("nlp/generate",)
    return [
        DatasetSpec(
            "rotten-tomatoes",
            "8,530 sentences of film reviews, positive or negative",
            manifest="fivefold_data:datasets/rotten-tomatoes.yaml",
            pipelines=sentiment,
        ),
        DatasetSpec(
            "imdb",
            "25,000 whole film reviews, positive or negative",
            manifest="fivefold_data:datasets/imdb.yaml",
            pipelines=sentiment,
        ),
        DatasetSpec(
            "reviews",
            "Sentences of product reviews with classes and ratings; comes with fivefold, needs no download",
            manifest="fivefold_data:datasets/reviews.yaml",
            pipelines=sentiment,
        ),
        DatasetSpec(
            "tinyshakespeare",
            "1,115,394 characters of Shakespeare, the usual small corpus of language models",
            manifest="fivefold_data:datasets/tinyshakespeare.yaml",
            pipelines=generate,
        ),
        DatasetSpec(
            "shakespeare",
            "38 plays of Shakespeare, a file each",
            manifest="fivefold_data:datasets/shakespeare.yaml",
            pipelines=generate,
        ),
        DatasetSpec(
            "hamlet",
            "Two acts of one play; comes with fivefold, needs no download",
            manifest="fivefold_data:datasets/hamlet.yaml",
            pipelines=generate,
        ),
    ]


@hookimpl
def fivefold_models() -> list[ModelSpec]:
    """Encoders with weights."""
    return [
        ModelSpec(
            "minilm-l6",
            "MiniLM-L6, an encoder of English sentences, 22.7 million parameters",
            target="fivefold.nn.backbone:Backbone",
            manifest="fivefold_data:weights/minilm-l6.yaml",
        )
    ]
