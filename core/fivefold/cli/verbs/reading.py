"""Options that say how other data are written than those of the training; `evaluate` and `predict` have them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from cyclopts import Group, Parameter

from fivefold.cli.options import options_type
from fivefold.plugins.spec import PipelineSpec
from fivefold.plugins.targets import load_config

GROUP = Group("Reading", help="As in training where not given.", sort_key=3)


def reading_options(spec: PipelineSpec, reserved: Collection[str]) -> Any:
    """Annotation of the parameter that takes the settings that a pipeline's ``Config.reading`` names, as options.

    Args:
        spec: the pipeline.
        reserved: names that the command has as options of its own.

    Raises:
        PluginError: one of them is not there, or has the name of another option.
    """
    config = load_config(spec)
    options: Any = options_type(config, reserved, only=config.reading)
    # A group without options would stand in the help with nothing in it.
    typed = Parameter(name="*", group=GROUP) if config.reading else Parameter(parse=False)
    return Annotated[options | None, typed]
