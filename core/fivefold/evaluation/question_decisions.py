"""Whether acting on the probabilities does more good than harm: decision curves of yes/no questions."""

from __future__ import annotations

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.decision_curve import decision_curve
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.figures import BLUE, GREY, ORANGE, canvas, finish, shortened
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_curves import drawable, panel_size, panels, strongest_baseline
from fivefold.evaluation.question_intervals import both_ways, one_sided
from fivefold.evaluation.question_metrics import answers
from fivefold.evaluation.section import Figure, Grid, Section

DRAWN: Values = np.arange(1, 200) / 200
"""Thresholds of the curves, shape ``(T,)``."""

LISTED: Values = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.5])
"""Thresholds of the table."""

NOTHING = 0.01
"""A net benefit below this share of the largest one is not worth drawing."""

NARROWEST = 0.2
"""Thresholds are drawn up to this one at least."""

LEGEND = 0.5
"""Inches that the legend takes."""

NOBODY = "treat_none"
"""The policy that is worth nothing at all thresholds."""

POLICIES = {"treat_all": "treat all", NOBODY: "treat none"}
"""What can be done without any prediction."""

Benefits = dict[str, Values]
"""Net benefit at each threshold, ``(T,)``, by policy: model, baseline (if there is one), treat_all, treat_none."""

EXPLAINED = (
    "Whoever acts from a probability t on holds a missed yes for (1 - t) / t times as bad as a needless action: at "
    "20 % four times as bad, at 50 % equally bad. The net benefit (Vickers and Elkin 2006) is the share of samples "
    "on which one acts rightly, less the share on which one acts needlessly at that rate. A net benefit of 0.10 is "
    "worth as much as acting on 10 of 100 samples, each of them a yes, and on no other.\n\n"
    "To read it, choose from what is at stake the range of thresholds at which one would act, before looking at the "
    "curves. The model is of use where it lies above all others there: above treating all, above treating none "
    "(always zero), above the baseline. Curves carry no interval, and small gaps may be chance. They hold for a "
    "share of yes as on this split; elsewhere the shares, and with them the benefit, differ."
)


def decision_section(evaluation: Evaluation, names: tuple[str, ...]) -> Section:
    """Net benefit of model, strongest baseline, treating all and treating none.

    Args:
        evaluation: the judgement.
        names: of the ``Q`` questions.
    """
    truth = answers(evaluation.outputs)
    rival = strongest_baseline(evaluation)
    labels = {"model": "the model", **({"baseline": rival[0]} if rival else {}), **POLICIES}
    drawn = [_benefits(evaluation, truth, question, DRAWN, rival) for question in range(len(names))]
    listed = [_benefits(evaluation, truth, question, LISTED, rival) for question in range(len(names))]
    shown = drawable(truth)
    judged = int(both_ways(truth).sum())
    left = [f"The first {len(shown)} questions are shown."] if judged > len(shown) else []
    titles = [names[question] for question in shown]
    return Section(
        title="Decision curve",
        text="\n\n".join([EXPLAINED, *left, *one_sided(names, truth)]),
        grids=(_grid(titles, [listed[question] for question in shown], labels),) if shown else (),
        figures=(
            _figure(
                titles, [drawn[question] for question in shown], np.nanmean(truth[:, shown], axis=0), labels
            ),
        )
        if shown
        else (),
        facts={
            "baseline": rival[0] if rival else None,
            "thresholds": DRAWN.tolist(),
            "questions": [
                {
                    "question": name,
                    **{policy: curves[policy].tolist() for policy in labels if policy != NOBODY},
                }
                for name, curves in zip(names, drawn, strict=True)
            ],
        },
        key="decision_curve",
    )


def _benefits(
    evaluation: Evaluation, truth: Array, question: int, thresholds: Values, rival: tuple[str, Array] | None
) -> Benefits:
    answer = truth[:, question]
    own = decision_curve(evaluation.outputs["probabilities"][:, question], answer, thresholds)
    beside = {"baseline": decision_curve(rival[1][:, question], answer, thresholds).model} if rival else {}
    return {"model": own.model, **beside, "treat_all": own.treat_all, NOBODY: 0 * own.treat_all}


def _grid(titles: list[str], listed: list[Benefits], labels: dict[str, str]) -> Grid:
    rows = []
    for title, curves in zip(titles, listed, strict=True):
        for place, threshold in enumerate(LISTED):
            at = {policy: float(values[place]) for policy, values in curves.items()}
            # Of equal ones, the policy that needs no model is the better one.
            best = max(reversed(at), key=lambda policy: at[policy])
            shown = (f"{at[policy]:.4f}" for policy in at if policy != NOBODY)
            rows.append((title, f"{100 * threshold:g} %", *shown, labels[best]))
    head = [labels[policy] for policy in listed[0] if policy != NOBODY]
    return Grid("Net benefit at some thresholds", ("Question", "Threshold", *head, "Best"), tuple(rows))


def _figure(titles: list[str], drawn: list[Benefits], shares: Values, labels: dict[str, str]) -> Figure:
    """The curves of each question, of which ``shares`` are a yes."""
    styles = {
        NOBODY: (GREY, "-"),
        "treat_all": (GREY, "--"),
        "baseline": (ORANGE, ":"),
        "model": (BLUE, "-"),
    }
    width, height = panel_size(len(titles))
    with canvas(width, height + LEGEND) as figure:
        shown = panels(figure, titles)
        for axes, curves, share in zip(shown, drawn, shares.tolist(), strict=True):
            for policy, (colour, dashes) in styles.items():
                if policy in curves:
                    thick = 1.8 if policy in {"model", "baseline"} else 1.1
                    axes.plot(
                        DRAWN,
                        curves[policy],
                        color=colour,
                        linestyle=dashes,
                        linewidth=thick,
                        label=shortened(labels[policy], 40),
                    )
            # Where nothing is worth more than treating nobody, up to what perfect predictions would be worth.
            top = max(float(values.max()) for values in curves.values()) or share
            axes.set_ylim(-0.15 * top, 1.08 * top)
            axes.set_xlim(0, _last(curves, top))
        lines = shown[0].get_lines()[::-1]
        figure.legend(handles=lines, loc="outside upper center", ncols=2)
        figure.supxlabel("Probability from which one acts", fontsize=10)
        figure.supylabel("Net benefit", fontsize=10)
        told = "; ".join(_told(title, curves) for title, curves in zip(titles, drawn, strict=True))
        return finish(
            figure,
            caption="Net benefit by the probability from which one acts; higher is better, zero is to treat none.",
            alt=f"Decision curves. {told}.",
        )


def _last(curves: Benefits, top: float) -> float:
    """End of the axis of thresholds: just past the last one at which anything is worth doing."""
    worth = np.max([values for policy, values in curves.items() if policy != NOBODY], axis=0) > NOTHING * top
    last = float(DRAWN[worth].max()) if worth.any() else 0.0
    return min(1.0, max(NARROWEST, last + 0.05))


def _told(title: str, curves: Benefits) -> str:
    """In words, where the model is worth most."""
    others = np.max([values for policy, values in curves.items() if policy != "model"], axis=0)
    best = DRAWN[curves["model"] > others]
    if not len(best):
        return f"{title}: the model is best nowhere"
    return (
        f"{title}: the model is best at {len(best)} of {len(DRAWN)} thresholds, "
        f"between {100 * best.min():g} % and {100 * best.max():g} %"
    )
