"""The report: JSON that parses strictly, and a page that stands alone and escapes what it is given."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from fivefold.data.leakage import Finding
from fivefold.evaluation.document import plain
from fivefold.evaluation.page import is_number
from fivefold.evaluation.report import write_report
from fivefold.evaluation.section import Figure, Grid, Passage, Section

from .judged import class_outputs, judge_classes, judge_numbers

EVIL = "<script>alert('x')</script> & $y$ 猫"
FINDING = Finding(
    "exact duplicate", ("train", "test"), 2, f"2 samples of {EVIL} stand in both.", (("a", EVIL),)
)
INFO = {
    "pipeline": "vision/classify",
    "data": EVIL,
    "split_how": "at random within classes",
    "sizes": {"train": 54000, "val": 6000, "test": 300},
    "versions": {"torch": "2.13.0"},
    "seed": 0,
    "device": "cpu",
    "hardware": {"cores": 2},
    "started": "2027-01-05T12:00:00+00:00",
    "seconds": 161.5,
    "command": "fivefold vision classify train x",
    "config": {"epochs": 4, "optimizer": {"lr": 0.001}},
    "curves": [
        {"split": "train", "epoch": 0.5, "step": 10, "loss": 2.0, "lr": 0.1},
        {"split": "train", "epoch": 1.0, "step": 20, "loss": 1.0, "lr": 0.0},
        {"split": "val", "epoch": 1.0, "step": 20, "accuracy": 0.9},
        {"split": "train", "epoch": 2.0, "step": 40, "loss": None},
    ],
    "problems": [{"sample": EVIL, "reason": "truncated"}],
    "licence": "MIT",
    "citation": "Someone 2017",
    "training": {"epochs": 4, "best": 0.9, "best_step": None},
}


class Page(HTMLParser):
    """Tags with attributes, and all text."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.text = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, wanted):
        return [attributes for tag, attributes in self.tags if tag == wanted]


def strict(path):
    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("report") / "new"
    classes = (EVIL, "dog", "owl")
    evaluation = judge_classes(
        class_outputs(skill=3.0),
        classes,
        {"majority class": {"probabilities": np.tile([0.3, 0.3, 0.4], (300, 1))}},
        findings=(FINDING,),
        notes=(EVIL,),
    )
    gallery = Section(
        "Examples",
        text="One.\n\nTwo.",
        gallery=(Figure(EVIL, b"png", "png", EVIL),),
        grids=(Grid(EVIL, ("a", "b"), ((EVIL, float("nan")), ("x", 0.5))),),
        facts={"value": np.float32("nan")},
        key="examples",
    )
    write_report(
        evaluation, [*evaluation.task.sections(evaluation, evaluation.facts), gallery], INFO, directory
    )
    return directory


@pytest.fixture(scope="module")
def page(written):
    return Page((written / "report.html").read_text(encoding="utf-8"))


def test_nothing_but_the_two_files_is_left(written):
    assert sorted(path.name for path in written.iterdir()) == ["report.html", "report.json"]


def test_the_json_is_strict_and_complete(written):
    content = strict(written / "report.json")
    assert content["format"] == 1
    assert content["verdict"]["verdict"] == "beats"
    assert content["verdict"]["sentence"].startswith("Beats majority class: accuracy")
    assert set(content["metrics"]["accuracy"]) == {"value", "low", "high", "higher_is_better", "style"}
    assert content["interval"] == {"level": 0.95, "resamples": 200, "unit": "sample", "units": 300}
    assert content["comparisons"][0]["difference"]["low"] > 0
    assert content["baselines"]["majority class"]["AUROC"] == 0.5
    assert content["findings"][0]["count"] == 2
    assert content["run"]["config"] == INFO["config"]
    assert "curves" not in content["run"]
    sections = content["sections"]
    assert set(sections) == {"classes", "confusion", "calibration", "label_errors", "mistakes", "examples"}
    assert np.sum(sections["confusion"]["matrix"]) == 300
    assert sections["examples"]["value"] is None


def test_the_page_loads_nothing_from_outside(page):
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed"}
        for name in ("src", "href"):
            value = attributes.get(name) or "#"
            assert value.startswith(("data:image/", "#")), (tag, value)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv"))
    assert "default-src 'none'" in policy


def test_the_style_loads_nothing_either(written):
    style = re.search(r"<style>(.*?)</style>", (written / "report.html").read_text(), re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width"):
        assert rule in style[1]


def test_names_are_escaped_wherever_they_stand(written, page):
    text = (written / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    shown = "".join(page.text)
    # Data, finding, example, note, class table, caption, table head, problem: each as it was given.
    assert shown.count(EVIL) >= 8


def test_links_lead_to_parts_of_the_page(page):
    names = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= names


def test_the_page_can_be_read_without_seeing_it(page):
    assert page.all("html")[0]["lang"] == "en"
    assert all(picture["alt"] for picture in page.all("img"))
    assert {head["scope"] for head in page.all("th")} == {"col", "row"}
    assert len(page.all("h1")) == 1
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))


