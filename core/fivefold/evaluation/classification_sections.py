"""What the report of every classification shows."""

from __future__ import annotations

from math import isnan

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.calibration import LIMIT, Reliability, at_bound, reliability, softmax
from fivefold.evaluation.classification_metrics import (
    confusion_matrix,
    labels,
    log_loss,
    per_class,
    predicted,
)
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.figures import BLUE, GREY, ORANGE, canvas, finish, identity_line, shortened
from fivefold.evaluation.label_errors import Suspect, suspects
from fivefold.evaluation.numbers import NOTHING, number
from fivefold.evaluation.question_intervals import percent
from fivefold.evaluation.section import Figure, Grid, Section

SHOWN = 12
"""Samples listed in a table of examples."""

MOST_CLASSES_DRAWN = 40
"""Above this many classes, the confusion matrix is a table of the commonest confusions only."""

MOST_CLASSES_NUMBERED = 15
"""Up to this many classes, the cells of the confusion matrix carry their counts."""

FEW_CLASSES = 3
"""Up to this many classes, their names stand upright below the confusion matrix."""

DARK = 0.5
"""From this share on, a cell of the confusion matrix is dark and its number white."""


def classification_sections(
    evaluation: Evaluation, classes: tuple[str, ...], temperature: float
) -> list[Section]:
    """Per-class table, confusions, calibration, probable label errors, most confident mistakes."""
    return [
        class_section(evaluation, classes),
        confusion_section(evaluation, classes),
        calibration_section(evaluation, temperature),
        label_error_section(evaluation, classes),
        mistake_section(evaluation, classes),
    ]


def class_section(evaluation: Evaluation, classes: tuple[str, ...]) -> Section:
    """Precision, recall and F1 of each class, the weakest first."""
    rows = sorted(per_class(evaluation.outputs, classes), key=lambda row: 2.0 if isnan(row.f1) else row.f1)
    grid = Grid(
        caption="Each class, weakest F1 first",
        head=("Class", "Precision", "Recall", "F1", "Samples"),
        rows=tuple(
            (row.name, percent(row.precision), percent(row.recall), percent(row.f1), row.support)
            for row in rows
        ),
    )
    return Section(
        title="Classes",
        text=(
            "Precision: of the samples given this class, how many belong to it. "
            "Recall: of the samples of this class, how many were found. F1 is their harmonic mean."
        ),
        grids=(grid,),
        facts={"classes": [vars(row) for row in rows]},
        key="classes",
    )


