"""Rates are read from curves whose shape is known; where a curve says nothing, so does the proposal."""

from __future__ import annotations

import numpy as np
import pytest

from fivefold.finding.proposal import Average, Proposal, propose


def read(losses: np.ndarray, steps: int = 100, *, diverged: bool = True) -> Proposal:
    """The reading of the losses of the first of ``steps`` steps from 1e-7 to 10."""
    rates = np.logspace(-7, 1, steps)[: len(losses)]
    average = Average(steps)
    averaged = [average.update(float(loss)) for loss in losses]
    return propose(rates, losses, averaged, width=average.width, diverged=diverged)


def valley(steps: int = 100, *, fall_at: float = -3.0, rise_at: float = -0.5) -> np.ndarray:
    """A loss that falls from 2 to 1 around ten to the ``fall_at``, rises from ``rise_at`` on, and ends at 8."""
    exponents = np.linspace(-7, 1, steps)
    losses = 1 + 1 / (1 + np.exp(6 * (exponents - fall_at))) + np.exp(6 * (exponents - rise_at))
    return losses[losses < 8]


@pytest.mark.parametrize("steps", [60, 100, 400])
def test_the_rate_lies_where_the_loss_falls_steepest(steps: int) -> None:
    proposal = read(valley(steps), steps)
    # The average runs behind the loss, by no more than its width of a twentieth of eight decades.
    assert proposal.rate is not None
    assert 10**-3.1 <= proposal.rate <= 10**-2.5
    assert proposal.lowest is not None
    assert proposal.safer == min(proposal.lowest / 10, proposal.rate / 3)
    assert "falls steepest" in proposal.reason


def test_noise_does_not_move_it_far() -> None:
    generator = np.random.default_rng(0)
    losses = valley(200)
    proposal = read(losses + 0.03 * generator.standard_normal(len(losses)), 200)
    assert proposal.rate is not None
    assert 10**-3.4 <= proposal.rate <= 10**-2.3


@pytest.mark.parametrize("seed", range(20))
def test_pure_noise_proposes_nothing(seed: int) -> None:
    losses = 2 + 0.5 * np.random.default_rng(seed).standard_normal(100)
    proposal = read(losses)
    assert proposal.rate is None
    assert proposal.safer is None
    assert "too noisy" in proposal.reason


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        (np.full(100, 2.3), "stays flat"),
        (np.linspace(2.3, 2.29, 100), "stays flat"),
        (np.linspace(1, 9, 100), "rises from the first rates on"),
        (np.linspace(2, 1, 100), "still falls at the highest rate, 10"),
        (np.linspace(2, 9, 6), "ran away after 6 steps"),
        (np.concatenate([[3.0, 2.0, 1.0], np.linspace(1, 9, 40)]), "rises from the first rates on"),
    ],
)
def test_an_unclear_curve_says_why(losses: np.ndarray, said: str) -> None:
    proposal = read(losses, diverged=losses[-1] > losses[0])
    assert (proposal.rate, proposal.safer, proposal.lowest) == (None, None, None)
    assert said in proposal.reason


def test_the_average_starts_at_the_first_value_and_follows() -> None:
    average = Average(100)
    assert average.width == 5
    assert average.update(4.0) == pytest.approx(4.0)
    # Weights 0.8 and 1, over their sum.
    assert average.update(1.0) == pytest.approx((0.8 * 4 + 1) / 1.8)
