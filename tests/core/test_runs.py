"""Run directories: made, opened, listed, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fivefold
from fivefold.errors import RunError
from fivefold.runs import FORMAT, Run, list_runs, run_to_resume

INFO = {
    "pipeline": "plants/iris",
    "created": "2026-01-01",
    "status": "training",
    "data": {"source": "irises"},
}


def test_made_and_opened_again(tmp_path: Path) -> None:
    made = Run.create(tmp_path / "run", {"seed": 3}, INFO)
    opened = fivefold.load(made.path)
    assert opened.info == {"format": FORMAT, **INFO}
    assert opened.config == {"seed": 3}
    assert opened.records == []
    assert opened.report is None
    assert opened.facts == {}


def test_a_half_written_record_is_left_out(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", {}, INFO)
    (run.path / "metrics.jsonl").write_text('{"step": 1}\n{"step"')
    assert run.records == [{"step": 1}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected JSON"),
        ("[]", "expected the key 'format'"),
        ('{"pipeline": "a/b"}', "expected the key 'format'"),
        (json.dumps({"format": FORMAT + 1}), "upgrade fivefold"),
    ],
)
def test_broken_runs_are_refused_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RunError, match=said) as caught:
        Run.open(tmp_path)
    assert str(tmp_path / "run.json") in str(caught.value)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run directory"):
        Run.open(tmp_path / "none")
    with pytest.raises(RunError, match="found none"):
        Run.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="new or empty directory"):
        Run.create(tmp_path, {}, INFO)
    run = Run.create(tmp_path / "run", {}, INFO)
    (run.path / "config.yaml").write_text("a: [")
    with pytest.raises(RunError, match=r"config\.yaml"):
        _ = run.config


def test_listing_names_broken_runs_and_goes_on(tmp_path: Path) -> None:
    Run.create(tmp_path / "a", {}, INFO)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "run.json").write_text("{")
    Run.create(tmp_path / "c", {}, INFO)
    kinds = [type(found) for found in list_runs(tmp_path)]
    assert kinds == [Run, RunError, Run]


def test_the_run_to_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_to_resume("plants/iris", "irises", tmp_path / "new") is None
    with pytest.raises(RunError, match="expected an unfinished run on irises"):
        run_to_resume("plants/iris", "irises", None)
    root = Path("runs/plants-iris")
    Run.create(root / "1", {}, INFO)
    Run.create(root / "2", {}, {**INFO, "created": "2026-01-03"})
    Run.create(root / "3", {}, {**INFO, "created": "2026-01-04"}).update(status="complete")
    Run.create(root / "4", {}, {**INFO, "created": "2026-01-05", "data": {"source": "others"}})
    found = run_to_resume("plants/iris", "irises", None)
    assert found is not None
    assert found.path == root / "2"
    with pytest.raises(RunError, match="expected a run of plants/moss"):
        run_to_resume("plants/moss", "irises", root / "1")
