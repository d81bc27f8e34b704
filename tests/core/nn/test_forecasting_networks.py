"""Forecasting networks: references, causality, shifts, covariates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from fivefold.config.forecaster import ForecasterConfig
from fivefold.data.dataset import Facts
from fivefold.nn.forecasting import (
    TCN,
    DLinear,
    ForecastShape,
    NLinear,
    PatchTST,
    RecurrentForecaster,
    RevIN,
    TCNForecaster,
    build_forecaster,
)
from fivefold.nn.forecasting.linear import moving_average
from fivefold.nn.forecasting.tcn import layers_that_see

KINDS = ("lstm", "gru", "tcn", "dlinear", "nlinear", "patch-tst")
SHAPE = ForecastShape(lookback=12, horizon=4, features=3, targets=2, quantiles=3)


def facts(**more):
    return Facts(features=3, targets=["a", "b"], horizon=4, lookback=12, **more)


def built(kind, quantiles=1, settings=None, **more):
    torch.manual_seed(0)
    chosen = settings or ForecasterConfig(kind=kind)
    return build_forecaster(kind, facts(**more), chosen, quantiles=quantiles).eval()


def windows(count=5, lookback=12, features=3, seed=1):
    return torch.randn(count, lookback, features, generator=torch.Generator().manual_seed(seed))


# Shapes and covariates


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quantiles", [1, 3])
def test_forecasts_have_a_place_for_each_step_target_and_quantile(kind, quantiles):
    assert built(kind, quantiles)(windows()).shape == (5, 4, 2, quantiles)


@pytest.mark.parametrize("kind", KINDS)
def test_known_and_static_covariates_are_used_where_they_belong(kind):
    network = built(kind, known=["hour"], static={"place": 3})
    past = windows()
    known, codes = torch.randn(5, 4, 1, generator=torch.Generator().manual_seed(2)), torch.zeros(5, 1).long()
    for parameter in network.effect.effect.layers[-1].parameters():
        torch.nn.init.normal_(parameter)
    usual = network(past, known, codes)
    later = known.clone()
    later[:, 2] += 1
    changed = (network(past, later, codes) != usual).flatten(2).any(dim=2)
    assert changed[:, 2].all()
    assert not changed[:, [0, 1, 3]].any()  # what is known of one step tells of that step
    assert (network(past, known, codes + 1) != usual).any(dim=-1).all()
    loss = network(past, known, codes).sum()
    loss.backward()
    assert float(network.effect.covariates.embeddings[0].weight.grad.abs().sum()) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_before_training_covariates_add_nothing(kind):
    network = built(kind, known=["hour"])
    known = torch.randn(5, 4, 1, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(network(windows(), known), network(windows(), 0 * known), rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_is_forecast_alike_alone_and_among_others(kind):
    network, past = built(kind), windows()
    torch.testing.assert_close(network(past)[1:2], network(past[1:2]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_come_back_from_a_state_dict(kind):
    torch.manual_seed(5)
    network = built(kind, known=["hour"], static={"place": 3})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1)
    again = built(kind, known=["hour"], static={"place": 3})
    again.load_state_dict(network.state_dict())
    given = (windows(), torch.ones(5, 4, 1), torch.ones(5, 1).long())
    torch.testing.assert_close(again(*given), network(*given), rtol=0, atol=0)


# Instance normalisation


def test_windows_are_normalised_as_numpy_says():
    norm, past = RevIN(3), windows()
    normal, window = norm(past)
    values = past.double().numpy()
    mean, variance = values.mean(axis=1, keepdims=True), values.var(axis=1, keepdims=True)
    np.testing.assert_allclose(normal.detach(), (values - mean) / np.sqrt(variance + 1e-5), atol=1e-5)
    torch.testing.assert_close(norm.restore(normal[..., None], window)[..., 0], past)


def test_the_last_value_may_be_the_centre():
    normal, _ = RevIN(3, "last")(windows())
    assert (normal[:, -1] == 0).all()


def test_learned_weights_are_taken_back():
    norm = RevIN(3)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([2.0, -0.5, 3.0]))
        norm.bias.copy_(torch.tensor([1.0, 0.3, -2.0]))
    normal, window = norm(windows())
    torch.testing.assert_close(norm.restore(normal[:, :, :2, None], window)[..., 0], windows()[..., :2])


def test_a_constant_window_is_forecast_by_finite_numbers():
    for kind in KINDS:
        assert torch.isfinite(built(kind)(torch.full((2, 12, 3), 7.0))).all()


@pytest.mark.parametrize("kind", KINDS)
def test_shifting_a_window_shifts_its_forecast(kind):
    network = built(kind).double()
    past, shift = windows().double(), torch.tensor([3.0, -8.0, 100.0]).double()
    expected = network(past) + shift[None, None, :2, None]
    torch.testing.assert_close(network(past + shift), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["lstm", "gru", "tcn", "dlinear", "patch-tst"])
def test_returns_are_left_as_they_are_unless_asked(kind):
    assert built(kind, level="returns").norm is None
    assert built(kind, level="levels").norm is not None
    settings = ForecasterConfig(kind=kind, normalise="last")
    assert built(kind, settings=settings, level="returns").norm.centre == "last"
    assert built(kind, settings=ForecasterConfig(kind=kind, normalise="off")).norm is None


# Linear


def test_nlinear_is_the_papers():
    network = NLinear(SHAPE)
    past = windows()
    values, weight = past.double().numpy()[..., :2], network.map.weight[0].detach().double().numpy()
    bias = network.map.bias[0, 0].detach().double().numpy()
    last = values[:, -1:]
    steps = np.einsum("blk,lo->bko", values - last, weight) + bias
    expected = steps.reshape(5, 2, 4, 3).transpose(0, 2, 1, 3) + last[..., None]
    np.testing.assert_allclose(network(past).detach(), expected, atol=1e-5)


def test_the_trend_is_a_mean_over_repeated_ends():
    series = torch.tensor([[[1.0, 2.0, 6.0, 3.0, 8.0]]])
    found = moving_average(series, 3)
    torch.testing.assert_close(found[0, 0], torch.tensor([4 / 3, 3.0, 11 / 3, 17 / 3, 19 / 3]))


def test_dlinear_with_one_map_for_both_parts_is_that_map():
    network = DLinear(SHAPE, kernel=5)
    network.rest.load_state_dict(network.trend.state_dict())
    past = windows()
    once = network.trend(past[..., :2].transpose(1, 2)) + network.trend.bias.view(1, 4, 1, 3)
    torch.testing.assert_close(network(past), once, rtol=1e-5, atol=1e-5)


def test_individual_maps_are_those_of_each_target():
    torch.manual_seed(0)
    network, past = NLinear(SHAPE, individual=True), windows()
    both = network(past)
    for target in range(2):
        alone = NLinear(ForecastShape(12, 4, 1, 1, 3))
        alone.map.weight.data = network.map.weight.data[target : target + 1]
        alone.map.bias.data = network.map.bias.data[target : target + 1]
        one = alone(past[..., target : target + 1])
        torch.testing.assert_close(both[:, :, target : target + 1], one, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["dlinear", "nlinear", "patch-tst"])
def test_each_target_is_forecast_from_its_own_past(kind):
    network, past = built(kind), windows()
    changed = past.clone()
    changed[..., 1:] += windows(seed=4)[..., 1:]
    torch.testing.assert_close(network(changed)[:, :, 0], network(past)[:, :, 0], rtol=0, atol=0)
    assert (network(changed)[:, :, 1] != network(past)[:, :, 1]).any()


@pytest.mark.parametrize("kind", ["lstm", "gru", "tcn"])
def test_columns_are_read_together(kind):
    network, past = built(kind), windows()
    changed = past.clone()
    changed[:, 5, 2] += 1
    assert (network(changed) != network(past)).any(dim=1).all()


# Causal convolutions


def test_no_output_depends_on_a_later_step():
    torch.manual_seed(0)
    network = TCN(3, 8, 3, kernel=2).eval()
    past = windows(lookback=30)
    for step in (3, 11, 29):
        changed = past.clone()
        changed[:, step] += 1
        same = (network(changed) == network(past)).all(dim=-1).all(dim=0)
        assert same[:step].all()
        assert not same[step]
        assert same[step + network.field :].all()


@pytest.mark.parametrize(
    ("lookback", "kernel", "layers"), [(1, 3, 1), (5, 3, 1), (6, 3, 2), (13, 3, 2), (14, 3, 3), (336, 3, 7)]
)
def test_layers_reach_over_the_whole_lookback(lookback, kernel, layers):
    assert layers_that_see(lookback, kernel) == layers
    assert TCN(1, 2, layers, kernel).field >= lookback
    assert layers == 1 or TCN(1, 2, layers - 1, kernel).field < lookback


def test_a_block_is_two_dilated_convolutions_and_its_input():
    torch.manual_seed(0)
    network = TCN(3, 3, 2, kernel=2).eval()
    block, sequence = network.blocks[1], windows().transpose(1, 2)
    found = sequence
    for place in (0, 3):
        layer = block.layers[place].convolution
        found = F.relu(F.conv1d(F.pad(found, (2, 0)), layer.weight, layer.bias, dilation=2))
    torch.testing.assert_close(block(sequence), F.relu(found + sequence))


def test_the_recurrent_state_of_a_step_does_not_know_later_ones():
    torch.manual_seed(0)
    network = RecurrentForecaster("lstm", SHAPE, 8, 2).eval()
    past = windows()
    changed = past.clone()
    changed[:, 7] += 1
    same = (network.encoder(changed)[0] == network.encoder(past)[0]).all(dim=-1).all(dim=0)
    assert same[:7].all()
    assert not same[7:].any()


def test_the_first_step_seen_still_counts():
    for network in (TCNForecaster(SHAPE, 8), RecurrentForecaster("gru", SHAPE, 8)):
        torch.manual_seed(3)
        past = windows()
        changed = past.clone()
        changed[:, 0] += 5
        assert (network(changed) != network(past)).any()


# Patches


def test_patches_are_those_of_the_paper():
    network = PatchTST(ForecastShape(336, 96, 7, 7), patch=16, stride=8)
    assert len(network.positions) == 42  # the paper's PatchTST/42
    assert len(PatchTST(ForecastShape(512, 96, 7, 7)).positions) == 64
    assert network(windows(2, 336, 7)).shape == (2, 96, 7, 1)


def test_a_short_lookback_is_a_patch():
    network = PatchTST(ForecastShape(3, 2, 1, 1), patch=16, stride=8)
    assert network.patch == 3
    assert network(windows(2, 3, 1)).shape == (2, 2, 1, 1)


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"kind": "nlinear", "hidden": 3},
            "'hidden' does not apply to the kind 'nlinear', which has individual",
        ),
        ({"kind": "lstm", "patch": 3}, "'patch' does not apply to the kind 'lstm'"),
        ({"kind": "dlinear", "kernel": 4}, "'kernel' of a dlinear must be odd"),
        ({"kind": "patch-tst", "heads": 3}, "'heads' must divide 'hidden', found 3 heads and hidden 16"),
        ({"kind": "arima"}, "Input should be 'lstm', 'gru'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        ForecasterConfig(**settings)


def test_settings_reach_the_network():
    network = built(
        "patch-tst", settings=ForecasterConfig(kind="patch-tst", hidden=8, heads=2, layers=1, patch=4)
    )
    assert network.positions.shape == ((12 + 8 - 4) // 8 + 1, 8)
    assert len(network.encoder.blocks) == 1
    assert built("tcn", settings=ForecasterConfig(kind="tcn", layers=2, kernel=5)).encoder.field == 25
    assert built("dlinear", settings=ForecasterConfig(kind="dlinear", kernel=7)).kernel == 7
    assert len(built("nlinear", settings=ForecasterConfig(kind="nlinear", individual=True)).map.weight) == 2
