"""Texts in the report: results by length, and mistakes with the words that drove them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from torch import Tensor

from fivefold.evaluation.classification_metrics import labels, predicted
from fivefold.evaluation.classification_sections import beats_nothing, confident_mistakes
from fivefold.evaluation.classified_samples import surest_right, told_guess, told_suspect
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.integrated_gradients import SMALLEST_GAP
from fivefold.evaluation.label_errors import suspects
from fivefold.evaluation.regression_metrics import absolute_error
from fivefold.evaluation.section import Section
from fivefold.nn.sequence import SequenceNetwork
from fivefold.tasks.base import Task
from fivefold.tasks.classification import Classification
from fivefold.tasks.regression import Regression
from fivefold_nlp.sentiment.data import TextDataset
from fivefold_nlp.sentiment.lengths import length_section, texts_section
from fivefold_nlp.sentiment.marking import Marked, Reader, log_odds
from fivefold_nlp.sentiment.passages import plain_passage
from fivefold_nlp.tokenizer import TextTokenizer

SHOWN = 12
"""Texts in a section."""
RIGHT_OF_A_CLASS = 2
"""Right texts of one class shown for comparison."""
EXTREME = 2
"""Texts of the lowest predictions, and as many of the highest."""

_CLASS_MARKS = (
    "Blue words spoke for the predicted class, red ones against it, by integrated gradients (Sundararajan et al. "
    "2017) of its log-odds, from a text of padding to this text. The parts of the words must add up to the "
    "change of the log-odds; by how much they miss it is told with each text."
)
_RATING_MARKS = (
    "Blue words raised the prediction, red ones lowered it, by integrated gradients (Sundararajan et al. 2017), "
    "from a text of padding to this text. The parts of the words must add up to the change of the prediction; by "
    "how much they miss it is told with each text."
)


def text_sections(evaluation: Evaluation, task: Task, tokenizer: TextTokenizer) -> list[Section]:
    """Results by length, the texts in numbers, and, marked, those that are worth reading.

    Args:
        evaluation: the judgement, of a `TextDataset`.
        task: a classification or regression whose network is a `SequenceNetwork`; of others nothing is marked.
        tokenizer: the run's.
    """
    texts = cast(TextDataset, evaluation.samples)
    sections: list[Section | None] = [
        length_section(evaluation, texts),
        texts_section(evaluation, texts, tokenizer),
    ]
    network = getattr(task, "network", None)
    if isinstance(network, SequenceNetwork):
        reader = Reader(evaluation, texts, network, tokenizer.pad)
        if isinstance(task, Classification):
            sections += [
                mistakes_section(reader, task),
                right_section(reader, task),
                label_errors_section(reader, task.classes),
            ]
        elif isinstance(task, Regression):
            sections += [errors_section(reader, task), extremes_section(reader, task)]
    return [section for section in sections if section is not None]


def mistakes_section(reader: Reader, task: Classification) -> Section | None:
    """The most confident mistakes, marked; None where there are none."""
    return _class_section(
        reader,
        task,
        confident_mistakes(reader.evaluation, SHOWN),
        title="Texts of the most confident mistakes",
        text=f"Where the model was sure and wrong. {_CLASS_MARKS}",
        key="mistake_texts",
    )


def right_section(reader: Reader, task: Classification) -> Section | None:
    """The surest right texts of each class, marked; None where nothing is right."""
    return _class_section(
        reader,
        task,
        surest_right(reader.evaluation, of_a_class=RIGHT_OF_A_CLASS),
        title="Texts that the model is rightly surest of",
        text=f"What the model has learned to look for, class by class. {_CLASS_MARKS}",
        key="right_texts",
    )


def label_errors_section(reader: Reader, classes: Sequence[str]) -> Section | None:
    """The texts of the clearest probable label errors; None without any, or where no baseline is beaten."""
    evaluation = reader.evaluation
    found = suspects(evaluation.outputs["probabilities"], labels(evaluation.outputs))[:SHOWN]
    if not found or beats_nothing(evaluation):
        return None
    return Section(
        title="Texts of probable label errors",
        text="Worth reading by someone who knows how the labels are meant. The clearest come first.",
        passages=tuple(
            plain_passage(
                f"{told_suspect(evaluation, classes, one)} (margin {one.margin:.2f})",
                reader.texts.texts[one.index],
            )
            for one in found
        ),
        key="label_error_texts",
    )


def errors_section(reader: Reader, task: Regression) -> Section:
    """The largest errors of a regression, marked."""
    error = absolute_error(reader.evaluation.outputs)
    return _rating_section(
        reader,
        task,
        np.argsort(-error, kind="stable")[:SHOWN].tolist(),
        title="Texts of the largest errors",
        text=f"Where the model was furthest off. {_RATING_MARKS}",
        key="error_texts",
    )


def extremes_section(reader: Reader, task: Regression) -> Section:
    """The lowest and the highest predictions of a regression, marked."""
    prediction = reader.evaluation.outputs["prediction"].reshape(len(reader.texts), -1)[:, 0]
    order = np.argsort(prediction, kind="stable")
    rows = dict.fromkeys([*order[:EXTREME].tolist(), *order[::-1][:EXTREME].tolist()])
    return _rating_section(
        reader,
        task,
        list(rows),
        title="Texts of the lowest and highest predictions",
        text=f"What the model has learned to look for. {_RATING_MARKS}",
        key="extreme_texts",
    )


def _class_section(
    reader: Reader, task: Classification, rows: Sequence[int], *, title: str, text: str, key: str
) -> Section | None:
    if not rows:
        return None
    guesses = predicted(reader.evaluation.outputs)
    marked = [
        reader.mark(row, log_odds(task, int(guesses[row])), told_guess(reader.evaluation, task.classes, row))
        for row in rows
    ]
    return _section(marked, title=title, text=text, key=key)


def _rating_section(
    reader: Reader, task: Regression, rows: Sequence[int], *, title: str, text: str, key: str
) -> Section:
    outputs = reader.evaluation.outputs
    scale, mean = task.target_scale, task.target_mean

    def rating(answers: Tensor) -> Tensor:
        return (answers * scale + mean)[:, 0]

    marked = []
    for row in rows:
        guess, actual = (float(np.ravel(outputs[name][row])[0]) for name in ("prediction", "target"))
        caption = f"{reader.evaluation.ids[row]}: predicted {guess:.3g}, actually {actual:.3g}"
        # No gap is one that is none on the scale of the ratings.
        marked.append(reader.mark(row, rating, caption, SMALLEST_GAP * float(scale.max())))
    return _section(marked, title=title, text=text, key=key)


def _section(marked: Sequence[Marked], *, title: str, text: str, key: str) -> Section:
    return Section(
        title=title,
        text=text,
        passages=tuple(passage for passage, _ in marked),
        facts={"samples": [numbers for _, numbers in marked]},
        key=key,
    )
