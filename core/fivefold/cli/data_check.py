"""``fivefold data check``: asks every pipeline, or lets one read the data with settings of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from fivefold.cli.again import options_again
from fivefold.cli.log import show_log
from fivefold.cli.output import emit, say
from fivefold.cli.session import Session
from fivefold.cli.verbs.parameters import ConfigFile, Data, Json
from fivefold.errors import DataError

OPTION = "--pipeline"
OWN = {"--json": False, "--strict": False, OPTION: True}
"""Options of this command that are not told again for a training, with whether they take a value."""

Named = Annotated[
    str | None,
    Parameter(
        name=OPTION,
        help="Ask this pipeline only, a DOMAIN/TASK; its settings, such as --columns.label, are then "
        "options of this command, too.",
    ),
]
Strict = Annotated[
    bool,
    Parameter(
        negative="", show_default=False, help="Exit with 2 where samples stand on both sides of a split."
    ),
]


def check_command(session: Session) -> Callable[..., int]:
    """The command, with the settings of the pipeline that the words name, if they name one.

    Raises:
        PluginError: there is no such pipeline, or it cannot be imported.
    """
    name = named_pipeline(session.words) if session.words[1:2] == ["check"] else None
    return check if name is None else check_with_settings(name, session)


def named_pipeline(words: Sequence[str]) -> str | None:
    """What stands behind ``--pipeline``."""
    for word, after in zip(words, [*words[1:], None], strict=True):
        if word == OPTION:
            return after
        if word.startswith(f"{OPTION}="):
            return word.removeprefix(f"{OPTION}=")
    return None


def check(data: Data, /, *, pipeline: Named = None, strict: Strict = False, json: Json = False) -> int:  # noqa: ARG001 - see check_command
    """Say what data are, which pipelines read them, what is wrong with them, and what to type next.

    Reads them with every pipeline that recognises them, splits them as a training would, tells what it would tell,
    and looks for samples that stand on both sides. Exits with 2 where something is wrong.

    With --pipeline, one pipeline reads them, and its settings can be given as for its command train.

    Example:
        fivefold data check DATASET
        fivefold data check DATASET --pipeline PIPELINE
    """
    from fivefold.cli.check import check_data  # noqa: PLC0415 - imports torch

    show_log()
    return _tell(check_data(data, Session.current.registry()), strict=strict, json=json)


def check_with_settings(name: str, session: Session) -> Callable[..., int]:
    """The command for one pipeline, with its settings as options."""
    from fivefold.cli.verbs.settings import Settings  # noqa: PLC0415 - not every command needs settings

    spec = session.registry().pipeline_spec(name)
    settings = Settings.of(spec)

    def check_one(
        data: Data,
        /,
        *,
        pipeline: Named = None,  # noqa: ARG001 - the words named it already
        preset: Any = None,
        config: ConfigFile = None,
        strict: Strict = False,
        json: Json = False,
        settings_typed: Any = None,
    ) -> int:
        chosen = settings.resolve(preset, config, settings_typed)
        show_log()
        from fivefold.cli.check import check_with  # noqa: PLC0415 - imports torch

        words = options_again(session.words[2:], data, OWN)
        return _tell(check_with(data, spec, chosen, words, session.registry()), strict=strict, json=json)

    check_one.__doc__ = check.__doc__
    check_one.__annotations__ |= {"preset": settings.preset, "settings_typed": settings.options}
    return check_one


def _tell(checked: Any, *, strict: bool, json: bool) -> int:
    """Show what was found.

    Raises:
        DataError: no pipeline recognises the data.
    """
    from fivefold.cli.check import show_check  # noqa: PLC0415 - imports torch
    from fivefold.cli.misses import in_a_line  # noqa: PLC0415 - imports torch

    if not checked.readers:
        for miss in checked.misses:
            say(in_a_line(miss, checked.path))
        asked = ", ".join(sorted(miss.pipeline for miss in checked.misses)) or "none is installed"
        raise DataError(
            f"{checked.path}: no pipeline recognises it (asked: {asked}); where one should, name it by --pipeline, and "
            f"its settings, such as --columns.label: fivefold data check {checked.data} --pipeline NAME"
        )
    wrong = all(one.error for one in checked.readers)
    leaking = any(finding.severe for one in checked.readers for finding in one.findings)
    if json:
        emit(checked.describe())
    else:
        show_check(checked)
    return 2 if wrong or (strict and leaking) else 0
