"""Small judged evaluations of yes/no questions that several test files share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.tasks.base import Outputs
from fivefold.tasks.questions import Questions

from .judged import judge_outputs, samples_like

RESAMPLES = 100


def question_outputs(
    count: int = 300, questions: int = 2, skill: float = 2.0, unknown: float = 0.1, seed: int = 0
) -> Outputs:
    """Calibrated probabilities of which the logits differ by about ``skill``, and answers drawn from them."""
    generator = np.random.default_rng(seed)
    logits = skill * generator.normal(size=(count, questions)) - 0.5
    probabilities = 1 / (1 + np.exp(-logits))
    target = (generator.random((count, questions)) < probabilities).astype(np.float64)
    target[generator.random(target.shape) < unknown] = np.nan
    return {"probabilities": probabilities, "target": target}


def noisy(outputs: Outputs, noise: float = 2.0, seed: int = 1) -> Outputs:
    """A baseline that knows less."""
    shape = outputs["probabilities"].shape
    logits = np.log(outputs["probabilities"] / (1 - outputs["probabilities"]))
    logits = logits + noise * np.random.default_rng(seed).normal(size=shape)
    return {"probabilities": 1 / (1 + np.exp(-logits))}


def judge_questions(
    outputs: Outputs,
    names: Sequence[str] = ("cough", "fever"),
    baselines: Mapping[str, Outputs] | None = None,
    units: Array | None = None,
    seed: int = 0,
) -> Evaluation:
    samples = samples_like(outputs["target"], units, unit="patient")
    task = Questions(torch.nn.Identity(), names)
    return judge_outputs(task, outputs, samples, baselines, resamples=RESAMPLES, seed=seed)
