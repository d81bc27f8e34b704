import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.nn import GRU, LSTM, RecurrentEncoder


@settings(max_examples=15, deadline=None)
@given(
    kind=st.sampled_from(["gru", "lstm"]),
    layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    extra=st.integers(0, 3),
)
def test_padding_changes_nothing(kind, layers, bidirectional, lengths, extra) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(kind, 3, 4, layers, bidirectional=bidirectional).eval()
    padded = torch.full((len(lengths), max(lengths) + extra, 3), 1e3)  # padding that would be noticed
    for row, length in enumerate(lengths):
        padded[row, :length] = torch.randn(length, 3)
    outputs, final = encoder(padded, torch.tensor(lengths))
    assert outputs.shape == (*padded.shape[:2], encoder.features)
    for row, length in enumerate(lengths):
        alone_outputs, alone_final = encoder(padded[row : row + 1, :length])
        torch.testing.assert_close(outputs[row : row + 1, :length], alone_outputs)
        torch.testing.assert_close(final[row : row + 1], alone_final)
        assert torch.count_nonzero(outputs[row, length:]) == 0


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_final_state_is_the_last_output_of_each_direction(kind) -> None:
    encoder = RecurrentEncoder(kind, 3, 4, 2, bidirectional=True)
    outputs, final = encoder(torch.randn(2, 5, 3))
    expected = torch.cat((outputs[:, -1, :4], outputs[:, 0, 4:]), dim=-1)
    torch.testing.assert_close(final, expected)


def test_gru_step_is_the_papers() -> None:
    encoder = RecurrentEncoder("gru", 3, 4)
    cell = encoder.recurrent
    step = torch.randn(1, 1, 3)
    reset, update, new = (step[0] @ cell.weight_ih_l0.T + cell.bias_ih_l0).chunk(3, dim=-1)
    hidden_reset, hidden_update, hidden_new = cell.bias_hh_l0.chunk(3)  # from a state of zeros
    update = (update + hidden_update).sigmoid()
    new = (new + (reset + hidden_reset).sigmoid() * hidden_new).tanh()
    torch.testing.assert_close(encoder(step)[1], (1 - update) * new)


@pytest.mark.parametrize("make", [GRU, LSTM])
@pytest.mark.parametrize("layers", [1, 2])
def test_heads(make, layers: int) -> None:
    network = make(3, 8, 2, layers=layers, dropout=0.1)
    outputs = network(torch.randn(4, 6, 3), torch.tensor([6, 1, 3, 2]))
    assert outputs.shape == (4, 2)
    outputs.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("make", [GRU, LSTM])
def test_heads_learn_a_sum(make) -> None:
    torch.manual_seed(0)
    network = make(1, 16, 1)
    sequence = torch.randn(32, 3, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(60):
        optimizer.zero_grad()
        loss = (network(sequence) - sequence.sum(dim=1)).square().mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.1 * sequence.sum(dim=1).var()
