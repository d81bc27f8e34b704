"""Settings: pydantic models that become options, a YAML file and a JSON schema, from one source.

`models` holds the settings, `resolve` puts defaults, preset, file and options together, `files` reads and
writes YAML, `sentences` says what is wrong with a setting.
"""

from fivefold.config.models import (
    EvaluationConfig,
    NoOptions,
    OptimizerConfig,
    PipelineConfig,
    ScheduleConfig,
    StrictModel,
    TrainerConfig,
)
from fivefold.config.resolve import Presets, build_config, resolve

__all__ = [
    "EvaluationConfig",
    "NoOptions",
    "OptimizerConfig",
    "PipelineConfig",
    "Presets",
    "ScheduleConfig",
    "StrictModel",
    "TrainerConfig",
    "build_config",
    "resolve",
]
