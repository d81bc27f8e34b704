"""The language pipelines as a user calls them: bad input in one sentence, every kind of network, writing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from fivefold.cli.main import main
from fivefold.runs import Run

SENTIMENT, GENERATE = ("nlp", "sentiment"), ("nlp", "generate")
QUICK = ("--epochs", "1", "--evaluation.resamples", "100", "--device", "cpu")
GOOD, BAD = ["fine", "good", "great", "lovely"], ["dull", "bad", "poor", "weak"]


def reviews(file: Path, count: int = 60, seed: int = 0) -> Path:
    """A table of reviews that a word tells apart."""
    generator = random.Random(seed)
    rows = ["text,label"]
    for number in range(count):
        words = ["film", "play", "plot", "scene", generator.choice(GOOD if number % 2 else BAD)]
        generator.shuffle(words)
        rows.append(f"a {' '.join(words)} number {number},{'pos' if number % 2 else 'neg'}")
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


BROKEN = {
    "empty text": (b"text,label\na,1\n,0\n", ("row 3", "found none")),
    "white space": (b'text,label\na,1\n" ",0\n', ("row 3", "only white space")),
    "five megabytes": (b"text,label\na,1\n" + b"x" * 5_000_000 + b",0\n", ("row 3", "at most 1,000,000")),
    "latin-1": (b"text,label\na,1\nna\xefve,0\n", ("row 3", "--encoding latin-1")),
    "NUL": (b"text,label\na\x00,1\nb,0\n", ("row 2", "NUL")),
    "missing label": (b"text,label\na,1\nb,\n", ("row 3", "expected a label")),
    "one class": (b"text,label\na,1\nb,1\n", ("two classes or more",)),
    "a single text of a class": (b"text,label\n" + b"a,1\n" * 5 + b"b,0\n", ("single sample",)),
}


def refused(words: list[str], file: Path, said: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    before = set(file.parent.iterdir())
    assert main([*words, "--out", str(file.parent / "run")]) == 2
    sentence = capsys.readouterr().err.strip()
    assert sentence.startswith("error: ")
    assert len(sentence.splitlines()) == 1
    for part in (file.name, *said):
        assert part in sentence
    assert set(file.parent.iterdir()) == before


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_tables(fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, said = BROKEN[fault]
    file = tmp_path / "reviews.csv"
    file.write_bytes(content)
    refused([*SENTIMENT, "train", str(file)], file, said, capsys)


def test_a_line_that_is_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reviews.jsonl"
    file.write_text('{"text": "a", "label": 1}\nno json\n')
    refused([*SENTIMENT, "train", str(file)], file, ("row 2", "no JSON"), capsys)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ("empty file",)),
        (b"\n \n", ("empty file",)),
        (b"too short", ("long enough",)),
        (
            b"just enough to be cut but shorter than one block of text",
            ("expected a training split of at least 64",),
        ),
        (b"caf\xe9 " * 200, ("row 1", "--encoding latin-1")),
        (b"text\n\x00" * 200, ("row 2", "NUL")),
    ],
)
def test_broken_corpora(
    content: bytes, said: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "corpus.txt"
    file.write_bytes(content)
    refused([*GENERATE, "train", str(file)], file, said, capsys)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sentiment")
    reviews(folder / "reviews.csv", 300)
    words = [*SENTIMENT, "train", str(folder / "reviews.csv"), *QUICK[2:], "--out", str(folder / "run")]
    assert main([*words, "--epochs", "8", "--optimizer.lr", "0.01"]) == 0
    return folder / "run"


def test_words_that_tell_are_learned_and_marked(run: Path) -> None:
    report = Run.open(run).report
    assert report is not None
    assert report["metrics"]["accuracy"]["value"] > 0.9
    assert {"by_length", "texts", "right_texts"} <= set(report["sections"])
    page = (run / "report.html").read_text(encoding="utf-8")
    assert '<mark class="for"' in page
    assert (run / "tokenizer.json").is_file()


def test_an_unknown_label_names_row_and_label(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("text,label\na fine film,pos\na film,so-so\n")
    assert main([*SENTIMENT, "evaluate", str(run), str(other)]) == 2
    assert "other.csv row 3: unknown label 'so-so'; the model knows neg, pos" in capsys.readouterr().err


def test_predictions_come_from_files_of_every_form(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lines.txt").write_text("a great film\na poor plot\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one.txt").write_text("a lovely\nplay")
    (tmp_path / "rows.jsonl").write_text('{"text": "a weak scene"}\n')
    inputs = [str(tmp_path / name) for name in ("lines.txt", "folder", "rows.jsonl")]
    assert main([*SENTIMENT, "predict", str(run), *inputs, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["predictions"]
    assert [record["label"] for record in found] == ["pos", "neg", "pos", "neg"]
    assert [Path(record["id"]).name for record in found] == [
        "lines.txt row 1", "lines.txt row 2", "one.txt", "rows.jsonl row 1",
    ]  # fmt: skip


@pytest.mark.parametrize("fault", ["", "\n", " \n\n"])
def test_inputs_without_text(
    run: Path, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lines.txt").write_text(fault)
    assert main([*SENTIMENT, "predict", str(run), str(tmp_path / "lines.txt")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("kind", ["gru", "cnn", "transformer"])
def test_every_kind_of_network_trains(kind: str, tmp_path: Path) -> None:
    file = reviews(tmp_path / "reviews.csv")
    words = [*SENTIMENT, "train", str(file), *QUICK, "--model.kind", kind, "--model.hidden", "8"]
    assert main([*words, "--tokenizer.kind", "bpe", "--out", str(tmp_path / "run")]) == 0


def test_settings_of_another_kind_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = reviews(tmp_path / "reviews.csv")
    assert main([*SENTIMENT, "train", str(file), "--model.kind", "cnn", "--model.heads", "2"]) == 2
    assert "'heads' does not apply to the kind 'cnn'" in capsys.readouterr().err
    assert main([*SENTIMENT, "train", str(file), "--model.kind", "huggingface"]) == 2
    assert "needs 'name'" in capsys.readouterr().err


def encoder(folder: Path) -> Path:
    """A BERT of two tiny layers with its tokenizer, as the hub has them."""
    from transformers import BertConfig, BertModel

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "film", "play", "plot", "scene", "number", *GOOD, *BAD]
    vocabulary = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)]
    )
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(names), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def fine_tuning(file: Path, folder: Path) -> list[str]:
    """Words that train the encoder in ``folder`` on ``file``."""
    kind = ("--model.kind", "huggingface", "--model.name", str(folder))
    return [*SENTIMENT, "train", str(file), *QUICK, *kind]


@pytest.mark.parametrize("frozen", [(), ("--model.frozen-layers", "1"), ("--model.freeze",)])
def test_an_encoder_of_the_hub_is_fine_tuned_and_opens_without_it(
    frozen: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = reviews(tmp_path / "reviews.csv"), encoder(tmp_path / "encoder")
    words = fine_tuning(file, folder)
    assert main([*words, *frozen, "--out", str(tmp_path / "none")]) == 2
    assert "has positions for fewer tokens (max_position_embeddings 40)" in capsys.readouterr().err
    assert main([*words, *frozen, "--longest", "40", "--out", str(tmp_path / "run")]) == 0
    for part in folder.iterdir():
        part.unlink()
    capsys.readouterr()
    assert main([*SENTIMENT, "predict", str(tmp_path / "run"), str(file), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["predictions"]) == 60


@pytest.mark.parametrize(
    ("frozen", "layers"),
    [(("--model.frozen-layers", "1"), [True, False]), (("--model.freeze",), [True, True])],
)
def test_a_frozen_encoder_keeps_its_weights(
    frozen: tuple[str, ...], layers: list[bool], tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    file, folder = reviews(tmp_path / "reviews.csv"), encoder(tmp_path / "encoder")
    words = fine_tuning(file, folder)
    assert main([*words, "--longest", "40", *frozen, "--out", str(tmp_path / "run")]) == 0
    before, after = load_file(folder / "model.safetensors"), load_file(tmp_path / "run" / "model.safetensors")
    ending = "encoder.layer.{}.output.dense.weight"
    kept = [
        torch.equal(
            next(value for name, value in before.items() if name.endswith(ending.format(layer))),
            next(value for name, value in after.items() if name.endswith(ending.format(layer))),
        )
        for layer in (0, 1)
    ]
    assert kept == layers


def test_ratings_have_baselines_and_marks_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    rows = reviews(tmp_path / "classes.csv").read_text().splitlines()[1:]
    rated = [row.replace(",pos", ",4.5").replace(",neg", ",1.5") for row in rows]
    file.write_text("\n".join(["text,label", *rated]) + "\n")
    words = [*SENTIMENT, "train", str(file), *QUICK, "--task", "ratings", "--out", str(tmp_path / "run")]
    assert main(words) == 0
    report: dict[str, Any] = Run.open(tmp_path / "run").report or {}
    assert set(report["baselines"]) == {"mean of the training targets", "TF-IDF with ridge regression"}
    assert {"error_texts", "extreme_texts"} <= set(report["sections"])


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generate")
    assert main([*GENERATE, "train", "hamlet", *QUICK, "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_a_text_is_shown_as_it_is_written(writer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*GENERATE, "predict", str(writer), "--prompt", "HAMLET:", "--length", "40"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("HAMLET:")
    assert main([*words, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)["predictions"]
    assert shown == f"HAMLET:{record['text']}\n"
    assert record["tokens"] == 40


def test_options_of_writing_are_checked(writer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*GENERATE, "predict", str(writer), "--top-p", "1.5"]) == 2
    assert "option --top-p: expected a number less than or equal to 1, found 1.5" in capsys.readouterr().err
    assert main([*GENERATE, "predict", str(writer), "--nucleus", "1"]) == 2
    assert "--nucleus" in capsys.readouterr().err


def test_several_texts_are_a_table(writer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prompt.txt").write_text("OPHELIA:\n")
    words = [
        *GENERATE,
        "predict",
        str(writer),
        str(tmp_path / "prompt.txt"),
        "--count",
        "2",
        "--length",
        "20",
    ]
    assert main([*words, "--out", str(tmp_path / "texts.jsonl")]) == 0
    assert capsys.readouterr().out == ""
    records = [json.loads(line) for line in (tmp_path / "texts.jsonl").read_text().splitlines()]
    assert len({record["text"] for record in records}) == 2


def test_shuffled_labels_are_no_evidence(tmp_path: Path) -> None:
    """Of six trainings on labels that mean nothing, at most one may seem to beat: chance is one in forty each."""
    verdicts = []
    for seed in range(6):
        generator = random.Random(seed)
        labels = ["neg", "pos"] * 100
        generator.shuffle(labels)
        texts = [" ".join(generator.choices([*GOOD, *BAD, "film", "plot"], k=8)) for _ in labels]
        file = tmp_path / f"{seed}.csv"
        file.write_text(
            "text,label\n" + "".join(f"{text},{label}\n" for text, label in zip(texts, labels, strict=True))
        )
        words = [
            *SENTIMENT,
            "train",
            str(file),
            *QUICK,
            "--model.hidden",
            "16",
            "--out",
            str(tmp_path / str(seed)),
        ]
        assert main(words) == 0
        verdicts.append(Run.open(tmp_path / str(seed)).info["headline"]["verdict"])
    assert verdicts.count("beats") <= 1
