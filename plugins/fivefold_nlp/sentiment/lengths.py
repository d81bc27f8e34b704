"""What a report says of texts as such: results by length, tokens, and what was cut off."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.bootstrap import estimated
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.figures import BLUE, GREY, canvas, finish
from fivefold.evaluation.question_intervals import percent
from fivefold.evaluation.section import Figure, Grid, Section
from fivefold_nlp.sentiment.data import TextDataset
from fivefold_nlp.tokenizer import TextTokenizer

QUARTILES = (0.25, 0.5, 0.75, 1.0)


def length_section(evaluation: Evaluation, texts: TextDataset) -> Section:
    """The headline metric by quartiles of length, texts that were cut off apart."""
    metric = evaluation.headline
    name = metric.name[0].upper() + metric.name[1:]
    rows = [(label, len(members), _estimate(evaluation, members)) for label, members in _by_length(texts)]
    level = f"{100 * evaluation.level:g} %"
    grid = Grid(
        caption=f"{name} by length",
        head=("Tokens", "Texts", name, f"{level} interval"),
        rows=tuple(
            (
                label,
                count,
                metric.format(found.value),
                f"{metric.format(found.low)} to {metric.format(found.high)}",
            )
            for label, count, found in rows
        ),
    )
    return Section(
        title="Results by length",
        text=(
            f"Quartiles of length in tokens, with bootstrap intervals ({level}) over the {evaluation.unit_name}. "
            "Where intervals overlap widely, the difference may be chance."
        ),
        grids=(grid,),
        figures=(_figure(evaluation, [(label, found) for label, _, found in rows]),),
        facts={
            "metric": metric.name,
            "lengths": [{"tokens": label, "texts": count, **_defined(found)} for label, count, found in rows],
        },
        key="by_length",
    )


def texts_section(evaluation: Evaluation, texts: TextDataset, tokenizer: TextTokenizer) -> Section:
    """How long the texts are, how much of them is unknown, and how many were cut off.

    Args:
        evaluation: the judgement.
        texts: the samples that were judged.
        tokenizer: of the run.
    """
    unknown = tokenizer.unknown
    count, lengths = len(texts), texts.full_lengths
    median, most = (int(np.quantile(lengths, share, method="higher")) for share in (0.5, 0.95))
    kept = sum(len(text) for text in texts.encoded)
    strange = 0 if unknown is None else sum(int((text.ids == unknown).sum()) for text in texts.encoded)
    cut = lengths > texts.longest
    text = (
        f"The {evaluation.split} split has {count:,} texts of {median} tokens in the median; 95 % of them have "
        f"{most} or fewer. "
    )
    if tokenizer.lower_cases:
        text += "They are read in lower case: capitals tell the model nothing. "
    if unknown is None:
        text += "Every text can be written in the tokens of this model, so none is unknown. "
    else:
        text += (
            f"Of the tokens that were read, {percent(strange / kept)} ({strange:,} of {kept:,}) are unknown to the "
            "model, which sees one and the same sign for all of them. "
        )
    if cut.any():
        lost = (lengths[cut] - texts.longest).sum() / lengths.sum()
        text += (
            f"{texts.cut_off:,} texts ({percent(cut.mean())}) have more than the {texts.longest} tokens that are "
            f"read; what comes behind, {percent(lost)} of all tokens, was cut off and plays no part in these "
            "results."
        )
    else:
        text += f"None was cut off: all fit in the {texts.longest} tokens that are read."
    trained = evaluation.facts.get("training_texts")
    if trained is not None:
        text += f" Of the {trained['count']:,} training texts, {trained['cut_off']:,} were cut off."
    return Section(
        title="Texts",
        text=text,
        facts={
            "split": evaluation.split,
            "texts": count,
            "median_tokens": median,
            "tokens_of_95_percent": most,
            "unknown_share": strange / kept,
            "longest": texts.longest,
            "cut_off": texts.cut_off,
            "training": trained,
        },
        key="texts",
    )


def _by_length(texts: TextDataset) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Names and members of the quartiles of texts that were read whole, then of the rest."""
    lengths = texts.full_lengths
    whole = np.flatnonzero(lengths <= texts.longest)
    if len(whole):
        # Lengths that occur, each once: texts of one length stay together, and no quartile is empty.
        edges = np.unique(np.quantile(lengths[whole], QUARTILES, method="lower"))
        places = np.searchsorted(edges, lengths[whole])
        for place in range(len(edges)):
            members = whole[places == place]
            low, high = int(lengths[members].min()), int(lengths[members].max())
            yield (str(low) if low == high else f"{low} to {high}"), members
    cut = np.flatnonzero(lengths > texts.longest)
    if len(cut):
        yield f"above {texts.longest}, cut off", cut


def _estimate(evaluation: Evaluation, members: NDArray[np.int64]) -> Estimate:
    metric = evaluation.headline
    outputs = {name: values[members] for name, values in evaluation.outputs.items()}
    units = None if evaluation.units is None else evaluation.units[members]
    return estimated(metric, outputs, units, evaluation)


def _figure(evaluation: Evaluation, rows: list[tuple[str, Estimate]]) -> Figure:
    metric = evaluation.headline
    whole = evaluation.estimates[metric.name].value
    scale = 100 if metric.style == "percent" else 1
    with canvas(5.6, 3.0) as drawn:
        axes = drawn.subplots()
        axes.axhline(scale * whole, color=GREY, linewidth=1, linestyle="--")
        for place, (_, found) in enumerate(rows):
            axes.plot([place, place], [scale * found.low, scale * found.high], color=BLUE, linewidth=2)
            axes.plot([place], [scale * found.value], "o", color=BLUE, markersize=6)
        axes.set_xticks(range(len(rows)), [label for label, _ in rows])
        axes.set_xlim(-0.5, len(rows) - 0.5)
        axes.set_xlabel("Tokens")
        axes.set_ylabel(f"{metric.name[0].upper()}{metric.name[1:]}{' (%)' if scale > 1 else ''}")
        told = ", ".join(f"{label} tokens {metric.format(found.value)}" for label, found in rows)
        return finish(
            drawn,
            caption="By length, with intervals; dashed: all texts.",
            alt=f"{metric.name} by length: {told}; all texts {metric.format(whole)}.",
        )


def _defined(found: Estimate) -> dict[str, float | None]:
    return {end: value if np.isfinite(value) else None for end, value in vars(found).items()}
