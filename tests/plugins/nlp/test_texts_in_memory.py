"""Texts in memory are predicted as texts in files are."""

from __future__ import annotations

from pathlib import Path

import pytest

import fivefold
from fivefold.errors import ConfigError, DataError
from fivefold.runs import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("texts")
    rows = [
        f"ein {word} Film {number},{label}"
        for number in range(30)
        for word, label in (("schöner", "gut"), ("öder", "schlecht"))
    ]
    (folder / "texts.csv").write_bytes(("text,label\n" + "\n".join(rows) + "\n").encode("latin-1"))
    return fivefold.train(
        "nlp/sentiment",
        folder / "texts.csv",
        out=folder / "run",
        preset="quick",
        epochs=1,
        encoding="latin-1",
        evaluation={"resamples": 100},
    )


def test_texts_are_predicted_as_files_are(run: Run, tmp_path: Path) -> None:
    texts = ["ein schöner Film", "ein öder Film\nmit zwei Zeilen", *["ein Film"] * 9]
    for number, text in enumerate(texts):
        (tmp_path / f"{number:02}.txt").write_text(text, encoding="latin-1")
    from_files = run.predict(tmp_path)
    found = run.predict(texts=texts)
    assert [record["id"] for record in found] == [f"text {number}" for number in range(1, 12)]
    for record, other in zip(found, from_files, strict=True):
        assert {**record, "id": ""} == {**other, "id": ""}
    assert run.predict(texts=["5 €"])[0]["id"] == "text 1"  # which latin-1 lacks


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("one", ConfigError, r"texts: expected a list of texts, found a single one; give \[text\]"),
        ([], ConfigError, "texts: expected a text at least, found none"),
        (["a", 3], ConfigError, "texts, number 2: expected a text, found int"),
        (["a", " "], DataError, "^text 2.*: expected a text, found only white space"),
    ],
)
def test_wrong_texts_are_refused_in_a_sentence(
    run: Run, texts: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run.predict(texts=texts)


def test_texts_and_files_together_are_refused(run: Run) -> None:
    with pytest.raises(ConfigError, match=r"expected sources or texts, found both \(a\.txt and 1 texts\)"):
        run.predict("a.txt", texts=["b"])
