"""DeLong's test of each yes/no question's AUROC against each baseline's, in words and in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from math import isfinite

import numpy as np

from fivefold.evaluation.delong import DeLong, delong
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.numbers import decimals_for, number, number_range
from fivefold.evaluation.paired_test import told_p_value
from fivefold.evaluation.question_intervals import DASH, interval_head, one_sided
from fivefold.evaluation.question_metrics import answers
from fivefold.evaluation.section import Grid, Section

Test = tuple[str, str, DeLong | None, float]
"""Question, baseline, its test (None without both answers), and the p-value that Holm's method corrects it to."""


def delong_section(evaluation: Evaluation, names: tuple[str, ...]) -> Section:
    """A test for each question and each baseline that gives probabilities.

    Args:
        evaluation: the judgement.
        names: of the ``Q`` questions.
    """
    tests = _tests(evaluation, names)
    head = (
        "Question",
        "Baseline",
        "AUROC",
        "Baseline's",
        "Difference",
        interval_head(evaluation),
        "p",
        "p (Holm)",
    )
    grid = Grid("DeLong's test, model minus baseline", head, tuple(_row(test) for test in tests))
    return Section(
        title="DeLong's test",
        text=_text(evaluation, names, tests),
        grids=(grid,) if tests else (),
        facts={"tests": [_fact(test) for test in tests]},
        key="delong",
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number by Holm's (1979) step-down method; nan stays nan and does not count."""
    given = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(len(given), np.nan)
    order = np.argsort(given)[: int(np.isfinite(given).sum())]
    steps = given[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in corrected]


def _tests(evaluation: Evaluation, names: tuple[str, ...]) -> list[Test]:
    truth = answers(evaluation.outputs)
    found = [
        (
            question,
            baseline,
            delong(
                evaluation.outputs["probabilities"][:, column],
                outputs["probabilities"][:, column],
                truth[:, column],
                evaluation.units,
                evaluation.level,
            ),
        )
        for column, question in enumerate(names)
        for baseline, outputs in evaluation.baseline_outputs.items()
        if "probabilities" in outputs
    ]
    corrected = holm([test.p_value if test else float("nan") for *_, test in found])
    return [(*one, after) for one, after in zip(found, corrected, strict=True)]


def _row(test: Test) -> tuple[str, ...]:
    question, baseline, found, corrected = test
    if found is None:
        return (question, baseline, *[DASH] * 6)
    known = isfinite(found.standard_error)
    decimals = decimals_for(found.low, found.high, found.difference)
    return (
        question,
        baseline,
        number(found.auroc, decimals=decimals),
        number(found.reference, decimals=decimals),
        number(found.difference, "+", decimals),
        number_range(found.low, found.high, found.difference, sign="+") if known else DASH,
        _p_value(found.p_value),
        _p_value(corrected),
    )


def _p_value(value: float) -> str:
    return told_p_value(value) if isfinite(value) else DASH


def _text(evaluation: Evaluation, names: tuple[str, ...], tests: list[Test]) -> str:
    if not tests:
        return "There is no baseline with probabilities to compare AUROCs with."
    if evaluation.units is None:
        units = "Every sample counts as independent here; where several come from one source, p-values are too small."
    else:
        units = (
            f"Samples of one {evaluation.unit_name} are alike. Their contributions are therefore summed by "
            f"{evaluation.unit_name} before the variance is taken (Obuchowski 1997): to count them as independent "
            "can make intervals too narrow and p-values too small."
        )
    tested = "Two AUROCs of the same samples, compared as DeLong, DeLong and Clarke-Pearson (1988) do."
    return "\n\n".join(
        [f"{tested} {units}", _counted(evaluation, tests), *one_sided(names, answers(evaluation.outputs))]
    )


def _counted(evaluation: Evaluation, tests: list[Test]) -> str:
    """How many tests find something, and how many of these may be chance."""
    alpha = 1 - evaluation.level
    p_values = [found.p_value for _, _, found, _ in tests if found is not None and isfinite(found.p_value)]
    before = sum(p_value < alpha for p_value in p_values)
    after = sum(corrected < alpha for *_, corrected in tests)
    size = f"{100 * alpha:.3g}"
    if not p_values:
        return "No test has a p-value."
    if len(p_values) == 1:
        return f"The test finds {'a' if before else 'no'} difference at {size} %."
    return (
        f"{before} of {len(p_values)} tests find a difference, for better or worse, at {size} %; {after} of them after "
        f"Holm's correction. Of many tests some find a difference by chance ({size} in 100 where there is none at "
        "all); the corrected p-values allow for their number, and are the ones to go by when looking for any "
        "difference."
    )


def _fact(test: Test) -> dict[str, object]:
    question, baseline, found, corrected = test
    values = vars(found) if found else dict.fromkeys(field.name for field in fields(DeLong))
    return {"question": question, "baseline": baseline, **values, "p_holm": corrected}
