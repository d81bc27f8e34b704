import logging
import random
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from fivefold.config import EvaluationConfig
from fivefold.config.fields import SplitShares
from fivefold.data.dataset import Dataset
from fivefold.errors import DataError
from fivefold.evaluation.judge import judge
from fivefold.prediction import Request, Source
from fivefold.tasks.language_model import LanguageModel
from fivefold.training.inference import predict_outputs
from fivefold_nlp.generate.config import GenerateConfig, GenerateOptions, ModelConfig, TokenizerConfig
from fivefold_nlp.generate.pipeline import Generate

CPU = torch.device("cpu")
WORDS = ["king", "queen", "said", "the", "my", "lord", "speak", "no", "more", "away", "ßure", "é"]


def some_text(size: int, seed: int = 0) -> str:
    chance = random.Random(seed)
    lines = (" ".join(chance.choices(WORDS, k=6)) + ",\n" for _ in range(size // 20))
    return "".join(lines)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "play.txt"
    path.write_text(some_text(9000), encoding="utf-8")
    return path


def small(kind: str = "lstm", tokens: str = "characters", **values: object) -> GenerateConfig:
    return GenerateConfig(
        context=16,
        batch_size=8,
        model=ModelConfig(kind=kind, hidden=16),
        tokenizer=TokenizerConfig(kind=tokens),
        **values,
    )


def prepared(config: GenerateConfig, source: Path) -> tuple[Generate, LanguageModel, Dataset, Dataset]:
    """Pipeline and fresh task, with training and test samples."""
    pipeline = Generate(config)
    splits = pipeline.split(pipeline.read(source))
    train = pipeline.samples(splits.train)
    pipeline.facts = train.facts
    torch.manual_seed(0)
    task = pipeline.task(train.facts)
    assert isinstance(task, LanguageModel)
    return pipeline, task.eval(), train, pipeline.samples(splits.test)


def test_it_is_said_what_samples_are(corpus: Path, tmp_path: Path) -> None:
    pipeline = Generate(small())
    said = (
        " Texts are cut into passages of 300 to 1,200 characters, which are the samples of a data check, and into "
        "pieces of up to 16 tokens, which are those of training and evaluation."
    )
    assert pipeline.split(pipeline.read(corpus)).how.endswith(f"between to training.{said}")
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text(some_text(2000, number), encoding="utf-8")
    folds = Generate(small(folds=3))
    assert folds.fold(folds.read(tmp_path), 3).how.endswith(said)


def test_texts_of_utf_8_that_are_read_otherwise_are_told_of(
    corpus: Path, caplog: pytest.LogCaptureFixture
) -> None:
    note = f"{corpus} was read as latin-1, and is valid UTF-8; --encoding utf-8 reads it so."
    pipeline, task, _, _ = prepared(small(encoding="latin-1"), corpus)
    splits = pipeline.split(pipeline.read(corpus))
    assert [part.notes for part in (splits.train, splits.val, splits.test)] == [(note,)] * 3
    with caplog.at_level(logging.WARNING):
        pipeline.predict(task, Request((Source("play.txt", corpus),), GenerateOptions(length=1), CPU))
    assert f"Note: {note}" in caplog.text
    assert Generate(small()).read(corpus).notes == ()


@pytest.mark.parametrize("kind", ["lstm", "gru", "gpt"])
@pytest.mark.parametrize("tokens", ["characters", "bytes", "bpe"])
def test_trains_and_judges(kind: str, tokens: str, corpus: Path) -> None:
    pipeline, task, train, test = prepared(small(kind, tokens), corpus)
    batch = train.batch(torch.arange(8))
    augment = pipeline.augment(train.facts)
    if augment is not None:
        batch = augment(batch, torch.Generator().manual_seed(0))
    task.loss(batch, "main").value.backward()
    outputs = predict_outputs(task, test, device=CPU)
    text = corpus.read_text(encoding="utf-8")
    assert outputs["target"].sum() == len(text) - int(len(text) * 0.9)
    assert outputs["tokens"].sum() >= outputs["target"].sum() / 8


def test_the_settings_decide_how_much_of_a_text_trains(corpus: Path) -> None:
    pipeline = Generate(small(split=SplitShares(train=0.5, val=0.3)))
    text = corpus.read_text(encoding="utf-8")
    splits = pipeline.split(pipeline.read(corpus))
    found = ["".join(one["text"]) for one in (splits.val, splits.train, splits.test)]
    ends = (0, int(len(text) * 0.3), int(len(text) * 0.8), len(text))
    assert found == [text[begin:end] for begin, end in pairwise(ends)]


def test_tokens_are_learned_from_training_texts_alone(tmp_path: Path) -> None:
    path = tmp_path / "play.txt"
    path.write_text("#" * 300 + "abc\n" * 1000 + "?" * 300)
    pipeline, _, train, _ = prepared(small(), path)
    assert train.facts.alphabet == "\nabc"
    assert train.facts.vocabulary == 6
    assert pipeline.facts is train.facts


def test_recurrent_trainings_carry_a_state_for_each_piece_of_an_update(corpus: Path) -> None:
    config = small()
    config = config.model_copy(update={"trainer": config.trainer.model_copy(update={"accumulate": 3})})
    _, task, train, _ = prepared(config, corpus)
    assert task.carried is not None
    assert len(task.carried.numbers) == 24
    assert train.order(24) is not None
    _, task, train, _ = prepared(small("gpt"), corpus)
    assert task.carried is None
    assert train.order(24) is None


def write(
    config: GenerateConfig, corpus: Path, *sources: Source, **options: object
) -> list[dict[str, object]]:
    pipeline, task, _, _ = prepared(config, corpus)
    return pipeline.predict(task, Request(sources, GenerateOptions(**options), CPU))


@pytest.mark.parametrize("kind", ["lstm", "gpt"])
def test_writes_after_a_prompt_and_after_files(kind: str, corpus: Path, tmp_path: Path) -> None:
    config = small(kind)
    (alone,) = write(config, corpus, prompt="my lord", length=30, seed=4)
    assert alone["id"] == "prompt"
    assert alone["prompt"] == "my lord"
    assert alone["tokens"] == len(str(alone["text"])) == 30
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("the queen said")
    two.write_text("my lord")
    sources = (Source("one.txt", one), Source("two.txt", two))
    records = write(config, corpus, *sources, count=2, length=30, seed=4)
    assert [record["id"] for record in records] == ["one.txt #1", "one.txt #2", "two.txt #1", "two.txt #2"]
    assert records[2]["text"] == alone["text"]
    assert records[3]["text"] != alone["text"]


def test_a_single_text_is_shown_as_it_is_written(corpus: Path) -> None:
    pipeline, task, _, _ = prepared(small(), corpus)
    shown: list[str] = []
    options = GenerateOptions(prompt="the", length=40)
    (record,) = pipeline.predict(task, Request((), options, CPU, shown.append))
    assert "".join(shown) == f"the{record['text']}\n"
    assert len(shown) > 20
    shown.clear()
    pipeline.predict(task, Request((), options.model_copy(update={"count": 2}), CPU, shown.append))
    pipeline.predict(task, Request((), options.model_copy(update={"stream": False}), CPU, shown.append))
    assert shown == []


def test_the_report_has_its_sections(corpus: Path) -> None:
    pipeline, task, train, test = prepared(small(), corpus)
    rivals = {}
    for baseline in pipeline.baselines(train.facts):
        baseline.fit(train)
        rivals[baseline.name] = baseline.predict(test)
    evaluation = judge(
        task=task,
        facts=train.facts,
        outputs=predict_outputs(task, test, device=CPU),
        samples=test,
        split="test",
        baseline_outputs=rivals,
        findings=(),
        config=EvaluationConfig(resamples=100),
        seed=0,
    )
    # Hardly any text to judge on, so that nothing is said of it.
    assert evaluation.comparisons[-1].difference.value > 0
    assert "independent units" in evaluation.comparisons[-1].withheld
    sections = {
        one.key: one for one in [*task.sections(evaluation, train.facts), *pipeline.sections(evaluation)]
    }
    assert list(sections) == ["along", "samples", "repetition", "copies"]
    assert "with at least 8 tokens before it" in sections["along"].text
    assert sections["along"].facts["unknown"] == 0
    assert len(sections["samples"].passages) == 3
    assert "held-out text" in sections["repetition"].facts
    (passage,) = sections["copies"].passages
    marked = "".join(text for text, weight in passage.pieces if weight)
    assert marked in corpus.read_text(encoding="utf-8")
    # Without the training texts there is nothing to compare with.
    other = Generate(pipeline.config)
    assert [one.key for one in other.sections(evaluation)] == ["samples", "repetition"]


def test_unknown_characters_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "play.txt"
    path.write_text(some_text(5000) + "??!")
    _, task, train, test = prepared(small(), path)
    evaluation = judge(
        task=task, facts=train.facts, outputs=predict_outputs(task, test, device=CPU), samples=test, split="test",
        baseline_outputs={}, findings=(), config=EvaluationConfig(resamples=100), seed=0,
    )  # fmt: skip
    (along,) = task.sections(evaluation, train.facts)
    assert along.facts["unknown"] == 3
    assert "'?' '!'" in along.text


def test_copies_across_splits_are_found(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text(some_text(4000, seed=number) + some_text(1600, seed=99))
    pipeline = Generate(small())
    splits = pipeline.split(pipeline.read(tmp_path))
    train, test = (set(pipeline.fingerprints(one).exact) for one in (splits.train, splits.test))
    assert len(train & test) >= 2


@pytest.mark.parametrize(
    ("text", "words"), [("abc", "long enough to be cut"), ("abcdefgh\n" * 2, "at least 16 tokens")]
)
def test_texts_that_are_too_short(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"short.txt.*{words}"):
        prepared(small(), path)


def test_folds_need_documents(corpus: Path) -> None:
    pipeline = Generate(small(folds=3))
    with pytest.raises(DataError, match="too few for 3 folds"):
        pipeline.fold(pipeline.read(corpus), 3)
