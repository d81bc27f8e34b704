"""Tasks: what is learned."""

from __future__ import annotations

from fivefold.tasks.base import Loss, Outputs, Phase, Task
from fivefold.tasks.classification import Classification
from fivefold.tasks.forecast import Forecast
from fivefold.tasks.language_model import LanguageModel
from fivefold.tasks.regression import Regression

__all__ = ["Classification", "Forecast", "LanguageModel", "Loss", "Outputs", "Phase", "Regression", "Task"]
