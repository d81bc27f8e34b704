"""Networks that classify sequences: against plain loops, and that padding changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fivefold.config import OptimizerConfig
from fivefold.errors import ConfigError
from fivefold.nn import (
    AttentionPooling,
    Backbone,
    BackboneClassifier,
    ConvolutionalClassifier,
    RecurrentClassifier,
    SequenceNetwork,
    TransformerClassifier,
    length_mask,
)
from fivefold.nn.freezing import freeze_lowest
from fivefold.nn.sequence_pooling import mean_over_steps
from fivefold.training.optim import build_optimizers, embedding_ids

WORDS = 20
TOWER = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24, "vocab_size": WORDS}


def bert(layers: int = 3) -> transformers.PreTrainedModel:
    config = transformers.BertConfig(**TOWER, num_hidden_layers=layers, max_position_embeddings=24)
    return transformers.BertModel(config)


def roberta() -> transformers.PreTrainedModel:
    config = transformers.RobertaConfig(**TOWER, num_hidden_layers=1, max_position_embeddings=24)
    return transformers.RobertaModel(config)


def t5() -> transformers.PreTrainedModel:
    config = transformers.T5Config(d_model=16, d_ff=16, num_layers=2, num_heads=2, d_kv=8, vocab_size=WORDS)
    return transformers.T5Model(config)


MAKERS: dict[str, Callable[[], SequenceNetwork]] = {
    "lstm": lambda: RecurrentClassifier("lstm", WORDS, 3, embedding=6, hidden=5, dropout=0.5),
    "gru": lambda: RecurrentClassifier("gru", WORDS, 3, embedding=6, hidden=5, layers=2, dropout=0.5),
    "cnn": lambda: ConvolutionalClassifier(WORDS, 3, embedding=6, filters=7, dropout=0.5),
    "transformer": lambda: TransformerClassifier(WORDS, 3, features=8, heads=2, dropout=0.5),
    "attentive": lambda: TransformerClassifier(WORDS, 3, features=8, heads=2, pooling="attention"),
    "bert": lambda: BackboneClassifier(Backbone(bert()), 3, dropout=0.5),
    "first": lambda: BackboneClassifier(Backbone(bert(1), "first"), 3),
    "roberta": lambda: BackboneClassifier(Backbone(roberta()), 3),
    "t5": lambda: BackboneClassifier(Backbone(t5()), 3),
}


@pytest.fixture(scope="module")
def networks() -> dict[str, SequenceNetwork]:
    torch.manual_seed(0)
    made = {name: make().eval() for name, make in MAKERS.items()}
    for network in made.values():
        torch.nn.init.normal_(
            network.get_submodule("head").weight
        )  # large enough that differences would show
    return made


def padded(texts: list[list[int]], extra: int = 0) -> tuple[Tensor, Tensor]:
    ids = torch.zeros(len(texts), max(map(len, texts)) + extra, dtype=torch.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
    return ids, torch.tensor([len(text) for text in texts])


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=12, deadline=None)
@given(
    texts=st.lists(st.lists(st.integers(2, WORDS - 1), min_size=1, max_size=12), min_size=1, max_size=5),
    extra=st.integers(0, 6),
)
def test_a_text_alone_and_in_a_batch_has_the_same_outputs(networks, kind, texts, extra) -> None:
    network = networks[kind]
    together = network(*padded(texts, extra))
    assert together.shape == (len(texts), 3)
    for row, text in enumerate(texts):
        torch.testing.assert_close(network(*padded([text]))[0], together[row], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", MAKERS)
def test_what_stands_on_padding_is_never_seen(networks, kind) -> None:
    network = networks[kind]
    ids, lengths = padded([[3, 4, 5, 6, 7, 8, 9], [5], [6, 7, 8]])
    embedded = network.embed(ids)
    spoiled = torch.where(length_mask(lengths, 7)[:, :, None], embedded, torch.full_like(embedded, 50.0))
    torch.testing.assert_close(
        network.from_embeddings(spoiled, lengths), network(ids, lengths), atol=1e-5, rtol=0
    )


def test_length_mask() -> None:
    expected = torch.tensor([[True, False, False], [True, True, True]])
    torch.testing.assert_close(length_mask(torch.tensor([1, 3]), 3), expected)


def test_means_of_long_sequences_in_bfloat16_are_exact() -> None:
    mask = length_mask(torch.tensor([257]), 300)
    means = mean_over_steps(torch.ones(1, 300, 2, dtype=torch.bfloat16), mask)
    torch.testing.assert_close(means, torch.ones(1, 2), atol=0, rtol=0)


@torch.no_grad()
def test_attention_pooling_is_the_papers() -> None:
    torch.manual_seed(1)
    pooling = AttentionPooling(4)
    sequence, lengths = torch.randn(3, 5, 4), [5, 1, 3]
    pooled = pooling(sequence, length_mask(torch.tensor(lengths), 5))
    for row, length in enumerate(lengths):
        scores = []
        for step in sequence[row, :length]:
            hidden = torch.tanh(pooling.hidden.weight @ step + pooling.hidden.bias)
            scores.append(float((hidden @ pooling.context.weight[0]).exp()))
        shares = [score / sum(scores) for score in scores]
        expected = sum(share * step for share, step in zip(shares, sequence[row], strict=False))
        torch.testing.assert_close(pooled[row], expected)


@torch.no_grad()
def test_the_cnn_equals_a_loop_over_windows(networks) -> None:
    network = networks["cnn"]
    assert isinstance(network, ConvolutionalClassifier)
    texts = [[4, 5, 6, 7, 8, 9, 10], [3], [5, 6]]
    logits = network(*padded(texts))
    for row, text in enumerate(texts):
        answers = []
        for convolution in network.convolutions:
            width = convolution.kernel_size[0]
            around = torch.zeros(width - 1, 6)
            vectors = torch.cat((around, network.embedding.weight[text], around))  # (T, E)
            windows = [vectors[start : start + width] for start in range(len(vectors) - width + 1)]
            for weight, bias in zip(convolution.weight, convolution.bias, strict=True):
                best = max(float((window.T * weight).sum() + bias) for window in windows)
                answers.append(max(best, 0.0))
        expected = network.head.weight @ torch.tensor(answers) + network.head.bias
        torch.testing.assert_close(logits[row], expected)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_recurrent_one_equals_a_run_without_packing(networks, kind) -> None:
    network = networks[kind]
    assert isinstance(network, RecurrentClassifier)
    texts = [[4, 5, 6, 7], [3], [5, 6]]
    logits = network(*padded(texts))
    for row, text in enumerate(texts):
        steps, _ = network.encoder.recurrent(network.embedding.weight[text][None])
        shares = torch.softmax(network.pooling.context(network.pooling.hidden(steps).tanh())[0, :, 0], dim=0)
        torch.testing.assert_close(logits[row], network.head(shares @ steps[0]))


def test_the_backbone_equals_the_networks_own_mean() -> None:
    torch.manual_seed(2)
    model = bert().eval()
    network = BackboneClassifier(Backbone(model), 3).eval()
    ids, lengths = padded([[4, 5, 6, 7], [3], [5, 6]])
    mask = length_mask(lengths, 4)
    hidden = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
    means = torch.stack([row[: int(length)].mean(dim=0) for row, length in zip(hidden, lengths, strict=True)])
    torch.testing.assert_close(network(ids, lengths), network.head(means), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", MAKERS)
def test_everything_that_trains_has_a_gradient(kind) -> None:
    torch.manual_seed(3)
    network = MAKERS[kind]()
    network(*padded([[4, 5, 6, 7, 8], [3]])).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


@pytest.mark.parametrize("kind", ["lstm", "cnn", "transformer"])
@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
def test_the_vector_of_padding_stays_zero(kind, name) -> None:
    network = MAKERS[kind]()
    parameters = dict(network.named_parameters())
    config = OptimizerConfig(name=name, lr=0.1, weight_decay=0.1)
    optimizers = build_optimizers(parameters, embedding_ids(network), config)
    table = network.get_submodule("embedding").weight
    before = table.detach().clone()
    network(*padded([[4, 5, 6, 7, 8], [3]])).square().sum().backward()
    for optimizer in optimizers:
        optimizer.step()
    assert torch.count_nonzero(table[0]) == 0
    assert not torch.equal(table[3], before[3])


def test_vectors_of_tokens_without_padding() -> None:
    network = TransformerClassifier(WORDS, 2, features=8, heads=2, pad=None)
    assert torch.count_nonzero(network.embedding.weight[0]) == 8


def frozen_names(network: BackboneClassifier) -> set[str]:
    return {
        name
        for name, parameter in network.backbone.network.named_parameters()
        if not parameter.requires_grad and not name.startswith("pooler")
    }


def test_freezing_trains_the_head_only() -> None:
    network = BackboneClassifier(Backbone(bert()), 3, dropout=0.5, freeze=True).train()
    assert {name for name, value in network.named_parameters() if value.requires_grad} == {
        "head.weight", "head.bias",
    }  # fmt: skip
    assert network.training
    assert network.dropout.training
    assert not any(module.training for module in network.backbone.modules())
    network.eval()
    assert not network.dropout.training


@pytest.mark.parametrize("count", [0, 1, 3])
def test_freezing_the_lowest_layers(count: int) -> None:
    network = BackboneClassifier(Backbone(bert()), 3, freeze=count).train()
    kept = ("embeddings.", *(f"encoder.layer.{layer}." for layer in range(count)))
    own = [name for name, _ in network.backbone.network.named_parameters() if not name.startswith("pooler")]
    assert frozen_names(network) == {name for name in own if name.startswith(kept)}
    body = network.backbone.network
    assert not any(module.training for module in body.embeddings.modules())
    for place, layer in enumerate(body.encoder.layer):
        assert {module.training for module in layer.modules()} == {place >= count}
    ids, lengths = padded([[4, 5, 6], [3]])
    network(ids, lengths).sum().backward()
    assert all(value.grad is not None for value in network.parameters() if value.requires_grad)


def test_freezing_other_networks() -> None:
    names = frozen_names(BackboneClassifier(Backbone(t5()), 2, freeze=1))
    assert {".".join(name.split(".")[:2]) for name in names} == {"embed_tokens.weight", "block.0"}


def test_more_layers_than_there_are() -> None:
    with pytest.raises(
        ConfigError, match="freeze 0 to 3 of the lowest layers of BertModel, which has 3, found 4"
    ):
        BackboneClassifier(Backbone(bert()), 2, freeze=4)
    with pytest.raises(ConfigError, match="found -2; choose a number in this range"):
        BackboneClassifier(Backbone(bert()), 2, freeze=-2)
    with pytest.raises(ConfigError, match="freeze 0 to 0 of the lowest layers of Linear"):
        freeze_lowest(torch.nn.Linear(2, 2), 1)


def test_a_backbone_for_images_is_refused() -> None:
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        image_size=16,
        patch_size=8,
    )
    with pytest.raises(
        ConfigError, match="found ViTModel, which reads images only; name another, such as a BERT"
    ):
        BackboneClassifier(Backbone(transformers.ViTModel(config), processor={"size": 16}), 2)


def test_unknown_pooling_of_a_transformer() -> None:
    with pytest.raises(ConfigError, match="pooling 'max' is not known; choose mean or attention"):
        TransformerClassifier(WORDS, 2, pooling="max")


@pytest.mark.parametrize("kind", ["lstm", "gru", "cnn", "transformer", "bert"])
def test_each_learns_which_word_is_in_the_text(kind) -> None:
    torch.manual_seed(4)
    network = MAKERS[kind]().train()
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(4, WORDS, (48, 7), generator=generator)
    target = torch.randint(0, 3, (48,), generator=generator)
    ids[torch.arange(48), torch.randint(0, 7, (48,), generator=generator)] = target + 1
    lengths = torch.full((48,), 7)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(ids, lengths), target).backward()
        optimizer.step()
    right = (network.eval()(ids, lengths).argmax(dim=1) == target).float().mean()
    assert right > 0.9
