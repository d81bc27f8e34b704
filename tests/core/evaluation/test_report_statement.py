"""What every page of a report says, and what stands at its top."""

from __future__ import annotations

import json
import re
import sys

import pytest

from browser import BROWSER
from fivefold.cli.judgement import show_report
from fivefold.evaluation.report import write_report
from fivefold.pipeline import Pipeline
from fivefold.workflow import evaluate, train
from iris_pipeline import SPEC, Iris, IrisRegistry, registry, write_irises

from .judged import judge_classes
from .printing import printed
from .test_report import Page

STATEMENT = "Research use, not a medical device; see <terms> & conditions."
CAUTIONS = ["Only 12 patients.", "Two sites <together>."]


def written(directory, **info):
    write_report(judge_classes(), [], info, directory)
    return (directory / "report.html").read_text(encoding="utf-8")


def elements(text, tag, style):
    """The inner text of elements with that class, as a reader sees it."""
    found = re.findall(rf'<{tag} class="{style}"[^>]*>(.*?)</{tag}>', text, re.DOTALL)
    return ["".join(Page(inner).text) for inner in found]


def test_the_statement_stands_in_the_header_and_at_the_foot(tmp_path):
    text = written(tmp_path, statement=STATEMENT)
    assert elements(text, "p", "statement") == [STATEMENT]
    assert elements(text, "footer", "every-page") == [STATEMENT]
    header, main_, footer = text.index("<header>"), text.index("<main>"), text.index("<footer")
    assert header < text.index(">Research use") < main_ < text.index("</main>") < footer
    assert "<terms>" not in text


def test_cautions_stand_first_in_the_order_given(tmp_path):
    text = written(tmp_path, cautions=CAUTIONS)
    assert elements(text, "p", "caution") == CAUTIONS
    assert text.index("<main>") < text.index('class="caution"') < text.index('class="verdict')
    assert "<together>" not in text


def test_both_stand_in_the_json(tmp_path):
    written(tmp_path, statement=STATEMENT, cautions=CAUTIONS)
    run = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["run"]
    assert run == {"statement": STATEMENT, "cautions": CAUTIONS}


@pytest.mark.parametrize("info", [{}, {"statement": "", "cautions": []}])
def test_a_report_without_has_no_place_for_them(tmp_path, info):
    page = Page(written(tmp_path, **info))
    assert page.all("footer") == []
    styles = {attributes.get("class") for _, attributes in page.tags}
    assert not {"statement", "caution", "every-page", "stated"} & styles


# From the pipeline to the report


class Stating(Iris):
    """Irises, with a statement and cautions."""

    statement = STATEMENT

    def cautions(self, data):
        return [f"There are {len(data.classes)} kinds only."]


class StatingRegistry(IrisRegistry):
    """A registry with that pipeline alone."""

    def pipeline_class(self, name):
        self.pipeline_spec(name)
        return Stating


def reported(directory):
    return json.loads((directory / "report.json").read_text(encoding="utf-8"))["run"]


def test_a_pipeline_s_own_stand_in_every_report_of_its_runs(tmp_path):
    source = write_irises(tmp_path / "irises.csv")
    stating = StatingRegistry(pipelines=registry().pipelines)
    run = train(SPEC, str(source), Stating.Config(epochs=1), out=tmp_path / "run", registry=stating)
    other = write_irises(tmp_path / "other.csv", slice(0, 150, 3))
    _, directory = evaluate(run, str(other), registry=stating)
    for place in (run.path, directory):
        assert reported(place)["statement"] == STATEMENT
        assert reported(place)["cautions"][-1] == "There are 3 kinds only."
        text = (place / "report.html").read_text(encoding="utf-8")
        assert elements(text, "footer", "every-page") == [STATEMENT]
        told = elements(text, "p", "caution")
        assert told[-len(reported(place)["cautions"]) :] == reported(place)["cautions"]
        assert any(one.startswith("The numbers below may be too good") for one in told) is (
            place == directory
        )
    evaluate(run, registry=registry())  # the plain pipeline has neither
    assert reported(run.path)["statement"] == ""
    assert not any("kinds only" in caution for caution in reported(run.path)["cautions"])
    assert "every-page" not in re.sub(
        r"<style>.*?</style>", "", (run.path / "report.html").read_text(), flags=re.DOTALL
    )


def test_a_pipeline_has_none_unless_it_says_so():
    assert Pipeline.statement == ""
    assert list(Iris().cautions(None)) == []


# On the command line


def test_the_command_line_says_both(tmp_path, capsys):
    written(tmp_path, statement=STATEMENT, cautions=CAUTIONS)
    show_report(json.loads((tmp_path / "report.json").read_text(encoding="utf-8")), tmp_path)
    said = capsys.readouterr().err
    first, second = (said.index(f"Note: {caution}") for caution in CAUTIONS)
    assert first < second < said.index("Report:")
    assert " ".join(said.split()).endswith(STATEMENT)


@pytest.mark.parametrize("info", [{}, {"statement": "", "cautions": []}])
def test_the_command_line_says_nothing_where_there_is_neither(tmp_path, capsys, info):
    written(tmp_path, **info)
    show_report(json.loads((tmp_path / "report.json").read_text(encoding="utf-8")), tmp_path)
    said = capsys.readouterr().err
    assert "Note: " not in said
    assert said.rstrip().endswith("report.html")


# On paper


@pytest.mark.skipif(BROWSER is None or sys.platform != "linux", reason="needs Chromium, to print with")
def test_the_statement_is_printed_on_every_page_clear_of_the_text(tmp_path):
    statement = "Research use, not a medical device."
    problems = [{"sample": f"sample {row}", "reason": "cut off"} for row in range(120)]
    written(
        tmp_path, statement=statement, problems=problems, config={f"key {row}": row for row in range(150)}
    )
    pages = printed(tmp_path / "report.html")
    assert len(pages) > 4
    for lines in pages:
        (height,) = [height for height, text in lines[-1:] if text == statement]
        assert min(other - height for other, _ in lines[:-1]) > 15  # a line's height at least
    assert sum(text == statement for lines in pages for _, text in lines) == len(pages) + 1  # and the header
    assert {round(lines[-1][0]) for lines in pages[:-1]} == {round(pages[0][-1][0])}
