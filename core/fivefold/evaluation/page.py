"""``report.html``: the judgement as one page that loads nothing from outside and runs no script."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import PurePath
from typing import Any

import yaml

from fivefold.evaluation.curves import curves_section
from fivefold.evaluation.evaluation import Comparison, Evaluation
from fivefold.evaluation.figures import BLUE, GREY, canvas, finish, shortened
from fivefold.evaluation.judge import MOST_SEEN
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.section import Figure, Grid, Section
from fivefold.evaluation.verdict import overall

MARKS = {"beats": "good", "loses to": "bad", "no evidence that it beats": "open", None: "open"}
"""Verdict to the style of its banner."""

NUMBER = re.compile(
    r"[-+]?[\d.,]*([ ]?%| points)?( to [-+]?[\d.,]+([ ]%| points)?)?|\N{EN DASH}|not defined|not determined"
)
"""Cells that read as a number are set to the right."""

UNBREAKABLE = re.compile(r"(?<=\d) (?=%)")
"""Spaces at which a line must not end: ``95 %``."""

FAINTEST = 0.05
"""Pieces of a passage with less weight are not coloured."""

MOST_PROBLEMS = 200
"""Unreadable samples listed; report.json has all."""


def render(
    evaluation: Evaluation,
    sections: Sequence[Section],
    content: Mapping[str, Any],
    curves: Sequence[Mapping[str, Any]],
) -> str:
    """The page as HTML.

    Args:
        evaluation: the judgement.
        sections: the task's and the pipeline's.
        content: what `fivefold.evaluation.document.document` made of them.
        curves: records of metrics.jsonl.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - needed for reports only

    environment = Environment(
        loader=PackageLoader("fivefold.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "data_uri": data_uri,
        "cell": cell,
        "is_number": is_number,
        "paragraphs": paragraphs,
        "shade": shade,
    }
    judgement, sentence = overall(evaluation)
    training = curves_section(curves, evaluation.metrics)
    run = content["run"]
    page = environment.get_template("report.html.j2").render(
        data=named(evaluation.split if run.get("judged_elsewhere") else run.get("data") or ""),
        searched=searched(run),
        title=run.get("pipeline") or "Report",
        statement=run.get("statement") or "",
        cautions=[*_leaking(evaluation), *(run.get("cautions") or [])],
        evaluation=evaluation,
        notes=content["notes"],
        mark=MARKS[judgement],
        sentence=sentence,
        level=f"{100 * evaluation.level:g} %",
        headline=headline(evaluation),
        summary=summary(evaluation, content),
        metrics=metric_grid(evaluation, content["baselines"]),
        comparisons=comparison_grid(evaluation),
        tests=", ".join(names_of_tests(evaluation)),
        error=f"{100 * (1 - evaluation.level):g} %",
        forest=forest(evaluation),
        units=content["interval"]["units"],
        sections=[*([training] if training else []), *sections],
        problems=(run.get("problems") or [])[:MOST_PROBLEMS],
        problem_count=len(run.get("problems") or []),
        provenance=provenance(run),
        config=yaml.safe_dump(run["config"], sort_keys=False, allow_unicode=True)
        if run.get("config")
        else "",
    )
    return UNBREAKABLE.sub("\N{NO-BREAK SPACE}", page)


def named(source: str) -> str:
    """What a heading calls data: the name of a file or folder without its way, or what else the data are called."""
    return PurePath(source).name or source


def headline(evaluation: Evaluation) -> dict[str, str]:
    """Name, value and interval of the headline metric, as printed."""
    metric = evaluation.headline
    value, span = metric.told(evaluation.estimates[metric.name])
    return {
        "name": metric.name,
        "value": value,
        "interval": span,
        "split": named(evaluation.split),
    }


def summary(evaluation: Evaluation, content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was judged on what, in pairs of term and text."""
    run, interval = content["run"], content["interval"]
    elsewhere = run.get("judged_elsewhere", False)
    trained_on = [("Trained on" if elsewhere else "Data", run.get("data")), ("Split", run.get("split_how"))]
    if run.get("sizes"):
        sizes = ", ".join(f"{name} {_count(size)}" for name, size in run["sizes"].items())
        trained_on.append(("Samples", sizes))
    units = "" if evaluation.units is None else f" of {_plural(interval['units'], evaluation.unit_name)}"
    judged = f"{evaluation.split} ({_plural(content['samples'], 'sample')}{units})"
    judgement = [("Judged on", judged), ("Leakage", _leakage(evaluation, run))]
    rows = [*judgement, *trained_on] if elsewhere else [*trained_on, *judgement]
    if run.get("problems"):
        rows.append(("Unreadable", f"{_plural(len(run['problems']), 'sample')}, listed below"))
    rows += [("Licence of the data", run.get("licence")), ("Citation", run.get("citation"))]
    return [(term, str(text)) for term, text in rows if text]


def _count(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _plural(number: int, noun: str) -> str:
    return f"{_count(number)} {noun}{'' if number == 1 else 's'}"


def searched(run: Mapping[str, Any]) -> bool:
    """Whether leakage was looked for; only a run that says otherwise was not searched."""
    return run.get("leakage_searched", True) is not False


def _leaking(evaluation: Evaluation) -> list[str]:
    """A sentence for the top of the page where severe leakage concerns a good part of the data, or the future."""
    severe = [
        one
        for one in evaluation.findings
        if one.severe and (one.share >= MOST_SEEN or one.kind == "time overlap")
    ]
    if not severe:
        return []
    first = max(severe, key=lambda one: (one.splits[1] != "val", one.splits[0] == "train", one.share))
    more = len(severe) - 1
    others = f" {_plural(more, 'more severe finding')} below." if more else ""
    return [f"The numbers below may be too good, for there is leakage: {first.text}{others}"]


def _leakage(evaluation: Evaluation, run: Mapping[str, Any]) -> str:
    severe = [finding for finding in evaluation.findings if finding.severe]
    if severe:
        return f"{_plural(len(severe), 'severe finding')}, see below"
    if evaluation.findings:
        return "no severe finding; see below"
    return "none found" if searched(run) else "not searched for"


def metric_grid(evaluation: Evaluation, baselines: Mapping[str, Mapping[str, float | None]]) -> Grid:
    """Every metric with its interval, and the baselines' values beside it."""
    rows = []
    for metric in evaluation.metrics:
        better = {True: "higher", False: "lower", None: ""}[metric.higher_is_better]
        beside = [_value(metric, values.get(metric.name)) for values in baselines.values()]
        rows.append((metric.name, *metric.told(evaluation.estimates[metric.name]), *beside, better))
    head = ("Metric", "Model", f"{100 * evaluation.level:g} % interval", *baselines, "Better")
    return Grid(f"Judged on {named(evaluation.split)}", head, tuple(rows))


def _value(metric: Metric, value: float | None) -> str:
    return "–" if value is None else metric.format(value)  # noqa: RUF001 - a dash in a table


def comparison_grid(evaluation: Evaluation) -> Grid | None:
    """Paired differences to the baselines; None where there are none."""
    if not evaluation.comparisons:
        return None
    metrics = {metric.name: metric for metric in evaluation.metrics}
    tests = names_of_tests(evaluation)
    span = f"{100 * evaluation.level:g} % interval"
    return Grid(
        caption="Model minus baseline, on the same resamples",
        head=("Baseline", "Metric", "Difference", span, *tests, "Verdict"),
        rows=tuple(_comparison_row(one, metrics[one.metric], tests) for one in evaluation.comparisons),
    )


def names_of_tests(evaluation: Evaluation) -> tuple[str, ...]:
    """Names of the tests beside the intervals, each once; none for most tasks."""
    return tuple(dict.fromkeys(test.name for one in evaluation.comparisons for test in one.tests))


def _comparison_row(one: Comparison, metric: Metric, tests: Sequence[str]) -> tuple[str, ...]:
    results = {test.name: test.result() for test in one.tests}
    return (
        one.baseline,
        one.metric,
        *metric.told_difference(one.difference),
        *(results.get(name, "–") for name in tests),  # noqa: RUF001 - a dash in a table
        f"withheld: {one.withheld}" if one.withheld else one.verdict,
    )


def forest(evaluation: Evaluation) -> Figure | None:
    """The headline metric of model and baselines with intervals, on one axis; None without baselines."""
    metric = evaluation.headline
    rivals = [one for one in evaluation.comparisons if one.metric == metric.name]
    if not rivals:
        return None
    scale = 100 if metric.style == "percent" else 1
    rows = [
        ("the model", evaluation.estimates[metric.name]),
        *((one.baseline, one.reference) for one in rivals),
    ]
    with canvas(5.6, 0.9 + 0.4 * len(rows)) as drawn:
        axes = drawn.subplots()
        for place, (_, estimate) in enumerate(rows):
            ink = GREY if place else BLUE
            axes.plot([scale * estimate.low, scale * estimate.high], [place, place], color=ink, linewidth=2.5)
            axes.plot([scale * estimate.value], [place], "o" if not place else "D", color=ink, markersize=7)
        axes.set_yticks(range(len(rows)), [shortened(name, 40) for name, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(f"{metric.name} (%)" if metric.style == "percent" else metric.name)
        values = "; ".join(f"{name} {metric.format(estimate.value)}" for name, estimate in rows)
        return finish(
            drawn,
            caption=f"Model and baselines: {metric.name} with {100 * evaluation.level:g} % intervals.",
            alt=f"{metric.name}: {values}.",
        )


def provenance(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How the run came about, in pairs of term and text."""
    rows = [
        ("Command", run.get("command")),
        ("Started", run.get("started")),
        ("Took", _duration(run["seconds"]) if run.get("seconds") is not None else None),
        ("Device", run.get("device")),
        ("Hardware", _flat(run.get("hardware"))),
        ("Seed", run.get("seed")),
        ("Training", _flat(run.get("training"))),
        ("Versions", _flat(run.get("versions"))),
    ]
    return [(term, str(text)) for term, text in rows if text not in (None, "")]


def _flat(value: Any) -> str | None:
    """A mapping as ``name value, name value``."""
    if isinstance(value, Mapping):
        parts = [
            f"{str(key).replace('_', ' ')} {_flat(inner)}"
            for key, inner in value.items()
            if inner is not None
        ]
        return ", ".join(parts)
    if isinstance(value, float):
        return f"{value:.4g}"
    return None if value is None else str(value)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def data_uri(figure: Figure) -> str:
    """The picture inside its own address, so that the page needs no other file."""
    return f"data:image/{figure.kind};base64,{base64.b64encode(figure.image).decode()}"


def cell(value: Any) -> str:
    """A table's cell as text."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return "–"  # noqa: RUF001 - a dash in a table
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def is_number(value: Any) -> bool:
    """Whether a cell is set to the right, as numbers are."""
    return NUMBER.fullmatch(cell(value)) is not None


def paragraphs(text: str) -> list[str]:
    """Text split at blank lines."""
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def shade(weight: float) -> int:
    """How strongly a piece of a passage is coloured, in percent; 0 for one that spoke neither for nor against."""
    share = min(abs(weight), 1.0)
    return round(60 * share) if share >= FAINTEST else 0
