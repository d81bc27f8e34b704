"""``fivefold <domain> <task> tune`` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fivefold.cli.main import main
from stub_plugins import needs, write_plugin

TUNE = ["weather", "nowcast", "tune"]
SMALL = [
    "--hidden",
    "4",
    "--search",
    "optimizer.weight-decay=0",
    "--search",
    "batch_size=32,64",
]

INTERRUPTING = """
import os
import signal

from fivefold.training.callback import Callback

@hookimpl
def fivefold_callbacks():
    class CtrlC(Callback):
        def on_log(self, record):
            if record["split"] == "val":
                os.kill(os.getpid(), signal.SIGINT)

    return [CtrlC()]
"""


def test_from_a_file_of_data_to_the_best_settings_and_a_judged_run(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*TUNE, str(weather), *SMALL, "--epochs", "1", "--trials", "2", "--out", "runs/study"]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    for said in (
        "trial 0: ",
        "trial 1: ",
        "Best trials, on the validation split",
        "Trials: 2 complete",
        "the best of 2 is partly luck",
        f"Next:   fivefold weather nowcast train {weather} --config runs/study/best.yaml",
    ):
        assert said in captured.err

    # The same command has nothing left to do, and says the same of the study.
    assert main([*words, "--json"]) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert "trial 0: " not in captured.err
    assert (printed["study"], printed["best_config"]) == ("runs/study", "runs/study/best.yaml")
    assert printed["counts"] == {"complete": 2}
    assert printed["search"] == {"optimizer.lr": "0.0001:0.01:log", "batch_size": "32,64"}
    assert printed["settings"]["hidden"] == 4

    assert (
        main(
            ["weather", "nowcast", "train", str(weather), "--config", "runs/study/best.yaml", "--out", "run"]
        )
        == 0
    )
    saved = yaml.safe_load(Path("run/config.yaml").read_text(encoding="utf-8"))
    assert saved["optimizer"]["lr"] == printed["best"]["settings"]["optimizer.lr"]
    assert (saved["hidden"], saved["epochs"]) == (4, 1)
    capsys.readouterr()
    assert main(["runs", "list", "runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"runs": []}  # a study is no run


def test_ctrl_c_keeps_the_study_and_says_how_to_go_on(
    weather: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plugin(site, "stop", INTERRUPTING)
    words = [*TUNE, str(weather), *SMALL, "--epochs", "2", "--trials", "1", "--study", "mine"]
    assert main(words) == 130
    err = capsys.readouterr().err
    assert "the study is kept in runs/weather-nowcast/tune-mine" in err
    assert "stopped by SIGINT with 0 trials finished" in err
    assert "error:" not in err  # it was asked for
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"interrupted": 1, "complete": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.csv"], "nowhere.csv: no such file or folder"),
        (["rain.csv", "--search", "hiden=1:2"], "unknown setting 'hiden'; did you mean 'hidden'?"),
        (["rain.csv", "--search", "hidden=9:2"], "--search hidden=9:2: expected a range from a smaller"),
        (["rain.csv", "--trials", "0"], "--trials: expected at least 1"),
        (["rain.csv", "--storage", "sqlite:///x.db"], "expected --study NAME"),
        (["rain.csv", "--hidden", "0"], "option --hidden: expected a number greater than or equal to 1"),
        (["rain.csv", "--out", "."], "expected a new directory or one with a study"),
    ],
)
def test_wrong_input_is_one_sentence_and_writes_nothing(
    weather: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().rglob("*"))
    assert main([*TUNE, *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


@needs("vision")
def test_help_says_what_is_looked_at_and_imports_little(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TUNE, "--help"]) == 0
    out = capsys.readouterr().out
    for words in ("No trial sees the test split", "--search", "--no-prune", "--optimizer.lr", "--storage"):
        assert words in out
    assert (
        "fivefold weather nowcast tune seattle-weather --trials 2 --epochs 1 \\\n      --out tuned/seattle-weather"
        in out
    )
    assert main(["vision", "classify", "--help"]) == 0
    assert "Search the settings that give the best validation metric" in capsys.readouterr().out
    script = (
        "import sys; from fivefold.cli.main import main; main(['vision', 'classify', 'tune', '--help']); "
        "print([m for m in ('torch', 'optuna', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@needs("vision")
def test_without_optuna_only_tuning_is_missing(weather: Path) -> None:
    script = (
        "import sys; sys.modules['optuna'] = None; from fivefold.cli.main import main; "
        "import fivefold.workflow; "
        "sys.exit(main(['vision', 'classify', 'tune', 'digits', '--out', 'study']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "error: tuning needs the package 'optuna', which is not installed; run: pip install \"fivefold[tune]\"\n"
    )
    assert not Path("study").exists()
