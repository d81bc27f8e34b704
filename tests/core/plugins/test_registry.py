from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fivefold.errors import DataError, DependencyError, PluginError, RunError
from fivefold.plugins.registry import Registry, load_registry
from fivefold.plugins.spec import CommandSpec, PipelineSpec
from fivefold.plugins.targets import load_command, load_config, load_pipeline, load_presets, load_target
from fivefold.runs import Run
from stub_plugins import FIRST, FIRST_PIPELINE, needs, pipelines, write_plugin


def test_a_disabled_plugin_is_never_imported(site: Path) -> None:
    write_plugin(site, "quiet", "raise SystemExit('imported')\n")
    Path("fivefold.toml").write_text("[plugins]\nquiet = false\n", encoding="utf-8")
    registry = load_registry()
    assert "stub_quiet" not in sys.modules
    assert [disabled.owner.plugin for disabled in registry.disabled] == ["quiet"]
    assert registry.broken == []
    with pytest.raises(
        PluginError, match=r"'quiet' cannot be used: plugin 'quiet' of fivefold-quiet 1.0 is disabled"
    ):
        registry.pipeline_spec("quiet/task")


@needs("vision")
def test_names_are_looked_up_with_close_matches() -> None:
    registry = load_registry()
    assert registry.pipeline_spec(FIRST_PIPELINE).name == FIRST_PIPELINE
    assert registry.dataset_spec("digits") in registry.dataset_specs
    assert FIRST in registry.domains
    with pytest.raises(
        PluginError, match=f"no pipeline '{FIRST_PIPELINE}s' is installed; did you mean '{FIRST_PIPELINE}'"
    ):
        registry.pipeline_class(f"{FIRST_PIPELINE}s")
    with pytest.raises(PluginError, match="there are none"):
        Registry().owner(FIRST_PIPELINE)
    with pytest.raises(DataError, match="no dataset 'digit' is known; did you mean 'digits'"):
        registry.dataset_spec("digit")


def test_callbacks_come_from_every_plugin_that_works(site: Path) -> None:
    write_plugin(
        site,
        "listens",
        """
        from fivefold.training.callback import Callback

        @hookimpl
        def fivefold_callbacks():
            return [Callback()]
        """,
    )
    write_plugin(site, "stumbles", "@hookimpl\ndef fivefold_callbacks():\n    raise OSError('no server')\n")
    registry = load_registry()
    assert registry.broken == []
    assert len(registry.callbacks()) == 1
    assert "OSError: no server" in registry.broken[0].reason


def test_a_run_whose_settings_no_longer_fit_is_refused(site: Path, tmp_path: Path) -> None:
    (site / "stub_pipelines.py").write_text(PIPELINE, encoding="utf-8")
    write_plugin(site, "stub", pipelines("stub/task"))
    registry = load_registry()
    run = Run.create(tmp_path / "run", {"depth": 3}, {"pipeline": "stub/task", "plugin": {"version": "0.9"}})
    assert registry.pipeline_of(run).config.depth == 3
    (run.path / "config.yaml").write_text("width: 3\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"key 'width': unknown key.*made by version 0.9.*fivefold-stub 1.0"):
        registry.pipeline_of(run)


PIPELINE = """
import fivefold.pipeline
from fivefold.config import PipelineConfig

class Stub(fivefold.pipeline.Pipeline):
    class Config(PipelineConfig):
        depth: int = 1

    presets = {"deep": lambda: Stub.Config(depth=9)}

    def read(self, source): ...
    def samples(self, table): ...
    def task(self, data): ...

def command():
    pass

number = 3
"""


@pytest.fixture
def module(site: Path) -> Path:
    path = site / "stub_pipelines.py"
    path.write_text(PIPELINE, encoding="utf-8")
    return path


def test_targets_are_imported_and_checked(module: Path) -> None:
    spec = PipelineSpec("stub/task", "x", target="stub_pipelines:Stub")
    assert load_pipeline(spec).__name__ == "Stub"
    assert "depth" in load_config(spec).model_fields
    assert list(load_presets(spec)) == ["deep"]
    assert load_command(CommandSpec("stub/say", "x", "stub_pipelines:command"))() is None
    with pytest.raises(
        PluginError, match=r"stub_pipelines:number is no subclass of fivefold.pipeline.Pipeline"
    ):
        load_pipeline(PipelineSpec("stub/task", "x", target="stub_pipelines:number"))
    with pytest.raises(PluginError, match=r"is no subclass of fivefold.config.PipelineConfig"):
        load_config(
            PipelineSpec("stub/task", "x", target="stub_pipelines:Stub", config="stub_pipelines:Stub")
        )
    with pytest.raises(PluginError, match="is no mapping of names to functions"):
        load_presets(
            PipelineSpec("stub/task", "x", target="stub_pipelines:Stub", presets="stub_pipelines:number")
        )
    with pytest.raises(PluginError, match="is no function"):
        load_command(CommandSpec("stub/say", "x", "stub_pipelines:number"))
    with pytest.raises(PluginError, match="has no 'Missing', which target 'stub_pipelines:Missing' names"):
        load_target("stub_pipelines:Missing")


def test_a_module_that_is_not_there_names_the_distribution(site: Path) -> None:
    with pytest.raises(PluginError, match="cannot import stub_nowhere"):
        load_target("stub_nowhere:X")
    with pytest.raises(PluginError, match=rf"^fivefold: cannot import fivefold_{FIRST}.nowhere"):
        load_target(f"fivefold_{FIRST}.nowhere:X")


def test_a_missing_package_names_the_extra(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(site, "stub", "import not_there\n", distribution="fivefold-stub")
    info = next(site.glob("*.dist-info"))
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: fivefold-stub\nVersion: 1.0\nProvides-Extra: stub\n", encoding="utf-8"
    )
    with pytest.raises(
        DependencyError, match=r'needs the package \'not_there\'.*pip install "fivefold-stub\[stub\]"'
    ):
        load_target("stub_stub:X", domain="stub")
    with pytest.raises(DependencyError, match="pip install not_there"):
        load_target("stub_stub:X", domain="other")


def test_a_module_that_fails_says_how(site: Path) -> None:
    (site / "stub_fails.py").write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(PluginError, match="importing stub_fails failed with ZeroDivisionError"):
        load_target("stub_fails:X")
    (site / "stub_says.py").write_text(
        "from fivefold.errors import DataError\nraise DataError('ours')\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match="ours"):
        load_target("stub_says:X")
