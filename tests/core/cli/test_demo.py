"""The demonstration, on smaller data than its own: digits instead of Fashion-MNIST."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fivefold.cli.main import main
from fivefold.demonstration.page import _doubtful
from fivefold.demonstration.picture import first_picture
from fivefold.plugins.registry import Registry, load_registry
from fivefold.plugins.spec import Demo
from stub_plugins import needs

pytestmark = needs("vision")

JOB = Demo(
    "digits",
    preset="quick",
    inputs="fashion-sample",
    pattern="test/*/000.png",
    settings=(("epochs", 3), ("model.width", 16)),
    picture="Where the model looked",
)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry:
    """Only one pipeline has a demonstration, a small one."""
    monkeypatch.chdir(tmp_path)
    registry = load_registry()
    for name, (spec, owner) in registry.pipelines.items():
        registry.pipelines[name] = (replace(spec, demo=JOB if name == "vision/classify" else None), owner)
    monkeypatch.setattr("fivefold.plugins.registry.load_registry", lambda: registry)
    return registry


@pytest.mark.usefixtures("registry")
def test_it_trains_judges_predicts_shows_a_page_and_runs_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", "shown"]) == 0
    said = capsys.readouterr().err
    command = (
        "vision classify train digits --preset quick --epochs 3 --model.width 16 --out shown/vision-classify"
    )
    assert f"$ fivefold {command}" in said
    assert "the first 5 of 10 predictions" in said
    page = Path("shown/index.html").read_text(encoding="utf-8")
    report = json.loads(Path("shown/vision-classify/report.json").read_text(encoding="utf-8"))
    assert f"{report['verdict']['sentence'][:40]}" in page
    assert f"fivefold {command}" in re.sub(r"</?span>", "", page)
    assert "<span>--preset</span>" in page  # breaks between words only
    assert "<h2>vision</h2>" in page
    (size,) = re.findall(r"cnn, ([\d,]+) parameters", page)
    assert f"Training {size} parameters" in said
    assert 'href="vision-classify/report.html"' in page
    assert page.count("<img ") == 1
    assert main(["demo", "vision", "--out", "shown", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["page"] == "shown/index.html"
    assert [one["run"] for one in answer["domains"]] == ["shown/vision-classify"]
    assert 0.8 < answer["domains"][0]["headline"]["value"] <= 1


def test_a_domain_whose_packages_are_missing_is_shown_with_the_command_that_adds_them(
    registry: Registry, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "stub_needy.py").write_text("import a_package_that_nobody_has\n", encoding="utf-8")
    spec, owner = registry.pipelines["vision/classify"]
    registry.pipelines.clear()
    registry.pipelines["vision/classify"] = (replace(spec, target="stub_needy:Pipeline"), owner)
    assert main(["demo", "--out", "shown"]) == 0
    assert "vision: not shown: stub_needy needs the package" in capsys.readouterr().err
    page = Path("shown/index.html").read_text(encoding="utf-8")
    assert "run: pip install a_package_that_nobody_has" in page
    assert "fivefold vision classify train digits" in re.sub(r"</?span>", "", page)


def test_a_job_that_fails_is_told_and_the_others_are_shown(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, owner = registry.pipelines["vision/classify"]
    broken = replace(spec, name="broken/one", demo=replace(JOB, data="no-such-data"))
    registry.pipelines["broken/one"] = (broken, owner)
    assert main(["demo", "--out", "shown"]) == 2
    err = capsys.readouterr().err
    assert "the demonstration of broken failed" in err
    assert "no-such-data: neither a path nor the name of a dataset" in err
    page = Path("shown/index.html").read_text(encoding="utf-8")
    assert page.count("<article>") == 2
    assert 'href="vision-classify/report.html"' in page


@pytest.mark.usefixtures("registry")
def test_an_unknown_domain_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "astronomy"]) == 2
    assert "no demonstration of astronomy; there are vision" in capsys.readouterr().err


def test_without_a_pipeline_to_show_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fivefold.plugins.registry.load_registry", Registry)
    assert main(["demo"]) == 2
    assert "no enabled plugin has a demonstration" in capsys.readouterr().err


def test_leakage_is_told_beside_the_verdict() -> None:
    leaks = [{"severe": True, "text": f"Leak {number}."} for number in (1, 2, 3)]
    note = {"severe": False, "text": "A note."}
    assert _doubtful({"findings": [note]}) == []
    sides = "Samples stand on both sides of a split, so the verdict may be too good: Leak 1."
    assert _doubtful({"findings": [note, leaks[0]]}) == [sides]
    assert _doubtful({"findings": leaks}) == [f"{sides} The report has 2 more such findings."]


def test_the_first_picture_of_a_section(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text(
        '<h2>One</h2><img class="photo" src="data:a" alt="first">'
        '<h2>Two &amp; more</h2><p>text</p><img class="drawing" src="data:b" alt="second">'
        '<img class="photo" src="data:c" alt="">',
        encoding="utf-8",
    )
    found = first_picture(report, "Two & more")
    assert found is not None
    assert (found.source, found.alt, found.kind) == ("data:b", "second", "drawing")
    first = first_picture(report)
    assert first is not None
    assert first.alt == "first"
    assert first_picture(report, "Three") is None
