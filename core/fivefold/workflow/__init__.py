"""The stages in order: data to run, run to report, run to predictions. Each stage can be called alone."""

from fivefold.workflow.evaluating import evaluate
from fivefold.workflow.predicting import follow, predict
from fivefold.workflow.preparing import Prepared, prepare
from fivefold.workflow.training import train

__all__ = ["Prepared", "evaluate", "follow", "predict", "prepare", "train"]
