"""Small judged transactions that several test files share."""

from __future__ import annotations

import numpy as np
import torch

from fivefold.config import EvaluationConfig
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.evaluation.judge import judge
from fivefold.tasks.questions import Questions
from fivefold_finance.fraud.judged import Judged, account_codes, day_numbers, independent_units
from fivefold_finance.fraud.metrics import fraud_metrics

START = np.datetime64("2024-03-01T00:00:00", "ns")


def times_of(hours):
    """Instants so many hours after the start."""
    return START + (np.asarray(hours, dtype=np.float64) * 3.6e12).astype("timedelta64[ns]")


def judged_of(scores, fraud, hours=None, accounts=None, amounts=None, threshold=0.5):
    count = len(scores)
    return Judged(
        scores=np.asarray(scores, dtype=np.float64),
        fraud=np.asarray(fraud, dtype=np.float64),
        times=times_of(np.zeros(count) if hours is None else hours),
        accounts=None if accounts is None else np.asarray(accounts, dtype=object),
        amounts=np.full(count, 10.0) if amounts is None else np.asarray(amounts, dtype=np.float64),
        threshold=threshold,
    )


def simulated(count=3000, days=12, frauds=0.03, skill=2.5, unknown=0.0, seed=0):
    """Transactions in order of time, of which the scores tell the frauds by about ``skill``."""
    generator = np.random.default_rng(seed)
    hours = np.sort(generator.random(count) * 24 * days)
    fraud = (generator.random(count) < frauds).astype(float)
    logits = generator.normal(size=count) + skill * fraud - 3
    fraud[generator.random(count) < unknown] = np.nan
    return judged_of(
        1 / (1 + np.exp(-logits)),
        fraud,
        hours,
        accounts=[f"card {number}" for number in generator.integers(count // 10, size=count)],
        amounts=np.round(np.exp(generator.normal(3.5, 1.2, size=count)), 2),
        threshold=0.3,
    )


def outputs_of(judged):
    return {
        "probabilities": judged.scores[:, None],
        "target": judged.fraud[:, None],
        "day": day_numbers(judged.times),
        "account": account_codes(judged.accounts, len(judged.scores)),
        "amount": judged.amounts,
    }


class Asked(Questions):
    """One question with the metrics of fraud, as the pipeline's own task has them."""

    given = ("target", "day", "account", "amount")
    alerts = 20

    def metrics(self):
        return fraud_metrics(alerts=self.alerts, accounts=True)


def evaluation_of(judged, baselines=(), resamples=100, alerts=20):
    """Judged by days; ``baselines`` maps names to scores."""
    units, unit = independent_units(judged.times, judged.accounts)
    count = len(judged.scores)
    samples = TensorDataset(
        {"input": torch.zeros(count, 1), "target": torch.from_numpy(judged.fraud[:, None])},
        facts=Facts(unit=unit),
        ids=np.array([f"line {row + 2}" for row in range(count)], dtype=object),
        units=units,
    )
    task = Asked(torch.nn.Identity(), ["fraud"])
    task.alerts = alerts
    return judge(
        task=task,
        facts=samples.facts,
        outputs=outputs_of(judged),
        samples=samples,
        split="test",
        baseline_outputs={
            name: {"probabilities": np.asarray(of)[:, None]} for name, of in dict(baselines).items()
        },
        findings=(),
        config=EvaluationConfig(resamples=resamples),
        seed=0,
    )


def noisier(judged, noise=1.5, seed=5):
    logits = np.log(judged.scores / (1 - judged.scores))
    return 1 / (1 + np.exp(-logits - noise * np.random.default_rng(seed).normal(size=len(logits))))
