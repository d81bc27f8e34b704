"""Texts of another encoding and with other columns than those of the training, at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fivefold
from fivefold.cli.main import main
from fivefold.errors import ConfigError
from plugins.nlp.test_nlp_at_the_command_line import GENERATE, QUICK, SENTIMENT, reviews


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on reviews in UTF-8 with the usual columns."""
    folder = tmp_path_factory.mktemp("reviews")
    source = reviews(folder / "reviews.csv")
    source.write_text(source.read_text("utf-8").replace("film", "Käse"), "utf-8")
    words = [*SENTIMENT, "train", str(source), *QUICK, "--model.kind", "cnn", "--model.hidden", "8"]
    assert main([*words, "--out", str(folder / "run")]) == 0
    return folder / "run"


def written(folder: Path, run: Path) -> tuple[Path, Path]:
    """The same rows in UTF-8 and with the usual columns, and in Latin-1 with others."""
    text = (run.parent / "reviews.csv").read_text("utf-8")
    usual, other = folder / "usual.csv", folder / "other.csv"
    usual.write_text(text, "utf-8")
    other.write_text(text.replace("text,label", "subject,verdict", 1), "latin-1")
    return usual, other


def result_of(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    capsys.readouterr()
    assert main([*map(str, words), "--device", "cpu", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert main([*map(str, words)]) == 2
    told = capsys.readouterr().err.strip()
    assert len(told.splitlines()) == 1
    return told


def test_reviews_of_another_encoding_and_other_columns(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual, other = written(tmp_path, run)
    evaluate, predict = (*SENTIMENT, "evaluate", run), (*SENTIMENT, "predict", run)
    latin = ("--encoding", "latin-1")
    for words in (evaluate, predict):
        told = refused(capsys, *words, other, "--columns.text", "subject", "--columns.label", "verdict")
        assert "row 2: expected text in utf-8" in told
        assert "--encoding latin-1" in told
        told = refused(capsys, *words, other, *latin)
        assert "expected a column 'text', found subject, verdict; name the columns by --columns.text" in told
        told = refused(capsys, *words, other, *latin, "--columns.text", "subjekt")
        assert "expected the column 'subjekt' that --columns.text names, found subject, verdict" in told
    read = (other, *latin, "--columns.text", "subject", "--columns.label", "verdict")
    found, expected = (result_of(capsys, *evaluate, *one)["evaluation"] for one in (read, (usual,)))
    assert found["metrics"] == expected["metrics"]
    assert found["baselines"] == expected["baselines"] != {}
    (note,) = (text for text in found["notes"] if text not in expected["notes"])
    assert note.startswith("Read with --")
    for option in ("--columns.text subject", "--columns.label verdict", "--encoding latin-1"):
        assert option in note
    found, expected = (result_of(capsys, *predict, *one)["predictions"] for one in (read[:5], (usual,)))
    assert [one["probability"] for one in found] == [one["probability"] for one in expected]


def test_the_data_of_the_training_need_no_such_options(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, *SENTIMENT, "evaluate", run, "--encoding", "latin-1")
    assert "--encoding latin-1: expected DATA to read so, found none" in told
    with pytest.raises(ConfigError, match=r"^--encoding latin-1: expected files to read so, found texts"):
        fivefold.load(run).predict(texts=["fine"], reading={"encoding": "latin-1"})


def test_python_reads_otherwise_too(run: Path, tmp_path: Path) -> None:
    usual, other = written(tmp_path, run)
    reading = {"encoding": "latin-1", "columns": {"text": "subject", "label": "verdict"}}
    opened = fivefold.load(run)
    found = opened.evaluate(other, device="cpu", reading=reading)
    expected = opened.evaluate(usual, device="cpu")
    assert {name: one.value for name, one in found.estimates.items()} == {
        name: one.value for name, one in expected.estimates.items()
    }
    predicted = opened.predict(other, device="cpu", reading=reading)
    assert predicted == [
        {**one, "id": str(one["id"]).replace("usual", "other")} for one in opened.predict(usual, device="cpu")
    ]
    with pytest.raises(ConfigError, match="found 'task'"):
        opened.evaluate(other, reading={"task": "ratings"})


def test_columns_that_are_named_need_a_table(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("a fine play\na weak plot\n")
    told = refused(capsys, *SENTIMENT, "predict", run, lines, "--columns.text", "subject")
    assert "expected a table, of which --columns.text names a column, found a file of another kind" in told


def test_prompts_and_plays_of_another_encoding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play = "".join(
        f"Käse und Brot, sprach {name}; {number} Äpfel.\n" for number, name in enumerate("abcdefgh" * 60)
    )
    usual, other, prompt = (tmp_path / f"{name}.txt" for name in ("usual", "other", "prompt"))
    usual.write_text(play, "utf-8")
    other.write_text(play[:2000], "latin-1")
    prompt.write_text("Käse", "latin-1")
    run = tmp_path / "run"
    small = ("--model.hidden", "8", "--context", "16")
    assert main([*GENERATE, "train", str(usual), *QUICK, *small, "--out", str(run)]) == 0
    latin = ("--encoding", "latin-1")
    assert "--encoding latin-1" in refused(capsys, *GENERATE, "evaluate", run, other)
    found = result_of(capsys, *GENERATE, "evaluate", run, other, *latin)["evaluation"]
    (tmp_path / "plain.txt").write_text(play[:2000], "utf-8")
    plain = result_of(capsys, *GENERATE, "evaluate", run, tmp_path / "plain.txt")["evaluation"]
    assert found["metrics"] == plain["metrics"]
    assert "--encoding latin-1" in refused(capsys, *GENERATE, "predict", run, prompt)
    (record,) = result_of(capsys, *GENERATE, "predict", run, prompt, *latin, "--length", "5")["predictions"]
    assert record["prompt"] == "Käse"
    assert "found none" in refused(capsys, *GENERATE, "predict", run, *latin)
