"""The network that the settings name."""

from __future__ import annotations

from fivefold.data.dataset import Facts
from fivefold.nn.language import GPT, LanguageNetwork, RecurrentLanguageModel
from fivefold.tasks.language_model import LanguageModel
from fivefold_nlp.generate.config import GenerateConfig

MOST_STREAMS = 1024
"""Pieces whose states are kept where the batch size is found later (``auto``)."""


def build_network(config: GenerateConfig, data: Facts) -> LanguageNetwork:
    """A network with fresh weights for the vocabulary that ``data`` state."""
    model = config.model
    if model.kind == "gpt":
        return GPT(
            data.vocabulary,
            config.context,
            features=model.hidden,
            heads=model.attention_heads,
            layers=model.layers,
            dropout=model.dropout,
        )
    return RecurrentLanguageModel(
        model.kind,
        data.vocabulary,
        model.hidden,
        model.layers,
        embedding=model.embedding,
        dropout=model.dropout,
    )


def build_task(config: GenerateConfig, data: Facts) -> LanguageModel:
    """The network with its loss; recurrent ones carry a state for each piece of an update."""
    if config.model.kind == "gpt":
        return LanguageModel(build_network(config, data))
    known = config.batch_size != "auto"
    streams = config.samples_a_batch * config.trainer.accumulate if known else MOST_STREAMS
    return LanguageModel(build_network(config, data), streams=streams)
