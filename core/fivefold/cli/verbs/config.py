"""``fivefold <domain> <task> config``."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Callable
from typing import Annotated, Any

from cyclopts import Parameter

from fivefold.cli.output import emit
from fivefold.cli.verbs.parameters import ConfigFile, Json
from fivefold.cli.verbs.settings import Settings
from fivefold.config.files import to_yaml
from fivefold.plugins.spec import PipelineSpec

Schema = Annotated[
    bool, Parameter(negative="", show_default=False, help="The JSON schema of the settings instead.")
]


def config_verb(spec: PipelineSpec, settings: Settings) -> Callable[..., None]:
    """The command, with the pipeline's settings as options."""

    def config(
        *,
        schema: Schema = False,
        preset: Any = None,
        config: ConfigFile = None,
        json: Json = False,
        settings_typed: Any = None,
    ) -> None:
        """Print the settings as YAML, each with what it means; save it, change it, train with --config FILE.

        Shows what a training would run with: defaults, then the preset, the file, the options typed.
        """
        chosen = settings.resolve(preset, config, settings_typed)
        if schema:
            document = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **settings.model.model_json_schema(),
            }
            sys.stdout.write(json_module.dumps(document, indent=2, ensure_ascii=False) + "\n")
        elif json:
            emit({"pipeline": spec.name, "config": chosen.model_dump(mode="json")})
        else:
            sys.stdout.write(f"# Settings of {spec.name}.\n{to_yaml(chosen)}")

    config.__annotations__ |= {"preset": settings.preset, "settings_typed": settings.options}
    return config
