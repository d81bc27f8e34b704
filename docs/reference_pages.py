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
    ("demo",),
)


def write_commands(page: Path, run_help: Callable[..., str]) -> None:
    """Every command's help text, as the command prints it."""
    from fivefold.plugins.registry import load_registry

    commands = list(CORE_COMMANDS)
    for name in load_registry().pipelines:
        commands += [(*name.split("/"), verb) for verb in PIPELINE_VERBS]
    parts = ["# Commands", "What `--help` prints, command by command."]
    for words in commands:
        title = " ".join(("fivefold", *words))
        parts.append(f"## `{title}`\n\n```text\n{run_help(*words).strip()}\n```")
    write_if_changed(page, "\n\n".join(parts) + "\n")


def write_settings(page: Path) -> None:
    """Every setting of every pipeline, from the same models that make the options."""
    from fivefold.plugins.registry import load_registry

    registry = load_registry()
    parts = ["# Settings", "One table a pipeline. The same names work as options, in YAML, and from Python."]
    for name in registry.pipelines:
        rows = ["| setting | default | what it does |", "|---|---|---|"]
        rows += setting_rows(registry.pipeline_class(name).Config)
        parts.append(f"## `{name}`\n\n" + "\n".join(rows))
    write_if_changed(page, "\n\n".join(parts) + "\n")


def setting_rows(model: Any, prefix: str = "") -> list[str]:
    """Table rows for a settings model, nested models flattened to dotted names."""
    rows = []
    for name, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            rows += setting_rows(field.annotation, f"{prefix}{name}.")
            continue
        description = (field.description or "").replace("\n", " ").replace("|", "\\|")
        rows.append(f"| `{prefix}{name}` | `{field.default}` | {description} |")
    return rows


def write_if_changed(page: Path, text: str) -> None:
    """Leave an unchanged page alone, so that incremental builds stay incremental."""
    if not page.is_file() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")
