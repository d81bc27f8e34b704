"""Data are read once, and again only where a setting that shapes them changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.tuning.plants import SealedIris, plants
from fivefold.config import OptimizerConfig, PipelineConfig
from fivefold.tuning.data import SharedData, Watched
from fivefold.tuning.expressions import setting_names
from fivefold.tuning.space import with_values
from iris_pipeline import write_irises


class Config(PipelineConfig):
    width: int = 3
    hidden: int | None = None


def test_what_is_read_is_noted_by_name() -> None:
    seen: set[str] = set()
    config = Watched(Config(), seen)
    assert isinstance(config, PipelineConfig)
    assert isinstance(config.optimizer, OptimizerConfig)
    assert seen == set()
    assert (config.width, config.optimizer.lr) == (3, 1e-3)
    assert seen == {"width", "optimizer.lr"}
    config.optimizer.model_dump()
    assert {name for name in seen if name.startswith("optimizer.")} == {
        name for name in setting_names(Config) if name.startswith("optimizer.")
    }
    assert "hidden" not in seen
    assert config.samples_a_batch == 64
    assert seen == set(setting_names(Config))
    with pytest.raises(AttributeError, match="widht"):
        _ = config.widht


def test_settings_that_are_read_through_are_noted_each() -> None:
    seen: set[str] = set()
    config = Watched(Config(), seen)
    assert dict(config.optimizer) == dict(Config().optimizer)
    assert seen == {f"optimizer.{name}" for name in OptimizerConfig.model_fields}


def test_only_settings_that_shape_the_data_have_them_read_again(tmp_path: Path) -> None:
    source = write_irises(tmp_path / "irises.csv")
    SealedIris.reads = 0
    data = SharedData(SealedIris, str(source), plants(), strict=False)
    base = SealedIris.Config()
    first = data.prepared(base)
    for values in ({"hidden": 3}, {"optimizer.lr": 0.5}, {"batch_size": 2}, {"epochs": 9}):
        assert data.prepared(with_values(base, values)) is first
    assert SealedIris.reads == 1
    half = data.prepared(with_values(base, {"keep": 0.5, "hidden": 3}))
    assert (SealedIris.reads, len(half.train), len(first.train)) == (2, 60, 120)
    assert data.prepared(with_values(base, {"keep": 0.5})) is half
    assert data.prepared(base).sizes == first.sizes
    assert SealedIris.reads == 3