def confusion_section(evaluation: Evaluation, classes: tuple[str, ...]) -> Section:
    """The confusion matrix and the commonest confusions."""
    matrix = confusion_matrix(evaluation.outputs)
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:SHOWN]
    pairs = [(int(cell) // len(classes), int(cell) % len(classes)) for cell in order if wrong.flat[cell]]
    grid = Grid(
        caption="The commonest confusions",
        head=("True class", "Taken for", "Samples", "Share of the true class"),
        rows=tuple(
            (
                classes[true],
                classes[guess],
                int(wrong[true, guess]),
                percent(wrong[true, guess] / matrix[true].sum()),
            )
            for true, guess in pairs
        ),
    )
    drawable = len(classes) <= MOST_CLASSES_DRAWN
    return Section(
        title="Confusions",
        text="" if pairs else "No sample was taken for another class.",
        grids=(grid,) if pairs else (),
        figures=(_confusion_figure(matrix, classes),) if drawable else (),
        facts={"classes": list(classes), "matrix": matrix.tolist()},
        key="confusion",
    )


def _confusion_figure(matrix: Array, classes: tuple[str, ...]) -> Figure:
    names = [shortened(name) for name in classes]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(3.0 + 0.42 * len(classes), 11.0)
    with canvas(side, side * 0.92) as drawn:
        axes = drawn.subplots()
        axes.grid(visible=False)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=90 if len(names) > FEW_CLASSES else 0)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("Predicted class")
        axes.set_ylabel("True class")
        if len(classes) <= MOST_CLASSES_NUMBERED:
            for (row, column), count in np.ndenumerate(matrix):
                if count:
                    ink = "white" if shares[row, column] > DARK else "black"
                    axes.text(column, row, str(count), ha="center", va="center", color=ink, fontsize=8)
        hits = int(np.trace(matrix))
        return finish(
            drawn,
            caption="Confusion matrix: true class by row, predicted class by column; darker: more of it.",
            alt=f"Confusion matrix of {len(classes)} classes: {hits} of {matrix.sum()} on the diagonal.",
        )


def calibration_section(evaluation: Evaluation, temperature: float) -> Section:
    """Reliability before and after temperature scaling."""
    after = reliability(evaluation.outputs)
    loss = float(log_loss(evaluation.outputs).mean())
    before, loss_before = None, None
    if "logits" in evaluation.outputs:
        raw = {**evaluation.outputs, "probabilities": softmax(evaluation.outputs["logits"])}
        before, loss_before = reliability(raw), float(log_loss(raw).mean())
    text = (
        "A probability is worth something when samples predicted with 80 % are right 8 times of 10. Probabilities were "
        f"scaled by a temperature of {temperature:.3f}, fitted on the validation split with a weak prior around 1. On "
        f"{evaluation.split}, the expected calibration error is {percent(after.error)} and the log loss {number(loss)}"
    )
    if before is not None and loss_before is not None:
        text += f"; before scaling they were {percent(before.error)} and {number(loss_before)}"
    paragraphs = [f"{text}."]
    if before is not None and loss_before is not None:
        paragraphs += _spoiled(after.error - before.error, loss - loss_before, evaluation.split)
    if at_bound(temperature):
        paragraphs.append(
            f"The temperature met its bound (1/{LIMIT:g} to {LIMIT:g}): the network's logits are far too small or too "
            "large for the validation split. Take the probabilities for an order only."
        )
    return Section(
        title="Calibration",
        text="\n\n".join(paragraphs),
        figures=(_reliability_figure(before, after),),
        facts={
            "temperature": temperature,
            "at_bound": at_bound(temperature),
            "calibration_error": after.error,
            "calibration_error_before": None if before is None else before.error,
            "log_loss": loss,
            "log_loss_before": loss_before,
            "bins": _bins(after),
        },
        key="calibration",
    )


def _spoiled(error: float, loss: float, split: str) -> list[str]:
    """A sentence where scaling raised what it should lower; both changes are after minus before."""
    worse = [name for name, change in (("calibration error", error), ("log loss", loss)) if change > NOTHING]
    if not worse:
        return []
    return [
        f"Scaling made the {' and the '.join(worse)} worse on {split} than the network's own probabilities."
    ]


def _bins(found: Reliability) -> list[dict[str, float]]:
    columns = zip(found.confidence.tolist(), found.accuracy.tolist(), found.count.tolist(), strict=True)
    return [
        {"confidence": confidence, "accuracy": accuracy, "count": count}
        for confidence, accuracy, count in columns
    ]


def _reliability_figure(before: Reliability | None, after: Reliability) -> Figure:
    bins = len(after.count)
    with canvas(5.6, 5.0) as drawn:
        axes, below = drawn.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        identity_line(axes, 0, 1)
        if before is not None:
            full = before.count > 0
            axes.plot(
                before.confidence[full],
                before.accuracy[full],
                "s--",
                color=ORANGE,
                markersize=4,
                label="before scaling",
            )
        full = after.count > 0
        axes.plot(
            after.confidence[full], after.accuracy[full], "o-", color=BLUE, markersize=5, label="as predicted"
        )
        axes.set_ylabel("Share right")
        axes.set_ylim(-0.02, 1.02)
        axes.legend(loc="upper left")
        below.bar((np.arange(bins) + 0.5) / bins, after.count, width=0.9 / bins, color=GREY)
        below.set_ylabel("Samples")
        below.set_xlabel("Probability of the predicted class")
        below.set_xlim(0, 1)
        return finish(
            drawn,
            caption="On the dashed line, probabilities are as right as they say. Below: where samples are.",
            alt=f"Reliability diagram with {bins} bins; expected calibration error {percent(after.error)}.",
        )


def label_error_section(evaluation: Evaluation, classes: tuple[str, ...]) -> Section:
    """Samples whose label is probably wrong, by confident learning; none of a model that beats no baseline."""
    if beats_nothing(evaluation):
        return Section(
            title="Probable label errors",
            text=(
                f"Not looked for: the model beats no baseline on {evaluation.headline.name}, and the doubts of such a "
                "model say more of it than of the labels."
            ),
            facts={"count": None, "samples": []},
            key="label_errors",
        )
    found = suspects(evaluation.outputs["probabilities"], labels(evaluation.outputs))
    total = len(evaluation.ids)
    share = percent(len(found) / total)
    text = (
        f"{len(found)} of {total} samples ({share}) carry a label that the model, which has not seen them, "
        "doubts: it is as sure of another class as it usually is of that class's own samples (confident "
        "learning). Look at the clearest; some are mistakes of the model."
        if found
        else "No label looks wrong to the model."
    )
    grid = Grid(
        caption="The clearest",
        head=("Sample", "Label", "Looks like", "Margin"),
        rows=tuple(
            (str(evaluation.ids[one.index]), classes[one.given], classes[one.suggested], f"{one.margin:.2f}")
            for one in found[:SHOWN]
        ),
    )
    return Section(
        title="Probable label errors",
        text=text,
        grids=(grid,) if found else (),
        facts={"count": len(found), "samples": [_suspect(evaluation, classes, one) for one in found[:100]]},
        key="label_errors",
    )


def beats_nothing(evaluation: Evaluation) -> bool:
    """Whether the headline metric was compared with baselines, and none of them is beaten."""
    rivals = [one for one in evaluation.comparisons if one.metric == evaluation.headline.name]
    return bool(rivals) and all(one.verdict != "beats" for one in rivals)


def _suspect(evaluation: Evaluation, classes: tuple[str, ...], one: Suspect) -> dict[str, object]:
    return {
        "sample": str(evaluation.ids[one.index]),
        "label": classes[one.given],
        "suggested": classes[one.suggested],
        "margin": one.margin,
    }


def confident_mistakes(evaluation: Evaluation, count: int = SHOWN) -> list[int]:
    """Indices of the wrong predictions with the highest probability, at most ``count``."""
    probabilities = evaluation.outputs["probabilities"]
    wrong = np.flatnonzero(predicted(evaluation.outputs) != labels(evaluation.outputs))
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")[:count]
    return [int(index) for index in wrong[order]]


def mistake_section(evaluation: Evaluation, classes: tuple[str, ...]) -> Section:
    """The wrong predictions that the model was surest of."""
    probabilities, target = evaluation.outputs["probabilities"], labels(evaluation.outputs)
    guesses = predicted(evaluation.outputs)
    worst = confident_mistakes(evaluation)
    rows = tuple(
        (
            str(evaluation.ids[index]),
            classes[target[index]],
            classes[guesses[index]],
            percent(probabilities[index].max()),
            percent(probabilities[index, target[index]]),
        )
        for index in worst
    )
    head = ("Sample", "True class", "Predicted", "Probability", "Of the true class")
    return Section(
        title="Most confident mistakes",
        text="" if worst else "No sample was classified wrongly.",
        grids=(Grid("Wrong predictions with the highest probability", head, rows),) if worst else (),
        facts={
            "samples": [dict(zip(("sample", "label", "predicted"), row[:3], strict=True)) for row in rows]
        },
        key="mistakes",
    )
