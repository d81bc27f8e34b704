from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import pytest
import yaml
from pydantic import Field, model_validator

from fivefold.config import OptimizerConfig, PipelineConfig, StrictModel, TrainerConfig, resolve
from fivefold.config.files import LARGEST, read_yaml, to_yaml
from fivefold.config.overlay import overlay
from fivefold.errors import ConfigError


class Small(StrictModel):
    """A little network."""

    kind: Literal["small"] = "small"
    width: int = 8


class Large(StrictModel):
    """A big one."""

    kind: Literal["large"] = "large"
    depth: int = 3


class Config(PipelineConfig):
    """Settings for these tests."""

    stations: list[str] = Field([])
    """Where it rains."""
    network: Small | Large = Field(Small(), discriminator="kind")
    limit: float | None = None

    @model_validator(mode="after")
    def _limit(self) -> Self:
        if self.limit is not None and self.epochs > self.limit:
            raise ValueError(f"'epochs' must not be above 'limit', {self.limit}")
        return self


class Needy(PipelineConfig):
    """A setting without a default."""

    column: str


class Other(PipelineConfig):
    """Settings of another pipeline."""

    limit: str


def best() -> Config:
    """Takes long."""
    return Config(epochs=50, optimizer=OptimizerConfig(lr=0.1), trainer=TrainerConfig(ema=0.99))


PRESETS = {"best": best}


