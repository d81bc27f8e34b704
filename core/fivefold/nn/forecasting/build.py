"""The forecasting network that the settings name."""

from __future__ import annotations

from fivefold.config.forecaster import ForecasterConfig, ForecasterKind
from fivefold.data.dataset import Facts
from fivefold.nn.forecasting.base import Forecaster
from fivefold.nn.forecasting.instance_norm import Centre
from fivefold.nn.forecasting.linear import DLinear, NLinear
from fivefold.nn.forecasting.patch_tst import PatchTST
from fivefold.nn.forecasting.recurrent import RecurrentForecaster
from fivefold.nn.forecasting.shape import ForecastShape
from fivefold.nn.forecasting.tcn import TCNForecaster


def shape_of(facts: Facts, quantiles: int = 1) -> ForecastShape:
    """The shape that the data's facts state; for their names see `build_forecaster`."""
    return ForecastShape(
        lookback=facts.lookback,
        horizon=facts.horizon,
        features=facts.features,
        targets=len(facts.targets),
        quantiles=quantiles,
        known=len(facts.get("known", ())),
        static=tuple(facts.get("static", {}).values()),
    )


def build_forecaster(
    kind: ForecasterKind, facts: Facts, settings: ForecasterConfig, *, quantiles: int = 1
) -> Forecaster:
    """The network ``kind`` for series as ``facts`` state them, with fresh weights.

    Args:
        kind: which network.
        facts: ``lookback``, ``horizon``, ``features``, ``targets`` (names), and where there are such ``known``
            (names), ``static`` (name to number of codes) and ``level`` ("levels" or "returns").
        settings: its settings; what they leave open is filled in.
        quantiles: numbers forecast for each step and target, ``Q``.

    Returns:
        A module of (``(B, L, F)``, ``(B, H, C)`` or None, ``(B, S)`` or None) to ``(B, H, K, Q)``.
    """
    shape = shape_of(facts, quantiles)
    centre = _centre(kind, facts, settings)
    dropout = 0.1 if settings.dropout is None else settings.dropout
    hidden = settings.hidden or 64
    if kind == "lstm" or kind == "gru":  # noqa: PLR1714 - a set of both would not tell mypy which they are
        layers = settings.layers or 1
        return RecurrentForecaster(kind, shape, hidden, layers, dropout=dropout, normalise=centre)
    if kind == "tcn":
        return TCNForecaster(
            shape, hidden, settings.layers, settings.kernel or 3, dropout=dropout, normalise=centre
        )
    if kind == "nlinear":
        return NLinear(shape, individual=bool(settings.individual))
    if kind == "dlinear":
        individual = bool(settings.individual)
        return DLinear(shape, settings.kernel or 25, individual=individual, normalise=centre)
    return PatchTST(
        shape,
        settings.hidden or 16,
        settings.layers or 3,
        settings.heads or 4,
        patch=settings.patch or 16,
        stride=settings.stride or 8,
        dropout=0.3 if settings.dropout is None else settings.dropout,
        normalise=centre,
    )


def _centre(kind: ForecasterKind, facts: Facts, settings: ForecasterConfig) -> Centre | None:
    """What each window is shifted by; see `ForecasterConfig.normalise`."""
    if settings.normalise is not None:
        return None if settings.normalise == "off" else settings.normalise
    if facts.get("level", "levels") == "returns":
        return None
    return "mean" if kind in {"dlinear", "patch-tst"} else "last"
