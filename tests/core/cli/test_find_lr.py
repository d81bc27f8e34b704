"""``find-lr`` as people type it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main

WORDS = ["weather", "nowcast", "find-lr"]
PNG = b"\x89PNG\r\n\x1a\n"
SMALL = ["--hidden", "4", "--steps", "60"]


def write_tides(path: Path, days: int = 600) -> Path:
    """Weather that repeats every three days, which a network can learn."""
    dates = np.datetime64("2020-01-01") + np.arange(days)
    lines = [f"{date},{5 * (day % 3)},{day % 3},{-(day % 3)},1,rain" for day, date in enumerate(dates)]
    path.write_text(
        "\n".join(["date,precipitation,temp_max,temp_min,wind,weather", *lines]) + "\n", encoding="utf-8"
    )
    return path


def test_it_proposes_a_rate_draws_the_curve_and_says_how_to_go_on(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tides = write_tides(Path("tides.csv"))
    words = [*WORDS, str(tides), *SMALL, "--batch-size", "32", "--out", "rates"]
    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    document = json.loads(Path("rates/learning-rate.json").read_text(encoding="utf-8"))
    assert document["proposal"] == printed["proposal"]
    assert (document["pipeline"], document["batch_size"]) == ("weather/nowcast", 32)
    assert [point["step"] for point in document["points"]] == list(range(len(document["points"])))
    assert document["points"][0]["rate"] == pytest.approx(1e-7)
    assert all(math.isfinite(point["loss"]) for point in document["points"])
    assert Path("rates/learning-rate.png").read_bytes().startswith(PNG)
    rate, safer = (printed["proposal"][name] for name in ("rate", "safer"))
    assert 1e-5 < safer < rate < 10
    assert (
        printed["next"]
        == f"fivefold weather nowcast train tides.csv --hidden 4 --batch-size 32 --optimizer.lr {rate:.2g}"
    )

    picture = Path("rates/learning-rate.png").read_bytes()
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"Next:   {printed['next']}" in captured.err
    assert "where the averaged loss falls steepest" in captured.err
    assert Path("rates/learning-rate.png").read_bytes() == picture
    assert json.loads(Path("rates/learning-rate.json").read_text(encoding="utf-8")) == document


def test_a_flat_curve_is_told_in_plain_words(weather: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*WORDS, str(weather), *SMALL, "--from", "1e-12", "--to", "1e-11"]
    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["next"] is None
    assert printed["proposal"]["rate"] is None
    assert Path(printed["picture"]).is_relative_to("runs/weather-nowcast")
    assert main([*words, "--out", "flat"]) == 0
    said = capsys.readouterr().err
    assert "No learning rate stands out: the loss" in said
    assert "Next:" not in said


def test_nothing_is_drawn_where_the_first_loss_is_not_finite(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*WORDS, str(weather), *SMALL, "--from", "1e30", "--to", "1e35", "--out", "wild"]) == 0
    assert "ran away after" in capsys.readouterr().err
    assert Path("wild/learning-rate.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "1", "--to", "0.1"], "choose --from smaller than --to"),
        (["--steps", "3"], "at least 20 to see a curve, found 3"),
        (["--from", "much"], "--from"),
    ],
)
def test_wrong_options_are_one_sentence_and_write_nothing(
    weather: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*WORDS, str(weather), *words, "--out", "rates"]) == 2
    assert said in capsys.readouterr().err
    assert not Path("rates").exists()


def test_help_ends_in_an_example(weather: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--help"]) == 0
    out = capsys.readouterr().out
    for words in ("--from", "--to", "--steps", "--optimizer.lr", "learning-rate.png"):
        assert words in out
    assert "fivefold weather nowcast find-lr seattle-weather --steps 40 \\\n      --out runs/find-lr" in out
