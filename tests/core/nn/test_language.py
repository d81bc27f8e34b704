import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fivefold.errors import ConfigError
from fivefold.nn.language import GPT, LanguageNetwork, RecurrentLanguageModel
from fivefold.nn.stepping import KeysValues

VOCABULARY = 11


def recurrent(kind: str, **values: object) -> RecurrentLanguageModel:
    torch.manual_seed(0)
    return RecurrentLanguageModel(kind, VOCABULARY, 12, 2, **values).eval()


def gpt(context: int = 16, dropout: float = 0.0) -> GPT:
    torch.manual_seed(0)
    return GPT(VOCABULARY, context, features=16, heads=2, layers=2, dropout=dropout).eval()


NETWORKS = {
    "lstm": lambda: recurrent("lstm"),
    "gru": lambda: recurrent("gru"),
    "lstm of narrow vectors": lambda: recurrent("lstm", embedding=7),
    "gpt": gpt,
}
networks = pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)


def tokens(batch: int, steps: int, seed: int = 0) -> Tensor:
    return torch.randint(VOCABULARY, (batch, steps), generator=torch.Generator().manual_seed(seed))


def stepwise(network: LanguageNetwork, ids: Tensor, cuts: list[int]) -> Tensor:
    """Logits of ``ids`` given in parts of the sizes ``cuts``."""
    state, parts = network.start(), []
    for part in torch.split(ids, cuts, dim=1):
        logits, state = network(part, state)
        parts.append(logits)
    return torch.cat(parts, dim=1)


@networks
def test_a_later_token_changes_no_earlier_logit(make) -> None:
    network = make()
    ids = tokens(2, 12)
    changed = ids.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % VOCABULARY
    before, after = network(ids)[0], network(changed)[0]
    torch.testing.assert_close(before[:, :7], after[:, :7], rtol=0, atol=1e-6)
    assert not torch.allclose(before[:, 7:], after[:, 7:], atol=1e-3)


@networks
@settings(max_examples=10, deadline=None)
@given(cut=st.integers(1, 15))
def test_going_on_from_a_state_is_the_whole_forward(make, cut: int) -> None:
    network = make()
    ids = tokens(3, 16)
    whole = network(ids)[0]
    torch.testing.assert_close(stepwise(network, ids, [cut, 16 - cut]), whole, rtol=0, atol=1e-5)
    torch.testing.assert_close(stepwise(network, ids, [1] * 16), whole, rtol=0, atol=1e-5)


@networks
def test_padding_at_the_end_and_neighbours_change_nothing(make) -> None:
    network = make()
    ids = tokens(1, 6)
    padded = torch.cat((torch.cat((ids, torch.zeros(1, 4, dtype=torch.int64)), dim=1), tokens(3, 10, 1)))
    torch.testing.assert_close(network(padded)[0][:1, :6], network(ids)[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_recurrent_steps_beyond_any_context(kind: str) -> None:
    network = recurrent(kind)
    ids = tokens(1, 100)
    torch.testing.assert_close(stepwise(network, ids, [1] * 100), network(ids)[0], rtol=0, atol=1e-5)


def test_a_full_window_begins_anew_with_its_last_half() -> None:
    network, context = gpt(16), 16
    ids = tokens(2, 50)
    logits = stepwise(network, ids, [1] * 50)
    begin = 0
    for step in range(50):
        if step - begin == context:
            begin += context // 2
        seen = network(ids[:, begin : step + 1])[0][:, -1]
        torch.testing.assert_close(logits[:, step], seen, rtol=0, atol=1e-5)
    # The window depends on how many tokens there were, not on the parts in which they came.
    torch.testing.assert_close(stepwise(network, ids, [21, 1, 28]), logits, rtol=0, atol=1e-5)


def test_memory_is_bounded() -> None:
    network = gpt(8)
    state = network.start()
    for _ in range(40):
        _, state = network(tokens(1, 1), state)
    assert state.length <= 8
    assert sum(ids.shape[1] for ids in state.ids) == state.length


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_packed_states_come_back(kind: str) -> None:
    network = recurrent(kind)
    _, state = network(tokens(3, 5))
    packed = network.pack(state)
    assert packed.shape == (3, network.state_size)
    for mine, other in zip(network.unpack(packed), state, strict=True):
        assert torch.equal(mine, other)
    nothing = network.unpack(torch.zeros(3, network.state_size))
    torch.testing.assert_close(network(tokens(3, 4), nothing)[0], network(tokens(3, 4))[0])


def test_input_and_output_share_their_vectors() -> None:
    for network in (gpt(), recurrent("lstm")):
        names = [name for name, value in network.named_parameters() if VOCABULARY in value.shape]
        assert [name for name in names if name != "bias"] == ["embedding.weight"]


def test_residual_parts_start_smaller_in_deep_networks() -> None:
    torch.manual_seed(0)
    network = GPT(50, 8, features=64, heads=2, layers=8)
    for block in network.blocks:
        assert block.attention.output.weight.std().item() == pytest.approx(0.02 / 4, rel=0.1)
        assert block.mlp.layers[-1].weight.std().item() == pytest.approx(0.02 / 4, rel=0.1)
        assert block.attention.query.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_dropout_only_while_training() -> None:
    network = gpt(dropout=0.5)
    ids = tokens(1, 8)
    assert torch.equal(network(ids)[0], network(ids)[0])
    network.train()
    assert not torch.equal(network(ids)[0], network(ids)[0])


def test_what_does_not_fit() -> None:
    with pytest.raises(ConfigError, match="context must be 2 tokens or more, found 1"):
        gpt(1)
    with pytest.raises(ConfigError, match="cannot have 3 heads"):
        GPT(VOCABULARY, 8, features=16, heads=3, layers=1)
    cache = KeysValues(4)
    cache.extend(torch.zeros(1, 1, 3, 2), torch.zeros(1, 1, 3, 2))
    with pytest.raises(ConfigError, match="a cache for 4 steps got 5"):
        cache.extend(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    with pytest.raises(NotImplementedError, match="GPT carries no state"):
        gpt().pack(None)
