import pytest
import torch
from torch import Tensor

from fivefold.errors import ConfigError
from fivefold.nn import Attention, TransformerBlock, TransformerEncoder


def reference(layer: Attention, sequence: Tensor, context: Tensor, allowed: Tensor) -> Tensor:
    """Softmax attention, one sample, head and query at a time; ``allowed`` is bool (B, T, S)."""
    width = sequence.shape[-1] // layer.heads
    queries = layer.query(sequence)
    keys, values = layer.key_value(context).chunk(2, dim=-1)
    attended = torch.zeros_like(queries)
    for sample in range(len(sequence)):
        for head in range(layer.heads):
            part = slice(head * width, (head + 1) * width)
            for time in range(sequence.shape[1]):
                seen = allowed[sample, time]
                scores = keys[sample, seen, part] @ queries[sample, time, part] / width**0.5
                attended[sample, time, part] = scores.softmax(0) @ values[sample, seen, part]
    return layer.output(attended)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_self_attention_is_a_softmax(causal: bool, masked: bool) -> None:
    torch.manual_seed(0)
    layer = Attention(8, 2)
    sequence = torch.randn(2, 5, 8)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    allowed = torch.ones(2, 5, 5, dtype=torch.bool)
    if causal:
        allowed &= torch.ones(5, 5, dtype=torch.bool).tril()
    if masked:
        allowed &= mask[:, None, :]
    outputs = layer(sequence, mask=mask if masked else None, causal=causal)
    torch.testing.assert_close(outputs, reference(layer, sequence, sequence, allowed))


def test_cross_attention_is_a_softmax() -> None:
    torch.manual_seed(0)
    layer = Attention(8, 4, context_features=6)
    sequence, context = torch.randn(2, 3, 8), torch.randn(2, 7, 6)
    allowed = torch.ones(2, 3, 7, dtype=torch.bool)
    torch.testing.assert_close(layer(sequence, context), reference(layer, sequence, context, allowed))


def test_rotary_attention_knows_the_order() -> None:
    torch.manual_seed(0)
    sequence = torch.randn(1, 4, 8)
    flipped = sequence.flip(1)
    blind, seeing = Attention(8, 2), Attention(8, 2, rotary=True)
    torch.testing.assert_close(blind(flipped), blind(sequence).flip(1))
    assert not torch.allclose(seeing(flipped), seeing(sequence).flip(1))


def test_dropout_only_in_training() -> None:
    torch.manual_seed(0)
    layer = Attention(8, 2, dropout=0.5)
    sequence = torch.randn(1, 4, 8)
    assert not torch.equal(layer(sequence), layer(sequence))
    layer.eval()
    assert torch.equal(layer(sequence), layer(sequence))


def test_heads_that_do_not_divide() -> None:
    with pytest.raises(ConfigError, match="over 10 features cannot have 3 heads"):
        Attention(10, 3)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal", "none"])
def test_encoder_does_not_see_padding(positions: str) -> None:
    torch.manual_seed(0)
    encoder = TransformerEncoder(8, 2, 2, positions=positions).eval()
    short = torch.randn(1, 3, 8)
    padded = torch.cat((short, torch.full((1, 2, 8), 50.0)), dim=1)
    mask = torch.tensor([[True, True, True, False, False]])
    torch.testing.assert_close(encoder(padded, mask)[:, :3], encoder(short))


def test_causal_encoder_does_not_see_the_future() -> None:
    torch.manual_seed(0)
    encoder = TransformerEncoder(8, 2, 2, causal=True).eval()
    sequence = torch.randn(1, 6, 8)
    changed = sequence.clone()
    changed[:, 4:] = torch.randn(1, 2, 8)  # a constant would fall to the layer norms
    before, after = encoder(sequence), encoder(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_block_attends_to_a_context() -> None:
    torch.manual_seed(0)
    block = TransformerBlock(8, 2, context_features=6).eval()
    sequence, context = torch.randn(2, 3, 8), torch.randn(2, 5, 6)
    mask = torch.tensor([[True] * 5, [True, False, False, False, False]])
    outputs = block(sequence, context, context_mask=mask)
    changed = context.clone()
    changed[1, 1:] += 1  # behind the mask
    torch.testing.assert_close(block(sequence, changed, context_mask=mask), outputs)
    assert not torch.allclose(block(sequence, changed), outputs)


def test_block_is_residual_and_pre_norm() -> None:
    block = TransformerBlock(8, 2)
    for layer in (block.attention.output, block.mlp.layers[-1]):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    sequence = torch.randn(2, 3, 8)
    torch.testing.assert_close(block(sequence), sequence)


def test_gradients_reach_every_parameter() -> None:
    encoder = TransformerEncoder(8, 2, 2, dropout=0.1)
    encoder(torch.randn(2, 4, 8)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_unknown_positions() -> None:
    with pytest.raises(ConfigError, match="positions 'alibi' are not known; choose rotary"):
        TransformerEncoder(8, 2, 1, positions="alibi")
