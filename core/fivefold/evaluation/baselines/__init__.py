"""Baselines: what the model must beat to be worth its cost."""

from __future__ import annotations

from fivefold.evaluation.baselines.base import Baseline
from fivefold.evaluation.baselines.boosting import QuestionBoosting
from fivefold.evaluation.baselines.classification import LogisticRegression, MajorityClass
from fivefold.evaluation.baselines.forecast import Drift, RepeatLast, SeasonalRepeat
from fivefold.evaluation.baselines.forecast_autoregression import Autoregression
from fivefold.evaluation.baselines.forecast_linear import ClosedFormLinear
from fivefold.evaluation.baselines.ngrams import WittenBell
from fivefold.evaluation.baselines.questions import Prevalence, QuestionForest, QuestionRegression
from fivefold.evaluation.baselines.regression import MeanTarget
from fivefold.evaluation.baselines.series import LastValue, SeasonalNaive
from fivefold.evaluation.baselines.text import TfidfLogisticRegression, TfidfRidge

__all__ = [
    "Autoregression",
    "Baseline",
    "ClosedFormLinear",
    "Drift",
    "LastValue",
    "LogisticRegression",
    "MajorityClass",
    "MeanTarget",
    "Prevalence",
    "QuestionBoosting",
    "QuestionForest",
    "QuestionRegression",
    "RepeatLast",
    "SeasonalNaive",
    "SeasonalRepeat",
    "TfidfLogisticRegression",
    "TfidfRidge",
    "WittenBell",
]
