"""Every registered pipeline overfits one batch, resumes bit for bit, is judged, predicts, and survives bad input.

Pipelines are found through the registry, so that a new one is tested the day it is registered.
"""

from __future__ import annotations

import html
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from browser import BROWSER, DESK, PHONE, opened_browser
from fivefold.cli.main import main
from fivefold.data.catalog import resolve
from fivefold.plugins.registry import load_registry
from fivefold.plugins.spec import PipelineSpec
from fivefold.workflow import prepare

from .inputs import Asked, questions

SPECS = [spec for spec, _ in load_registry().pipelines.values()]
pytestmark = pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])


def command(spec: PipelineSpec, *words: str) -> list[str]:
    return [*spec.name.split("/"), *words]


def test_one_batch_is_learned_by_heart(spec: PipelineSpec) -> None:
    registry = load_registry()
    pipeline = registry.pipeline_class(spec.name)()
    prepared = prepare(pipeline, spec.example, registry)
    torch.manual_seed(0)
    task = pipeline.task(prepared.facts)
    task.prepare(prepared.train)
    # From everywhere: neighbours in a table may look alike and differ in what comes of them.
    batch = prepared.train.batch(torch.linspace(0, len(prepared.train) - 1, 16).long())
    # Of networks that train against each other, the first alone: beside the other it has nothing to settle at.
    phase = task.phases()[0]
    parameters = [weight for name in phase.modules for weight in task.get_submodule(name).parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3)
    task.train()
    first = last = task.loss(batch, phase.name).value.item()
    for _ in range(800):
        optimizer.zero_grad()
        loss = task.loss(batch, phase.name).value
        loss.backward()
        optimizer.step()
        last = loss.item()
        if last < 0.1 * first:
            break
    assert last < 0.1 * first


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As many threads here as in the processes started: other numbers give other last bits."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_the_life_of_a_run(
    spec: PipelineSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str], subtests: pytest.Subtests
) -> None:
    """Trained, killed, resumed, judged, asked and read: one run for all, because training takes longest."""
    options = training_options(spec)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert main(command(spec, "train", spec.example, *options, "--out", str(whole))) == 0
    with subtests.test("killed, it resumes bit for bit"):
        words = command(spec, "train", spec.example, *options, "--out", str(killed))
        kill_after_checkpoints(words, killed / "checkpoints", random.Random(spec.name).randint(1, 4))
        assert not (killed / "model.safetensors").exists()
        assert main([*words, "--resume"]) == 0
        assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
        assert (killed / "report.html").is_file()
    with subtests.test("evaluated, it has a verdict"):
        check_evaluation(spec, whole, capsys)
    asked = questions(
        load_registry().pipeline_class(spec.name),
        resolve(spec.example, load_registry().dataset_specs)[0],
        tmp_path,
    )
    for question in asked:
        with subtests.test("one input is predicted alone as among many", of=question.kind):
            check_predictions(spec, whole, question, tmp_path / "predictions.jsonl")
    for name in ("absent", "empty folder", "empty file", "noise", "text file"):
        with subtests.test("bad input is refused", input=name):
            check_bad_input(spec, whole, bad_source(tmp_path / name, name), capsys)
    for name, harm in HARMS.items():
        with subtests.test("a broken run is refused", run=name):
            check_broken_run(spec, whole, harm, asked[0].one, capsys)
    with subtests.test("its report can be read"):
        check_page(whole / "report.html", tmp_path / "profile")