def test_later_layers_win(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("epochs: 7\noptimizer:\n  lr: 1e-2\n  momentum: 0.5\n", encoding="utf-8")
    options = {"optimizer": {"momentum": 0.8}}
    config = resolve(Config, presets=PRESETS, preset="best", file=file, options=options)
    assert config.epochs == 7
    assert config.optimizer == OptimizerConfig(lr=0.01, momentum=0.8)
    assert config.trainer.ema == 0.99
    assert config.batch_size == PipelineConfig().batch_size
    assert resolve(Config) == Config()


class Pair(StrictModel):
    first: OptimizerConfig = OptimizerConfig(lr=2e-4, momentum=0.5)
    second: OptimizerConfig = OptimizerConfig()


class Trained(PipelineConfig):
    optimizer: OptimizerConfig = OptimizerConfig(lr=3e-3, clip_norm=1.0)
    pair: Pair = Pair(second=OptimizerConfig(beta2=0.9))
    network: Small | Large = Field(Small(width=4), discriminator="kind")


def test_a_group_given_in_part_keeps_the_rest_of_its_default() -> None:
    config = resolve(Trained, options={"optimizer": {"momentum": 0.8}, "pair": {"first": {"lr": 0.1}}})
    assert config.optimizer == OptimizerConfig(lr=3e-3, clip_norm=1.0, momentum=0.8)
    assert config.pair.first == OptimizerConfig(lr=0.1, momentum=0.5)
    assert config.pair.second == OptimizerConfig(beta2=0.9)
    assert Trained.model_validate({"optimizer": {"clip_norm": None}}).optimizer == OptimizerConfig(lr=3e-3)
    assert resolve(Trained, options={"network": {"kind": "large"}}).network == Large()


def test_a_group_that_a_preset_or_a_program_gives_whole_is_as_it_says() -> None:
    presets = {
        "own": lambda: Trained(optimizer=OptimizerConfig(momentum=0.8), pair=Pair(first=OptimizerConfig())),
        "other": lambda: Trained(trainer=TrainerConfig(ema=0.99)),
    }
    for name, preset in presets.items():
        assert resolve(Trained, presets=presets, preset=name) == preset()
    assert Trained(optimizer=OptimizerConfig(momentum=0.8)).optimizer.lr == OptimizerConfig().lr


def test_settings_that_were_written_out_come_back_the_same() -> None:
    config = Trained(optimizer=OptimizerConfig(), pair=Pair(first=OptimizerConfig(lr=0.3)))
    assert Trained.model_validate(config.model_dump()) == config


def test_a_preset_of_another_kind_says_which_of_its_settings_is_in_the_way() -> None:
    presets = {"narrow": lambda: Config(network=Small(width=4))}
    with pytest.raises(ConfigError, match=r"^preset 'narrow', key 'network.large.width': unknown key"):
        resolve(Config, presets=presets, preset="narrow", options={"network": {"kind": "large"}})


def test_mappings_merge_and_lists_replace() -> None:
    below = {"a": {"b": 1, "c": [1, 2]}, "d": 3}
    assert overlay(below, {"a": {"c": [9]}, "d": {"e": 1}}) == {"a": {"b": 1, "c": [9]}, "d": {"e": 1}}
    assert below == {"a": {"b": 1, "c": [1, 2]}, "d": 3}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimizer": {"lrr": 1}}, r"^option --optimizer.lrr: unknown key; did you mean 'lr'\?$"),
        ({"zzz": 1}, r"^option --zzz: unknown key; there are seed, epochs, .*network, limit$"),
        ({"epochs": 0}, r"^option --epochs: expected a number greater than or equal to 1, found 0$"),
        ({"epochs": "many"}, r"^option --epochs: expected integer, found 'many'$"),
        (
            {"optimizer": {"weight_decay": -1}},
            r"^option --optimizer.weight-decay: expected a number greater than or equal to 0, found -1$",
        ),
        (
            {"optimizer": {"name": "sdg"}},
            r"^option --optimizer.name: expected 'adamw', 'sgd' or 'muon', found 'sdg'$",
        ),
        ({"network": {"kind": "large", "wdth": 3}}, r"network.large.wdth: unknown key"),
        ({"network": {"kind": "huge"}}, r"^option --network: .*'huge'"),
        ({"stations": ["a", 3]}, r"^option --stations.1: expected string, found 3$"),
        ({"limit": 3, "epochs": 4}, r"^settings: 'epochs' must not be above 'limit', 3.0$"),
        ({"epochs": 0, "batch_size": 0}, r"\(and 1 more\)$"),
        ({"optimizer": 3}, r"^option --optimizer: expected .*dictionary.*, found 3$"),
    ],
)
def test_wrong_settings_are_named_with_what_was_expected(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve(Config, options=options)


def test_the_sentence_says_where_a_setting_stands(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("optimizer:\n  lr: -1\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"settings.yaml, key 'optimizer.lr': expected a number greater than 0, found -1$"
    ):
        resolve(Config, file=file, options={"epochs": 3})
    with pytest.raises(ConfigError, match=r"^preset 'odd', key 'limit': "):
        resolve(Config, presets={"odd": lambda: Other(limit="x")}, preset="odd")
    with pytest.raises(ConfigError, match=r"^setting 'column': missing; give it a value$"):
        resolve(Needy)


def test_unknown_presets_name_the_known() -> None:
    with pytest.raises(
        ConfigError, match=r"^preset 'bst' is unknown, expected one of best; did you mean 'best'\?$"
    ):
        resolve(Config, presets=PRESETS, preset="bst")
    with pytest.raises(ConfigError, match="this pipeline has no presets"):
        resolve(Config, preset="best")


def test_yaml_explains_and_reads_back(tmp_path: Path) -> None:
    config = best()
    text = to_yaml(config)
    assert "# Where it rains.\nstations: []\n" in text
    assert "optimizer:\n  # Update rule.\n  name: adamw\n" in text
    assert yaml.safe_load(text) == config.model_dump(mode="json")
    file = tmp_path / "settings.yaml"
    file.write_text(text, encoding="utf-8")
    assert resolve(Config, file=file) == config


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"epochs: 3\nepochs: 4\n", "line 2: not valid YAML .the key 'epochs' stands twice"),
        (b"epochs: [3\n", "line 2: not valid YAML"),
        (b"- 1\n", "holds a list, expected settings"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (b"a: !!python/object/apply:os.system [ls]\n", "not valid YAML"),
        (b"#" * (LARGEST + 1), "expected a settings file of at most"),
    ],
)
def test_files_that_are_no_settings_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        read_yaml(file)


def test_a_missing_file_is_named_and_an_empty_one_sets_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.yaml: cannot be read \(No such file"):
        read_yaml(tmp_path / "nowhere.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n", encoding="utf-8")
    assert read_yaml(tmp_path / "empty.yaml") == {}
