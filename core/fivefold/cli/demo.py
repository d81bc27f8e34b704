"""``fivefold demo``: a small real job for every domain, from data to judged model, and a page with all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fivefold.cli.judgement import show_run
from fivefold.cli.output import emit, say
from fivefold.cli.session import Session, warn
from fivefold.cli.verbs.parameters import Json
from fivefold.cli.verbs.predict import show_records
from fivefold.errors import DependencyError, FivefoldError, Interrupted, PluginError
from fivefold.plugins.dependencies import check_dependencies
from fivefold.plugins.spec import Demo, PipelineSpec

if TYPE_CHECKING:
    from fivefold.demonstration import Shown

PAGE = "index.html"
"""Name of the page in the folder of the demonstration."""

FEW = 5
"""Predictions printed of each domain."""

Out = Annotated[Path, Parameter(help="Folder of the demonstration; an earlier one in it is replaced.")]
Domains = Annotated[str, Parameter(name="DOMAIN", help="Only these domains; all that are enabled without.")]


def demo(*domains: Domains, out: Out = Path("runs/demo"), json: Json = False) -> None:
    """Show what fivefold does: for each domain train on real data, judge, predict; then a page with all of them.

    Takes about a minute for each domain on two cores, and fetches about 30 MB once. A domain whose packages are
    missing is shown with the command that adds them.

    Example:
        fivefold demo
    """
    jobs = _jobs(domains)
    check_dependencies()
    shown, failed = [], []
    for number, (spec, job) in enumerate(jobs, 1):
        say(f"\n[{number} of {len(jobs)}] {spec.domain}: {spec.summary}", style="bold")
        try:
            shown.append(_one(spec, job, out, json=json))
        except Interrupted:
            raise
        except FivefoldError as error:
            shown.append(_without(spec, job, out, error))
            if not isinstance(error, DependencyError):
                failed.append(spec.domain)
    from fivefold.demonstration import write_page  # noqa: PLC0415 - help texts need no torch

    write_page(shown, out / PAGE)
    if json:
        emit({"page": out / PAGE, "domains": [_plain(one) for one in shown]})
    else:
        _conclude(shown, out / PAGE)
    if failed:
        raise PluginError(
            f"the demonstration of {', '.join(failed)} failed; the page and the lines above say why"
        )


def _jobs(domains: tuple[str, ...]) -> list[tuple[PipelineSpec, Demo]]:
    registry = Session.current.registry()
    jobs = [(spec, spec.demo) for spec, _ in registry.pipelines.values() if spec.demo is not None]
    unknown = set(domains) - {spec.domain for spec, _ in jobs}
    if unknown:
        there = ", ".join(spec.domain for spec, _ in jobs) or "none"
        raise PluginError(f"no demonstration of {', '.join(sorted(unknown))}; there are {there}")
    if not jobs:
        raise PluginError("no enabled plugin has a demonstration; see 'fivefold plugins list'")
    return [(spec, job) for spec, job in jobs if not domains or spec.domain in domains]


def _one(spec: PipelineSpec, job: Demo, out: Path, *, json: bool) -> Shown:
    """Run one job; prints each command, so that it can be typed again."""
    from fivefold.demonstration import demonstrate  # noqa: PLC0415 - help texts need no torch

    def tell(command: str) -> None:
        say(f"$ {command}", style="bold")

    shown = demonstrate(spec, job, out / spec.name.replace("/", "-"), Session.current.registry(), tell)
    if not json and shown.run is not None:
        show_run(shown.run, json=False)
        show_records(shown.records[:FEW])
        if len(shown.records) > FEW:
            say(f"... the first {FEW} of {len(shown.records):,} predictions")
    return shown


def _without(spec: PipelineSpec, job: Demo, out: Path, error: FivefoldError) -> Shown:
    from fivefold.demonstration import lacking  # noqa: PLC0415 - see above

    warn(str(error))
    return lacking(spec, job, out / spec.name.replace("/", "-"), str(error))


def _conclude(shown: list[Shown], page: Path) -> None:
    say("")
    for one in shown:
        if one.run is None:
            say(f"{one.spec.domain}: not shown: {one.lacking}", style="yellow")
        else:
            say(f"{one.spec.domain}: {one.run.info['headline']['sentence']} ({one.seconds:.0f} s)")
    say(f"\nAll of them on one page: {page.resolve()}", style="bold")


def _plain(one: Shown) -> dict[str, object]:
    if one.run is None:
        return {"domain": one.spec.domain, "pipeline": one.spec.name, "lacking": one.lacking}
    return {
        "domain": one.spec.domain,
        "pipeline": one.spec.name,
        "run": one.run.path,
        "headline": one.run.info["headline"],
        "seconds": round(one.seconds, 1),
    }
