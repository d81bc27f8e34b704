"""Building the command line from the registry: only what the words typed need is imported."""

from __future__ import annotations

from difflib import get_close_matches

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from fivefold.cli.examples import train_example
from fivefold.cli.root_help import COMMANDS
from fivefold.cli.session import Session
from fivefold.cli.taught import add, examples
from fivefold.cli.usage import usage_sentence
from fivefold.errors import ConfigError
from fivefold.plugins.registry import Registry
from fivefold.plugins.spec import CommandSpec, PipelineSpec
from fivefold.plugins.targets import load_command


def execute(session: Session) -> int:
    """Run the command that was typed.

    Raises:
        FivefoldError: the words make no command, or the command failed.
    """
    root = App(
        name="fivefold",
        version=_version,
        help_format="plaintext",
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    first = session.words[0]
    if first == "demo":
        from fivefold.cli.demo import demo  # noqa: PLC0415 - imports rich

        add(root, demo, "demo", example="fivefold demo")
    elif first == "data":
        from fivefold.cli.data import data_app  # noqa: PLC0415 - imports rich

        root.command(data_app(session))
    elif first == "plugins":
        from fivefold.cli.plugins import plugins_app  # noqa: PLC0415 - imports rich

        root.command(plugins_app())
    elif first == "runs":
        from fivefold.cli.runs import runs_app  # noqa: PLC0415 - imports rich

        root.command(runs_app())
    elif first in session.registry().domains:
        root.command(domain_app(session.registry(), first, session.words[1:3]))
    else:
        refuse(session.registry(), first)
    try:
        code = root(session.words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise ConfigError(usage_sentence(error)) from error
    return code if isinstance(code, int) else 0


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - only --version needs it

    return version("fivefold")


def refuse(registry: Registry, word: str) -> None:
    """Say that there is no such command or domain.

    Raises:
        FivefoldError: always.
    """
    registry.refuse_unusable(word)
    known = [*registry.domains, *COMMANDS]
    close = get_close_matches(word, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
    kind = "option" if word.startswith("-") else "command"
    raise ConfigError(f"unknown {kind} '{word}'; {hint}")


def domain_app(registry: Registry, domain: str, words: list[str]) -> App:
    """The commands of a domain; those of the task that was typed are built whole."""
    specs = [spec for spec, _ in registry.pipelines.values() if spec.domain == domain]
    app = App(name=domain, help=_domain_help(registry, domain), help_epilogue=_example(specs))
    for spec in sorted(specs, key=lambda spec: spec.name):
        task = App(name=spec.task, help=f"{spec.summary}.", help_epilogue=_example([spec]))
        if words[:1] == [spec.task]:
            from fivefold.cli.verbs import add_verbs  # noqa: PLC0415 - imports rich and pydantic

            add_verbs(task, spec, words[1] if len(words) > 1 else "")
        app.command(task)
    for command, _ in registry.commands.values():
        if command.domain == domain:
            _add_command(app, command, words)
    return app


def _add_command(app: App, command: CommandSpec, words: list[str]) -> None:
    """A command of the domain's own; imported only where it was typed."""
    if words[:1] == [command.command]:
        loaded = load_command(command)
        if isinstance(loaded, App):
            app.command(loaded, name=command.command)
        else:
            add(app, loaded, command.command)
    else:
        app.command(command.target, name=command.command, help=command.summary)


def _example(specs: list[PipelineSpec]) -> str | None:
    """The first command to try, for the end of a help text."""
    return examples([train_example(specs[0])]) if specs else None


def _domain_help(registry: Registry, domain: str) -> str:
    owners = {str(owner) for spec, owner in registry.pipelines.values() if spec.domain == domain}
    return f"Pipelines of {', '.join(sorted(owners))}." if owners else f"Commands of {domain}."