def training_options(spec: PipelineSpec) -> list[str]:
    """Two epochs of some sixteen steps: enough for five checkpoints, and a kill in either."""
    registry = load_registry()
    prepared = prepare(registry.pipeline_class(spec.name)(), spec.example, registry, searched=False)
    size = str(max(16, len(prepared.train) // 16))
    return ["--epochs", "2", "--batch-size", size, "--trainer.checkpoint-every", "5", "--device", "cpu"]


def check_evaluation(spec: PipelineSpec, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    before = json.loads((run / "report.json").read_text(encoding="utf-8"))
    (run / "report.html").unlink()
    assert main(command(spec, "evaluate", str(run), "--device", "cpu")) == 0
    after = json.loads((run / "report.json").read_text(encoding="utf-8"))
    opening = {"beats": "Beats ", "loses to": "Loses to "}.get(
        after["verdict"]["verdict"], "No evidence that it beats "
    )
    assert after["verdict"]["sentence"].startswith(opening)
    assert after["verdict"] == before["verdict"]
    # Lines are broken where the terminal ends.
    said = "".join(capsys.readouterr().err.split())
    assert "".join(after["verdict"]["sentence"].split()) in said
    # In the page no line breaks between a number and its unit.
    page = html.unescape((run / "report.html").read_text(encoding="utf-8")).replace("\xa0", " ")
    assert after["verdict"]["sentence"] in page


def check_predictions(spec: PipelineSpec, run: Path, asked: Asked, out: Path) -> None:
    one, many = (predicted(spec, run, words, out) for words in (asked.one, asked.many))
    assert 0 < len(one) < len(many)
    for alone, among in zip(one, many, strict=False):
        assert sorted(alone) == sorted(among)
        for key in sorted(set(alone) - {"id"}):
            assert among[key] == alike(alone[key])


def predicted(spec: PipelineSpec, run: Path, words: list[str], out: Path) -> list[dict[str, Any]]:
    """Records as they stand in the file; where they name files that were made, what is in these."""
    assert main(command(spec, "predict", str(run), *words, "--out", str(out), "--device", "cpu")) == 0
    records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for record in records:
        if "file" in record:
            record["file"] = Path(record["file"]).read_bytes().hex()
    return records


def alike(value: Any) -> Any:
    """What equals ``value`` as far as float32 reaches, which sums batches of other sizes in another order."""
    if isinstance(value, dict):
        return {key: alike(inner) for key, inner in value.items()}
    return pytest.approx(value, rel=1e-4, abs=1e-6) if isinstance(value, float) else value


def bad_source(path: Path, kind: str) -> Path:
    """Something that no pipeline, or hardly any, can read."""
    if kind == "empty folder":
        path.mkdir()
    elif kind == "text file":
        path.write_text("this is no data set\n")
    elif kind == "empty file":
        path.touch()
    elif kind == "noise":
        path.write_bytes(random.Random(0).randbytes(999))
    return path


def check_bad_input(spec: PipelineSpec, run: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run.parent / "refused.jsonl"
    words = command(spec, "predict", str(run), str(source), "--out", str(out), "--device", "cpu")
    if source.name == "text file" and (run / "tokenizer.json").is_file():
        # A model of texts has something to say to any.
        assert main(words) == 0
        assert len(out.read_text(encoding="utf-8").splitlines()) == 1
        return
    check_refused(words, run.parent, source.name, capsys)


HARMS: dict[str, Callable[[Path], object]] = {
    "empty": lambda run: [path.unlink() for path in run.iterdir() if path.is_file()],
    "broken run.json": lambda run: (run / "run.json").write_text("{"),
    "broken config.yaml": lambda run: (run / "config.yaml").write_text("{"),
    "no weights": lambda run: (run / "model.safetensors").unlink(),
    "half of the weights": lambda run: os.truncate(
        run / "model.safetensors", (run / "model.safetensors").stat().st_size // 2
    ),
}


def check_broken_run(
    spec: PipelineSpec,
    run: Path,
    harm: Callable[[Path], object],
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = run.parent / "broken"
    shutil.rmtree(broken, ignore_errors=True)
    left_out = shutil.ignore_patterns("checkpoints", "tensorboard", "generated")
    shutil.copytree(run, broken, ignore=left_out)
    harm(broken)
    out = str(run.parent / "refused.jsonl")
    words = command(spec, "predict", str(broken), *words, "--out", out, "--device", "cpu")
    check_refused(words, run.parent, str(broken), capsys)


def check_refused(words: list[str], folder: Path, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence that names what is wrong, and nothing written."""
    capsys.readouterr()
    before = set(folder.rglob("*"))
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    said = captured.err.strip()
    assert len(said.splitlines()) == 1
    assert said.startswith("error: ")
    assert named in said
    assert set(folder.rglob("*")) == before


def check_page(page: Path, profile: Path) -> None:
    """On a phone and on a desk, with all that is folded unfolded."""
    if BROWSER is None:
        pytest.skip("needs Chromium, to open the report with")
    with opened_browser(profile) as browser:
        for width in (PHONE, DESK):
            seen = browser.look_at(page, width)
            assert (seen.complaints, seen.requests, seen.broken) == ([], [], []), f"{width} wide"
            assert seen.overflow <= 0, f"{width} wide: {seen.widest}"
            assert seen.images > 0


def kill_after_checkpoints(words: list[str], checkpoints: Path, count: int) -> None:
    """Start ``fivefold`` with ``words`` and kill it, without warning, after its ``count``-th checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fivefold", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    seen: set[str] = set()
    while len(seen) < count:
        if process.poll() is not None:
            pytest.fail(f"ended before it could be killed: {process.communicate()[1].decode()}")
        if checkpoints.is_dir():
            seen |= {path.name for path in checkpoints.glob("step-*")}
        time.sleep(0.005)
    process.kill()
    process.communicate()


@pytest.mark.parametrize("kind", ["absent", "empty folder", "text file", "empty file"])
def test_bad_input_is_one_sentence_and_writes_nothing(
    spec: PipelineSpec, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    if kind == "empty folder":
        source.mkdir()
    elif kind == "text file":
        source.write_text("this is no data set\n")
    elif kind == "empty file":
        source.touch()
    before = set(tmp_path.iterdir())
    assert main(command(spec, "train", str(source), "--out", str(tmp_path / "run"))) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert said.startswith("error: ")
    assert "source" in said
    assert set(tmp_path.iterdir()) == before
