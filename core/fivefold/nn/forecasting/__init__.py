"""Networks that forecast the next steps of series, from their past, covariates known ahead, and static codes."""

from fivefold.nn.forecasting.base import Forecaster
from fivefold.nn.forecasting.build import build_forecaster, shape_of
from fivefold.nn.forecasting.instance_norm import RevIN
from fivefold.nn.forecasting.linear import DLinear, NLinear
from fivefold.nn.forecasting.patch_tst import PatchTST
from fivefold.nn.forecasting.recurrent import RecurrentForecaster
from fivefold.nn.forecasting.shape import ForecastShape
from fivefold.nn.forecasting.tcn import TCN, TCNForecaster

__all__ = [
    "TCN",
    "DLinear",
    "ForecastShape",
    "Forecaster",
    "NLinear",
    "PatchTST",
    "RecurrentForecaster",
    "RevIN",
    "TCNForecaster",
    "build_forecaster",
    "shape_of",
]
