"""The network that the settings name.

A Hugging Face encoder is built without its weights, from a description that the facts of the data carry; the
weights are put in when a training starts. So a trained run opens again without the hub or package index.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fivefold.data.dataset import Facts
from fivefold.data.fetch import fetch
from fivefold.data.manifest import load_manifest
from fivefold.errors import ConfigError
from fivefold.nn.backbone import Backbone, build_backbone, load_backbone
from fivefold.nn.sequence import (
    BackboneClassifier,
    ConvolutionalClassifier,
    RecurrentClassifier,
    SequenceNetwork,
    TransformerClassifier,
)
from fivefold_nlp.plugin import fivefold_models
from fivefold_nlp.pretrained import load_tokenizer
from fivefold_nlp.sentiment.config import ModelConfig
from fivefold_nlp.tokenizer import TextTokenizer

PUBLISHED = {model.name: model.manifest for model in fivefold_models()}
"""Encoders that come through the package index: name to manifest."""


def encoder_place(name: str) -> str | Path:
    """Where the encoder ``name`` is: the folder of a published one, which is fetched, else as it was given.

    Raises:
        DownloadError: it cannot be fetched.
    """
    return fetch(load_manifest(PUBLISHED[name])) if name in PUBLISHED else name


def published_encoder(config: ModelConfig, longest: int) -> tuple[dict[str, Any], TextTokenizer]:
    """The description of the huggingface encoder that the settings name, and its tokenizer.

    Raises:
        ConfigError: it reads no text, or fewer tokens than ``longest``.
        DataError: it cannot be fetched, or is no model.
    """
    place = encoder_place(str(config.name))
    backbone = _load(config, place)
    if backbone.reads != "tokens":
        raise ConfigError(
            f"model.name '{config.name}': expected a network that reads text, found one for images"
        )
    if not _reads_so_many(backbone, longest):
        raise ConfigError(
            f"longest is {longest}, but '{config.name}' has positions for fewer tokens "
            f"(max_position_embeddings {backbone.config.get('max_position_embeddings')}); lower --longest"
        )
    return backbone.describe(), load_tokenizer(place)


def build_network(config: ModelConfig, data: Facts, outputs: int) -> SequenceNetwork:
    """The network for texts as ``data`` state them, with fresh weights.

    Args:
        config: the kind and its widths.
        data: ``vocabulary`` and ``pad``; ``backbone`` of a huggingface encoder.
        outputs: classes, or 1 for a rating.
    """
    if config.kind == "huggingface":
        return BackboneClassifier(
            build_backbone(data.backbone),
            outputs,
            dropout=config.dropout,
            freeze=bool(config.freeze) if config.frozen_layers is None else config.frozen_layers,
        )
    size, pad, dropout = data.vocabulary, data.pad, config.dropout
    if config.kind == "cnn":
        return ConvolutionalClassifier(
            size,
            outputs,
            embedding=config.embedding or 128,
            filters=config.hidden or 100,
            dropout=dropout,
            pad=pad,
        )
    if config.kind == "transformer":
        return TransformerClassifier(
            size,
            outputs,
            features=config.hidden or 128,
            layers=config.layers or 2,
            heads=config.heads or 4,
            dropout=dropout,
            pad=pad,
        )
    return RecurrentClassifier(
        config.kind,
        size,
        outputs,
        embedding=config.embedding or 128,
        hidden=config.hidden or 128,
        layers=config.layers or 1,
        dropout=dropout,
        pad=pad,
    )


def load_published(network: SequenceNetwork, config: ModelConfig) -> None:
    """Put the published weights of a huggingface encoder into ``network``; its last layer stays fresh.

    Raises:
        DataError: the weights cannot be fetched, or are no model.
    """
    if isinstance(network, BackboneClassifier):
        network.backbone.load_state_dict(_load(config, encoder_place(str(config.name))).state_dict())


def _reads_so_many(backbone: Backbone, tokens: int) -> bool:
    """Whether it has positions for so many tokens; configs count them in too many ways to be asked."""
    try:
        with torch.no_grad():
            backbone(torch.ones(1, tokens, dtype=torch.int64))
    except (IndexError, RuntimeError):
        return False
    return True


def _load(config: ModelConfig, place: str | Path) -> Backbone:
    return load_backbone(place, pooling=config.pooling or "mean")
