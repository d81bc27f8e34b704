"""Report sections of text generation: samples, how they repeat, and what of them stands in the training texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Grid, Passage, Section
from fivefold.generation import Sampling, row_seed, write
from fivefold.tasks.language_model import LanguageModel
from fivefold_nlp.generate.config import GenerateConfig
from fivefold_nlp.generate.copying import SEPARATOR, Overlap, distinct_share, longest_overlap, repeated_share
from fivefold_nlp.generate.data import TextWindows
from fivefold_nlp.generate.prediction import banned, prompt_ids
from fivefold_nlp.tokenizer import TextTokenizer

TEMPERATURES = (0.5, 0.8, 1.0)
SAMPLES = 4
"""Texts at each temperature."""
CHARACTERS = 500
"""Length of each, about."""
SEARCHED = 4_000_000
"""Characters of the training texts that are searched for copies, from their beginning."""
HELD_OUT = "held-out text"


@dataclass(frozen=True)
class Samples:
    """Texts of one origin, with their longest overlaps with the training texts, where these are at hand."""

    name: str
    texts: Sequence[str]
    overlaps: Sequence[Overlap]

    @property
    def longest(self) -> int:
        """Characters of the longest overlap of all."""
        return max((overlap.length for overlap in self.overlaps), default=0)


def generation_sections(
    evaluation: Evaluation, train: Sequence[str], config: GenerateConfig
) -> list[Section]:
    """The sections; those on copies only where the training texts are at hand.

    Args:
        evaluation: of a `LanguageModel` on `TextWindows`.
        train: the training texts; empty where they are not at hand.
        config: the run's settings.
    """
    task, judged = evaluation.task, evaluation.samples
    if not isinstance(task, LanguageModel) or not isinstance(judged, TextWindows):
        return []
    known = SEPARATOR.join(train)[:SEARCHED]
    written = [_origin(f"temperature {one}", _write(evaluation, task, one), known) for one in TEMPERATURES]
    length = round(sum(len(text) for one in written for text in one.texts) / (len(written) * SAMPLES))
    held_out = _origin(HELD_OUT, _pieces(judged.documents, length), known)
    sections = [_samples_section(written, config.seed), _repetition_section([*written, held_out])]
    if known:
        sections.append(_copies_section(written, held_out, len(known)))
    return sections


def _write(evaluation: Evaluation, task: LanguageModel, temperature: float) -> list[str]:
    tokenizer = TextTokenizer.from_json(evaluation.facts.documents["tokenizer.json"])
    length = max(1, round(CHARACTERS / evaluation.facts.characters_a_token))
    texts = write(
        task.network,
        [prompt_ids(tokenizer, "\n")] * SAMPLES,
        length,
        how=Sampling(temperature),
        seeds=[row_seed(0, number) for number in range(SAMPLES)],
        decode=tokenizer.decode,
        banned=banned(tokenizer),
    )
    return [text.text for text in texts]


def _pieces(documents: Sequence[str], length: int) -> list[str]:
    """Pieces of that length, evenly spaced over the held-out texts."""
    whole = "\n".join(documents)
    room = max(0, len(whole) - length)
    places = [round(room * number / max(1, SAMPLES - 1)) for number in range(SAMPLES)]
    return [whole[place : place + length] for place in places]


def _origin(name: str, texts: Sequence[str], known: str) -> Samples:
    return Samples(name, texts, [longest_overlap(text, known) for text in texts] if known else [])


def _samples_section(written: Sequence[Samples], seed: int) -> Section:
    return Section(
        title="Samples",
        text=(
            "What the model writes after a line break, not chosen: the first text at each temperature, always from the "
            "same seed. A low temperature keeps to what is likely, and repeats itself more."
        ),
        passages=tuple(Passage(f"At {one.name}", ((one.texts[0], 0.0),)) for one in written),
        facts={"seed": seed, **{one.name: list(one.texts) for one in written}},
        key="samples",
    )


def _repetition_section(origins: Sequence[Samples]) -> Section:
    rows = []
    facts = {}
    for one in origins:
        values = {f"distinct-{count}": distinct_share(one.texts, count) for count in (1, 2, 3)}
        values["repeated 4-grams"] = repeated_share(one.texts, 4)
        facts[one.name] = values
        rows.append((one.name, *(f"{value:.3f}" for value in values.values())))
    head = ("Texts", "Distinct words", "Distinct pairs", "Distinct triples", "Repeated 4-grams")
    return Section(
        title="Variety and repetition",
        text=(
            "Shares of different words, pairs and triples of words among all, and of runs of four words that stood "
            "earlier in the same text. Good samples come close to the held-out text, of which there are as many "
            "characters: fewer different words, or more repeated runs, say that the model goes round in circles."
        ),
        grids=(Grid(f"{SAMPLES} texts of each", head, tuple(rows)),),
        facts=facts,
        key="repetition",
    )


def _copies_section(written: Sequence[Samples], held_out: Samples, searched: int) -> Section:
    row = max(range(len(written)), key=lambda number: written[number].longest)
    worst, longest = written[row], written[row].longest
    usual = held_out.longest
    if longest <= usual:
        verdict = (
            f"The samples share at most {longest} characters in a row with the training texts, and held-out text of "
            f"the same length shares {usual}: no sign that the model recites what it was trained on."
        )
    else:
        verdict = (
            f"The samples share up to {longest} characters in a row with the training texts, more than the {usual} of "
            "held-out text of the same length: at least the passage marked below was learned by heart."
        )
    rows = tuple(
        (one.name, one.longest, f"{sum(o.length for o in one.overlaps) / max(1, len(one.overlaps)):.1f}")
        for one in (*written, held_out)
    )
    return Section(
        title="Copies of the training texts",
        text=f"{verdict}\n\nSearched were {searched:,} characters of the training texts.",
        grids=(
            Grid("Longest shared passage, in characters", ("Texts", "Longest of all", "Mean of texts"), rows),
        ),
        passages=(_marked(worst),),
        facts={
            "searched": searched,
            **{one.name: [o.length for o in one.overlaps] for one in (*written, held_out)},
        },
        key="copies",
    )


def _marked(one: Samples) -> Passage:
    """The text with the longest overlap, of which that passage is marked."""
    row = max(range(len(one.texts)), key=lambda number: one.overlaps[number].length)
    text, found = one.texts[row], one.overlaps[row]
    end = found.start + found.length
    pieces = ((text[: found.start], 0.0), (text[found.start : end], 1.0), (text[end:], 0.0))
    return Passage(
        f"At {one.name}: the longest passage that stands in the training texts, {found.length} characters",
        tuple(piece for piece in pieces if piece[0]),
    )
