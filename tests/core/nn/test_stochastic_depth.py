import torch

from fivefold.nn import StochasticDepth


def test_drops_whole_samples_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    dropped = StochasticDepth(0.25)(torch.ones(4000, 2, 3))
    values = dropped.flatten(1)
    assert (values == values[:, :1]).all()
    torch.testing.assert_close(values.unique(), torch.tensor([0.0, 1 / 0.75]))
    assert abs(values.mean().item() - 1) < 0.03


def test_is_the_identity_in_evaluation_and_at_rate_zero() -> None:
    branch = torch.randn(3, 2)
    assert StochasticDepth(0.5).eval()(branch) is branch
    assert StochasticDepth(0.0)(branch) is branch
