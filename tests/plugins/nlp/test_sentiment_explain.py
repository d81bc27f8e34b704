"""What the report of sentiment analysis says of texts, from a small network that was really trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from fivefold.config import EvaluationConfig
from fivefold.data.table import Table
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.integrated_gradients import Attribution
from fivefold.evaluation.judge import judge
from fivefold.evaluation.section import Passage, Section
from fivefold.nn import RecurrentClassifier
from fivefold.tasks.base import Task
from fivefold.tasks.classification import Classification
from fivefold.tasks.regression import Regression
from fivefold_nlp.sentiment.data import TextDataset, text_facts
from fivefold_nlp.sentiment.explain import text_sections
from fivefold_nlp.sentiment.marking import completeness, log_odds
from fivefold_nlp.sentiment.passages import (
    MOST_CHARACTERS,
    MOST_TOKENS,
    character_weights,
    marked_passage,
    plain_passage,
)
from fivefold_nlp.tokenizer import Encoded, TextTokenizer

READS = ("input", "lengths")
CLASSES = ("bad", "good")
LONGEST = 12


def reviews(count: int, seed: int) -> tuple[list[str], list[int]]:
    """Texts whose one telling word says the class."""
    generator = np.random.default_rng(seed)
    filler = ["the", "film", "is", "a", "story", "of", "two", "people", "and", "rain"]
    texts, codes = [], []
    for row in range(count):
        code = row % 2
        words = list(generator.choice(filler, size=generator.integers(2, 9)))
        words.insert(int(generator.integers(len(words) + 1)), ["awful", "great"][code])
        texts.append(" ".join(words).capitalize() + generator.choice(["!", ""]))
        codes.append(code)
    return texts, codes


def trained(task: Task, samples: TextDataset, steps: int = 30) -> Task:
    optimizer = torch.optim.Adam(task.parameters(), lr=0.02)
    batch = samples.batch(torch.arange(len(samples)))
    task.prepare(samples)
    task.train()
    for _ in range(steps):
        optimizer.zero_grad()
        task.loss(batch, "main").value.backward()
        optimizer.step()
    return task.eval()


def judged(task: Task, samples: TextDataset) -> Evaluation:
    with torch.no_grad():
        found = task.predict(samples.batch(torch.arange(len(samples))))
    return judge(
        task=task, facts=samples.facts, outputs={name: tensor.numpy() for name, tensor in found.items()},
        samples=samples, split="test", baseline_outputs={}, findings=(),
        config=EvaluationConfig(resamples=100), seed=0,
    )  # fmt: skip


def table(texts: Sequence[str], label: np.ndarray, classes: tuple[str, ...]) -> Table:
    columns = {"text": np.array(texts, dtype=object), "label": label}
    return Table(columns, source="made up", label="label", classes=classes)


@pytest.fixture(scope="module")
def classified() -> tuple[Evaluation, Task, TextTokenizer]:
    torch.manual_seed(0)
    texts, codes = reviews(60, seed=1)
    tokenizer = TextTokenizer.train("words", texts)
    train = table(texts, np.array(codes), CLASSES)
    facts = text_facts(train, tokenizer)
    network = RecurrentClassifier("gru", tokenizer.size, 2, embedding=8, hidden=8, pad=tokenizer.pad)
    task = trained(
        Classification(network, CLASSES, input=READS), TextDataset(train, tokenizer, LONGEST, facts)
    )
    texts, codes = reviews(40, seed=2)
    codes[39] = 0  # labelled wrongly
    texts[1] = "A great film about zeppelins. " + "And rain. " * 40
    test = TextDataset(table(texts, np.array(codes), CLASSES), tokenizer, LONGEST, facts)
    return judged(task, test), task, tokenizer


@pytest.fixture(scope="module")
def sections(classified) -> dict[str, Section]:
    return {section.key: section for section in text_sections(*classified)}


def written(passage: Passage) -> str:
    return "".join(piece for piece, _ in passage.pieces)


def strongest(passage: Passage) -> tuple[str, float]:
    return max(passage.pieces, key=lambda piece: abs(piece[1]))


def test_the_sections_of_a_classification(sections, classified) -> None:
    assert list(sections) == ["by_length", "texts", "mistake_texts", "right_texts", "label_error_texts"]
    evaluation, task, _ = classified
    own = {section.title for section in task.sections(evaluation, evaluation.facts)}
    assert not own & {section.title for section in sections.values()}


def test_the_mistake_is_shown_with_the_word_that_drove_it(sections, classified) -> None:
    evaluation = classified[0]
    (passage,) = sections["mistake_texts"].passages
    assert passage.caption.startswith("row 39: taken for good (")
    assert "labelled bad. The parts miss the change of +" in passage.caption
    assert written(passage) == evaluation.samples.texts[39]
    assert strongest(passage) == ("great" if "great" in written(passage) else "Great", 1.0)
    (numbers,) = sections["mistake_texts"].facts["samples"]
    assert numbers["converged"]
    assert numbers["gap"] <= 0.01 * abs(numbers["output"] - numbers["baseline"])
    share = evaluation.outputs["probabilities"][39, 1]
    assert numbers["output"] == pytest.approx(float(np.log(share / (1 - share))), rel=1e-2)


def test_right_texts_of_each_class_are_shown(sections) -> None:
    passages = sections["right_texts"].passages
    assert [passage.caption.split(" ")[2] for passage in passages] == ["bad", "bad", "good", "good"]
    assert [strongest(passage)[0].lower() for passage in passages] == ["awful", "awful", "great", "great"]
    assert all(weight == 1.0 for _, weight in map(strongest, passages))


def test_probable_label_errors_are_shown_as_texts(sections, classified) -> None:
    (passage,) = sections["label_error_texts"].passages
    assert passage.caption.startswith("row 39: labelled bad, seems to be good (margin ")
    assert passage.pieces == ((classified[0].samples.texts[39], 0.0),)


def test_results_by_length_add_up(sections, classified) -> None:
    evaluation = classified[0]
    section = sections["by_length"]
    rows = section.grids[0].rows
    assert section.grids[0].head == ("Tokens", "Texts", "Accuracy", "95 % interval")
    assert sum(row[1] for row in rows) == 40
    assert rows[-1][:2] == (f"above {LONGEST}, cut off", 1)
    right = sum(row["texts"] * row["value"] for row in section.facts["lengths"])
    assert right == pytest.approx(40 * evaluation.estimates["accuracy"].value)
    assert all(row["low"] <= row["value"] <= row["high"] for row in section.facts["lengths"])
    assert b"<svg" in section.figures[0].image


def test_units_are_drawn_whole(classified) -> None:
    evaluation, task, tokenizer = classified
    texts = evaluation.samples
    units = np.arange(40) // 20
    grouped = judge(
        task=task, facts=texts.facts, outputs=evaluation.outputs, split="test", baseline_outputs={}, findings=(),
        samples=TextDataset(
            Table({**texts._table.columns, "author": units}, "made up", "label", CLASSES, "author"),
            tokenizer, LONGEST, texts.facts,
        ), config=EvaluationConfig(resamples=100), seed=0,
    )  # fmt: skip
    rows = text_sections(grouped, task, tokenizer)[0].facts["lengths"]
    low = {row["low"] for row in rows}
    # Two units have but three resamples, each drawn a hundred times.
    assert len(low) <= 3 * len(rows)
    assert "over the group" in text_sections(grouped, task, tokenizer)[0].text


def test_the_texts_in_numbers(sections, classified) -> None:
    texts = classified[0].samples
    facts, text = sections["texts"].facts, sections["texts"].text
    strange = sum(int((one.ids == 1).sum()) for one in texts.encoded)
    assert strange == 5  # about, zeppelins, and three full stops
    assert facts["unknown_share"] == strange / sum(map(len, texts.encoded))
    assert facts["cut_off"] == 1
    assert facts["median_tokens"] == sorted(texts.full_lengths)[20]
    assert f"1 texts (2.5 %) have more than the {LONGEST} tokens" in text
    assert f"({strange} of " in text
    assert "They are read in lower case: capitals tell the model nothing." in text


def test_tokens_that_leave_nothing_unknown_or_cut_off() -> None:
    torch.manual_seed(0)
    texts, codes = reviews(12, seed=3)
    tokenizer = TextTokenizer.train("bytes", texts)
    data = table(texts, np.array(codes), CLASSES)
    facts = text_facts(data, tokenizer)
    network = RecurrentClassifier("lstm", tokenizer.size, 2, embedding=4, hidden=4, pad=tokenizer.pad)
    task = Classification(network, CLASSES, input=READS).eval()
    samples = TextDataset(data, tokenizer, 200, facts)
    found = {section.key: section for section in text_sections(judged(task, samples), task, tokenizer)}
    assert "none is unknown. None was cut off: all fit in the 200 tokens" in found["texts"].text
    assert "lower case" not in found["texts"].text
    shown = [written(passage) for passage in found["mistake_texts"].passages]
    assert set(shown) <= set(texts)


def test_a_regression_shows_what_raised_and_lowered_it() -> None:
    torch.manual_seed(0)
    texts, codes = reviews(60, seed=4)
    ratings = 3 + 2 * np.array(codes, dtype=np.float32)
    tokenizer = TextTokenizer.train("words", texts)
    data = table(texts, ratings, ())
    samples = TextDataset(data, tokenizer, LONGEST, text_facts(data, tokenizer))
    network = RecurrentClassifier("gru", tokenizer.size, 1, embedding=8, hidden=8, pad=tokenizer.pad)
    task = trained(Regression(network, input=READS, standardise_inputs=False), samples, steps=100)
    evaluation = judged(task, samples)
    found = {section.key: section for section in text_sections(evaluation, task, tokenizer)}
    assert list(found) == ["by_length", "texts", "error_texts", "extreme_texts"]
    assert found["by_length"].grids[0].head[2] == "MAE"
    assert len(found["error_texts"].passages) == 12
    lowest, highest = found["extreme_texts"].passages[0], found["extreme_texts"].passages[2]
    weights = {piece.lower(): weight for passage in (lowest, highest) for piece, weight in passage.pieces}
    assert weights["awful"] < -0.3
    assert weights["great"] > 0.3
    numbers = found["extreme_texts"].facts["samples"][2]
    assert numbers["output"] == pytest.approx(float(evaluation.outputs["prediction"].max()), abs=1e-4)
    assert "predicted " in highest.caption


def test_log_odds_are_those_of_the_calibrated_probabilities() -> None:
    task = Classification(torch.nn.Identity(), ("a", "b", "c"))
    task.temperature.fill_(2.0)
    logits = torch.tensor([[1.0, -2.0, 0.5]])
    shares = F.softmax(logits / 2, dim=1)[0]
    for code in range(3):
        expected = torch.log(shares[code] / (1 - shares[code]))
        torch.testing.assert_close(log_odds(task, code)(logits)[0], expected)


def test_a_gap_is_told() -> None:
    parts = np.array([1.0, 0.5])
    good = Attribution(parts, output=2.5, baseline=1.0, points=32, converged=True)
    assert completeness(good) == "The parts miss the change of +1.5 by 0 (0.0 %)."
    bad = Attribution(parts, output=1.25, baseline=0.25, points=512, converged=False)
    assert completeness(bad).endswith("of +1 by 0.5 (50.0 %), which is too much: take the marks with care.")


@given(
    text=st.text(alphabet=st.sampled_from("ab,' \n漢字é"), min_size=1, max_size=40),
    cuts=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12),
    seed=st.integers(0, 99),
)
def test_words_read_as_written_and_weigh_as_their_tokens(text, cuts, seed) -> None:
    spans = sorted((min(a, b, len(text)), min(max(a, b), len(text))) for a, b in cuts)
    starts, ends = (np.array(side, dtype=np.int64) for side in zip(*spans, strict=True))
    tokens = Encoded(np.zeros(len(spans), dtype=np.int64), starts, ends)
    parts = np.random.default_rng(seed).normal(size=len(spans))
    weights = character_weights(text, tokens, parts)
    assert weights.sum() == pytest.approx(parts[ends > starts].sum(), abs=1e-9)
    passage = marked_passage("one", text, tokens, parts)
    assert written(passage).removeprefix("… ").removesuffix(" …") in text
    assert max(abs(weight) for _, weight in passage.pieces) <= 1.0 if passage.pieces else True


def test_words_are_whole_and_chinese_is_marked_by_character() -> None:
    text = "Don't see 漢字, naïve!"
    tokenizer = TextTokenizer.train("characters", [text])
    (tokens,) = tokenizer.encode([text])
    passage = marked_passage("one", text, tokens, np.ones(len(tokens)))
    assert [piece for piece, _ in passage.pieces] == [
        "Don't", " ", "see", " ", "漢", "字", ",", " ", "naïve", "!",
    ]  # fmt: skip
    assert dict(passage.pieces)["Don't"] == 1.0
    assert dict(passage.pieces)["see"] == pytest.approx(3 / 5)


def test_long_texts_are_shown_around_the_strongest_word() -> None:
    text = " ".join(f"w{place}" for place in range(1000))
    tokenizer = TextTokenizer.train("words", [text])
    (tokens,) = tokenizer.encode([text])
    parts = np.full(1000, 0.001)
    parts[700] = -1.0
    passage = marked_passage("one", text, tokens, parts)
    words = written(passage).split()
    assert "w700" in words
    assert (words[0], words[-1], len(words)) == ("…", "…", MOST_TOKENS + 2)
    assert dict(passage.pieces)["w700"] == -1.0
    begin = marked_passage("one", text, tokens.first(50), parts[:50])
    assert written(begin).startswith("w0 w1 ")
    assert written(begin).endswith("w49 …")


def test_one_endless_word_is_cut() -> None:
    text = "a" * 5000
    tokens = Encoded(*(np.array([number]) for number in (3, 0, 5000)))
    assert written(marked_passage("one", text, tokens, np.ones(1))) == "a" * MOST_CHARACTERS + " …"
    assert written(plain_passage("one", text)) == "a" * MOST_CHARACTERS + " …"


def test_a_text_without_tokens() -> None:
    tokens = Encoded(*(np.array([0]) for _ in range(3)))
    passage = marked_passage("one", "\x00", tokens, np.zeros(1))
    assert written(passage) == " …"
