"""What the core's own examples speak of: they name what is installed, so that each can be typed as it stands."""

from __future__ import annotations

import re

from fivefold.cli.examples import run_directory
from fivefold.cli.session import Session

_HELP = {"--help", "-h"}
_PLACE = re.compile(r"\b(PLUGIN|PIPELINE|DATASET|RUN)\b")


def with_specimens(text: str) -> str:
    """PLUGIN, PIPELINE, DATASET and RUN in an example, as names of the first pipeline there is.

    They stay where no help was asked for, which nobody sees, and where no pipeline is installed.
    """
    if not _PLACE.search(text) or not _HELP & set(Session.current.words):
        return text
    pipelines = Session.current.registry().pipelines
    if not pipelines:
        return text
    spec, owner = pipelines[min(pipelines)]
    names = {
        "PLUGIN": owner.plugin,
        "PIPELINE": spec.name,
        "DATASET": spec.example,
        "RUN": run_directory(spec),
    }
    return _PLACE.sub(lambda found: names[found[0]], text)
