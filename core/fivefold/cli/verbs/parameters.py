"""Parameters that several commands share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Data = Annotated[
    str,
    Parameter(name="DATA", help="A file, a folder, a dataset's name, or an address (fivefold data list)."),
]
RunDirectory = Annotated[Path, Parameter(name="RUN", help="Directory of a run (fivefold runs list).")]
ConfigFile = Annotated[Path | None, Parameter(help="A YAML file of settings; the command config writes one.")]
SettingsFile = Annotated[Path | None, Parameter(help="A YAML file of settings; they win over the preset's.")]
Device = Annotated[str, Parameter(help="auto, cpu, cuda or cuda:N.")]
Json = Annotated[bool, Parameter(negative="", help="Print one JSON object on stdout.", show_default=False)]
Strict = Annotated[
    bool, Parameter(negative="", show_default=False, help="Refuse data with leakage between the splits.")
]
