"""Which plugins are enabled: the user's ``fivefold.toml``, the project's, and ``FIVEFOLD_PLUGINS``.

    [plugins]
    weather = false

The project's file is the nearest ``fivefold.toml`` at or above the working directory; it overrides the
user's. ``FIVEFOLD_PLUGINS=weather,tides`` overrides both and means only those; empty (or ``--no-plugins``) means
none.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from fivefold.errors import ConfigError, PluginError

FILE = "fivefold.toml"
VARIABLE = "FIVEFOLD_PLUGINS"


@dataclass(frozen=True)
class Selection:
    """Plugins that are not to be imported: name to the setting that says so."""

    disabled: dict[str, str]


def user_file() -> Path:
    """The user's settings file, whether it exists or not."""
    import platformdirs  # noqa: PLC0415 - not needed where the variable decides

    return platformdirs.user_config_path("fivefold", appauthor=False) / FILE


def project_file() -> Path:
    """The nearest ``fivefold.toml`` at or above the working directory; a new one belongs into the latter."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    return here / FILE


def selection(installed: Sequence[str]) -> Selection:
    """Which of the ``installed`` plugins are disabled, and by what.

    Raises:
        ConfigError: a settings file cannot be read, or ``FIVEFOLD_PLUGINS`` names a plugin that is not there.
    """
    only = os.environ.get(VARIABLE)
    if only is not None:
        wanted = [name.strip() for name in only.split(",") if name.strip()]
        for name in wanted:
            if name not in installed:
                raise ConfigError(f"{VARIABLE}={only}: {unknown(name, installed)}")
        reason = f"not in {VARIABLE}={only}" if wanted else "plugins are switched off for this command"
        return Selection({name: reason for name in installed if name not in wanted})
    disabled: dict[str, str] = {}
    for path in (user_file(), project_file()):
        for name, enabled in read_switches(path).items():
            disabled.pop(name, None)
            if not enabled:
                disabled[name] = f"{path} says so; run 'fivefold plugins enable {name}'"
    return Selection(disabled)


def unknown(name: str, installed: Sequence[str]) -> str:
    """The part of a sentence that says that a plugin is not installed."""
    close = get_close_matches(name, installed, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"installed are {', '.join(installed) or 'none'}"
    return f"no plugin '{name}' is installed; {hint}"


def read_switches(path: Path) -> dict[str, bool]:
    """The table ``[plugins]`` of a settings file; empty where there is no file or no such table.

    Raises:
        ConfigError: the file cannot be read, or the table holds something else than true and false.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); expected a TOML file of settings"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML ({error}); correct it or delete the file") from error
    table = content.get("plugins", {})
    if not isinstance(table, dict):
        raise ConfigError(
            f"{path}: 'plugins' is {table!r}, expected a table [plugins] with lines such as weather = false"
        )
    for name, enabled in table.items():
        if not isinstance(enabled, bool):
            raise ConfigError(f"{path}, key 'plugins.{name}': expected true or false, found {enabled!r}")
    return table


def write_switch(path: Path, name: str, *, enabled: bool, installed: Sequence[str]) -> None:
    """Enable or disable a plugin in a settings file, whose comments and other settings stay.

    Raises:
        PluginError: no such plugin is installed.
        ConfigError: the file cannot be read or written.
    """
    import tomlkit  # noqa: PLC0415 - only writing needs it
    import tomlkit.items  # noqa: PLC0415 - imported where it is used

    if name not in installed:
        raise PluginError(unknown(name, installed))
    read_switches(path)
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    table = document.setdefault("plugins", tomlkit.table())
    table[name] = enabled
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(tomlkit.dumps(document), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); check its folder") from error