def test_the_page_says_what_matters(page):
    shown = " ".join(" ".join(page.text).split())
    for words in (
        "Beats majority class: accuracy",
        "1 severe finding, see below",
        "train 54 000, val 6 000, test 300",
        "2 min 42 s",
        "1 sample could not be used",
        "cores 2",
        "epochs 4, best 0.9",
        "lr: 0.001",
        "Training",
        "Probable label errors",
        "Most confident mistakes",
    ):
        assert words in shown, words


def test_what_is_not_known_is_left_out(tmp_path):
    evaluation = judge_classes()
    write_report(evaluation, [], {}, tmp_path)
    bare = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    shown = "".join(bare.text)
    assert "No verdict" in shown
    assert "None found" in shown
    assert "Licence" not in shown
    assert "Against the baselines" not in shown
    assert "Unreadable" not in shown
    assert strict(tmp_path / "report.json")["run"] == {}


def test_a_leakage_search_that_was_not_made_is_not_said_to_have_found_nothing(tmp_path):
    write_report(judge_classes(), [], {"leakage_searched": False}, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "None found" not in text
    assert "not searched for" in text


def test_the_same_judgement_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        evaluation = judge_classes(baselines={"b": class_outputs(seed=4)})
        write_report(
            evaluation, evaluation.task.sections(evaluation, evaluation.facts), INFO, tmp_path / name
        )
    assert (tmp_path / "one/report.html").read_bytes() == (tmp_path / "two/report.html").read_bytes()


def test_an_undefined_metric_is_said_in_words(tmp_path):
    evaluation = judge_numbers({"target": np.ones(40), "prediction": np.zeros(40)})
    write_report(evaluation, evaluation.task.sections(evaluation, evaluation.facts), {}, tmp_path)
    assert strict(tmp_path / "report.json")["metrics"]["R2"]["value"] is None
    assert "not defined" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("data", "told"),
    [("/home/me/prices/town.csv", "town.csv"), ("/home/me/cells", "cells"), ("digits", "digits")],
)
def test_the_heading_names_the_data_and_the_details_say_where_they_are(data, told, tmp_path):
    evaluation = replace(judge_classes(), split=data)
    write_report(evaluation, [], {"pipeline": "vision/classify", "data": data}, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f'<span class="on">on {told}</span>' in text
    assert f"accuracy on {told}<br>" in text
    assert f"<dt>Data</dt><dd>{data}</dd>" in text


def test_lines_do_not_break_between_a_number_and_its_sign(tmp_path):
    evaluation = judge_classes(baselines={"b": class_outputs(seed=4)})
    write_report(evaluation, [], INFO, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "95\N{NO-BREAK SPACE}% interval" in text
    assert re.search(r"\d %", text) is None
    # Only the page: what machines read, and the terminal prints, has plain spaces.
    assert "95 % interval" in strict(tmp_path / "report.json")["verdict"]["sentence"]


def test_wide_tables_scroll_by_themselves_and_show_it(tmp_path):
    write_report(judge_classes(), [], {}, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("<table>") == text.count('<div class="scroll" tabindex="0" role="region"')
    (rule,) = re.findall(r"\n\.scroll \{(.*?)\}", text, re.DOTALL)
    assert "overflow-x: auto" in rule
    assert "no-repeat scroll" in rule


def test_units_are_counted(tmp_path):
    evaluation = judge_classes(units=np.arange(300) // 10, unit="patient")
    write_report(evaluation, [], {}, tmp_path)
    assert "300 samples of 30 patients" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert strict(tmp_path / "report.json")["interval"]["units"] == 30


@pytest.mark.parametrize(
    "cell",
    [3, 0.5, None, float("nan"), "93.1 %", "+8.3 to +9.5 points", "91.2 to 93.0 %", "-1.96", "2.3 to 2.4"],
)
def test_numbers_are_set_to_the_right(cell):
    assert is_number(cell)


@pytest.mark.parametrize("cell", ["cat", "3 cats", "to", "img_03.png"])
def test_words_are_not(cell):
    assert not is_number(cell)


def test_plain_values():
    given = {
        "array": np.array([1.0, np.inf]),
        "number": np.int64(3),
        "flag": np.ones(1, bool)[0],
        "finding": Finding("near duplicate", ("a", "b"), 1, "t"),
        "set": {1},
        "other": 3 + 4j,
    }
    found = plain(given)
    assert found["array"] == [1.0, None]
    assert found["number"] == 3
    assert found["flag"] is True
    assert found["finding"]["splits"] == ["a", "b"]
    assert found["set"] == [1]
    assert found["other"] == "(3+4j)"


def test_passages_are_shaded_by_weight_and_escaped(tmp_path):
    passage = Passage("why", (("so ", 0.0), (EVIL, 1.0), (" dull", -0.5), (" x", 0.01)))
    section = Section("Texts", passages=(passage,), key="texts")
    write_report(judge_classes(), [section], INFO, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    marks = [attributes for tag, attributes in page.tags if tag == "mark"]
    assert [mark["class"] for mark in marks] == ["for", "against"]
    assert [mark["style"] for mark in marks] == ["--strength: 60%", "--strength: 30%"]
    assert "<script>" not in text
    assert "so " in page.text
