"""The demonstration, on smaller data than its own: digits instead of Fashion-MNIST."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fivefold.cli.main import main
from fivefold.plugins.registry import Registry, load_registry
from fivefold.plugins.spec import Demo


@pytest.fixture
def small_jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every pipeline that has a demonstration gets a small one; those without keep none."""
    monkeypatch.chdir(tmp_path)
    registry = load_registry()
    job = Demo("digits", preset="quick", inputs="fashion-sample", pattern="test/*/000.png")
    for name, (spec, owner) in registry.pipelines.items():
        if spec.demo is not None:
            registry.pipelines[name] = (replace(spec, demo=job), owner)
    monkeypatch.setattr("fivefold.plugins.registry.load_registry", lambda: registry)


@pytest.mark.usefixtures("small_jobs")
def test_it_trains_judges_and_predicts_and_runs_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", "shown"]) == 0
    said = capsys.readouterr().err
    assert "$ fivefold vision classify train digits --preset quick --out shown/vision-classify" in said
    assert "beats" in said.lower()
    assert said.count("/000.png") == 10
    assert Path("shown/vision-classify/report.html").is_file()
    assert main(["demo", "--out", "shown", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["run"] for run in runs] == ["shown/vision-classify"]
    assert 0.8 < runs[0]["headline"]["value"] <= 1


def test_without_a_pipeline_to_show_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fivefold.plugins.registry.load_registry", Registry)
    assert main(["demo"]) == 2
    assert "no enabled plugin has a demonstration" in capsys.readouterr().err
