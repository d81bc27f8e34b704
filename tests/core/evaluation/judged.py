"""Small judged evaluations that several test files share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from fivefold.config import EvaluationConfig
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.data.leakage import Finding
from fivefold.data.table import Array
from fivefold.evaluation.calibration import softmax
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.judge import judge
from fivefold.tasks.base import Outputs, Task
from fivefold.tasks.classification import Classification
from fivefold.tasks.regression import Regression


def class_outputs(count: int = 300, classes: int = 3, skill: float = 2.0, seed: int = 0) -> Outputs:
    """Logits that favour the true class by ``skill``."""
    target = np.random.default_rng(99).integers(classes, size=count)
    logits = np.random.default_rng(seed).normal(size=(count, classes))
    logits[np.arange(count), target] += skill
    return {"logits": logits, "probabilities": softmax(logits), "target": target}


def samples_like(target: Array, units: Array | None = None, **facts: object) -> TensorDataset:
    ids = np.array([f"sample {row}" for row in range(len(target))], dtype=object)
    tensors = {"input": torch.zeros(len(target), 1), "target": torch.from_numpy(target)}
    return TensorDataset(tensors, facts=Facts(facts), ids=ids, units=units)


def judge_outputs(
    task: Task,
    outputs: Outputs,
    samples: TensorDataset,
    baselines: Mapping[str, Outputs] | None,
    *,
    resamples: int = 200,
    seed: int = 0,
    findings: Sequence[Finding] = (),
    notes: Sequence[str] = (),
) -> Evaluation:
    return judge(
        task=task,
        facts=samples.facts,
        outputs=outputs,
        samples=samples,
        split="test",
        baseline_outputs=baselines or {},
        findings=findings,
        config=EvaluationConfig(resamples=resamples),
        seed=seed,
        notes=notes,
    )


def judge_classes(
    outputs: Outputs | None = None,
    classes: Sequence[str] = ("cat", "dog", "owl"),
    baselines: Mapping[str, Outputs] | None = None,
    units: Array | None = None,
    findings: Sequence[Finding] = (),
    notes: Sequence[str] = (),
    **facts: object,
) -> Evaluation:
    outputs = class_outputs(classes=len(classes)) if outputs is None else outputs
    samples = samples_like(outputs["target"], units, classes=list(classes), **facts)
    task = Classification(torch.nn.Identity(), classes)
    return judge_outputs(task, outputs, samples, baselines, findings=findings, notes=notes)


def judge_numbers(
    outputs: Outputs, baselines: Mapping[str, Outputs] | None = None, units: Array | None = None
) -> Evaluation:
    samples = samples_like(outputs["target"], units)
    return judge_outputs(Regression(torch.nn.Identity()), outputs, samples, baselines)
