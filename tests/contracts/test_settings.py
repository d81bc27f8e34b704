"""Settings of every pipeline: what stands in them alone changes nothing else."""

from __future__ import annotations

import pytest

from fivefold.config.resolve import build_config
from fivefold.plugins.registry import load_registry
from fivefold.tuning.expressions import setting_names
from fivefold.tuning.space import value_of

PIPELINES = sorted(load_registry().pipelines)


def nested(name: str, value: object) -> dict[str, object]:
    for part in reversed(name.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("name", PIPELINES)
def test_a_setting_that_is_given_its_default_changes_no_other(name: str) -> None:
    pipeline = load_registry().pipeline_class(name)
    for preset in (None, *pipeline.presets):
        config = build_config(pipeline, preset=preset)
        assert config == (pipeline.presets[preset]() if preset else pipeline.Config())
        for setting in setting_names(pipeline.Config):
            given = nested(setting, value_of(config, setting))
            assert build_config(pipeline, preset=preset, overrides=given) == config, setting
