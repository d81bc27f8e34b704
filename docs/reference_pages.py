"""Pages of the reference that the program writes about itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

PIPELINE_VERBS = ("train", "evaluate", "predict", "tune", "find-lr", "config")
CORE_COMMANDS = (
    (),
    ("data", "list"),
    ("data", "info"),
    ("data", "get"),
    ("data", "check"),
    ("plugins", "list"),
    ("plugins", "enable"),
    ("plugins", "disable"),
    ("plugins", "doctor"),
    ("runs", "list"),
    ("runs", "show"),
    ("runs", "compare"),
    ("runs", "clean"),
    ("demo",),
)


def write_commands(page: Path, run_help: Callable[..., str]) -> None:
    """Every command's help text, as the command prints it."""
    from fivefold.plugins.registry import load_registry

    commands = list(CORE_COMMANDS)
    registry = load_registry()
    for name in registry.pipelines:
        commands += [(*name.split("/"), verb) for verb in PIPELINE_VERBS]
    commands += [tuple(name.split("/")) for name in registry.commands]
    parts = ["# Commands", "What `--help` prints, command by command."]
    for words in commands:
        title = " ".join(("fivefold", *words))
        parts.append(f"## `{title}`\n\n```text\n{run_help(*words).strip()}\n```")
    write_if_changed(page, "\n\n".join(parts) + "\n")


def write_settings(page: Path) -> None:
    """Every setting, from the same models that make the options: of all pipelines, shared ones, and of each."""
    from fivefold.config import PipelineConfig
    from fivefold.plugins.registry import load_registry

    registry = load_registry()
    of_all = set(PipelineConfig.model_fields)
    own = {
        name: [
            row
            for row in setting_rows(registry.pipeline_class(name).Config())
            if row[0].split(".")[0] not in of_all
        ]
        for name in registry.pipelines
    }
    parts = [
        "# Settings",
        "The same names work as options (`--optimizer.lr`), in YAML and from Python. Repeat an option to give a list.",
        "## Of every pipeline",
        _table(("setting", "default", "what it does"), setting_rows(PipelineConfig())),
        "## Names that several pipelines share",
        "What has the same name means the same thing.",
        _table(("setting", "pipelines"), _shared(own)),
    ]
    for name, rows in own.items():
        parts.append(f"## `{name}`\n\n" + _table(("setting", "default", "what it does"), rows))
    write_if_changed(page, "\n\n".join(parts) + "\n")


def _shared(own: dict[str, list[tuple[str, str, str]]]) -> list[tuple[str, str]]:
    users: dict[str, list[str]] = {}
    for pipeline, rows in own.items():
        for setting, _, _ in rows:
            users.setdefault(setting, []).append(pipeline)
    return [(setting, ", ".join(names)) for setting, names in sorted(users.items()) if len(names) > 1]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| `{row[0]}` | {' | '.join(row[1:])} |" for row in rows]
    return "\n".join(lines)


def setting_rows(defaults: Any, prefix: str = "") -> list[tuple[str, str, str]]:
    """Name, default and description of each setting of a configuration, nested ones flattened to dotted names."""
    rows = []
    for name, field in type(defaults).model_fields.items():
        default = getattr(defaults, name)
        if hasattr(field.annotation, "model_fields"):
            rows += setting_rows(default, f"{prefix}{name}.")
            continue
        description = (field.description or "").replace("\n", " ").replace("|", "\\|")
        rows.append((f"{prefix}{name}", f"`{default}`", description))
    return rows


def write_if_changed(page: Path, text: str) -> None:
    """Leave an unchanged page alone, so that incremental builds stay incremental."""
    if not page.is_file() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")
