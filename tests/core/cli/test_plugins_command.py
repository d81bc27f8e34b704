from __future__ import annotations

import json
from pathlib import Path

import pytest

from fivefold.cli.main import main
from stub_plugins import BROKEN, BUILT_IN, FIRST, FIRST_PIPELINE, pipelines, write_plugin


def test_a_plugin_can_be_switched_off_and_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "disable", FIRST]) == 0
    assert f"{FIRST} is disabled in" in capsys.readouterr().err
    assert Path("fivefold.toml").read_text(encoding="utf-8") == f"[plugins]\n{FIRST} = false\n"
    assert main([*FIRST_PIPELINE.split("/"), "config"]) == 2
    assert f"run 'fivefold plugins enable {FIRST}'" in capsys.readouterr().err
    assert main(["plugins", "list", "--json"]) == 0
    listed = {plugin["plugin"]: plugin["status"] for plugin in json.loads(capsys.readouterr().out)["plugins"]}
    assert listed == {**dict.fromkeys(BUILT_IN, "enabled"), FIRST: "disabled"}
    assert main(["plugins", "enable", FIRST, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["enabled"] is True
    assert main([*FIRST_PIPELINE.split("/"), "config"]) == 0


def test_user_settings_stand_elsewhere(tmp_path: Path) -> None:
    assert main(["plugins", "disable", FIRST, "--user"]) == 0
    assert not Path("fivefold.toml").exists()
    assert (tmp_path / "user" / "fivefold" / "fivefold.toml").is_file()


def test_unknown_names_get_a_close_match(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "disable", FIRST[:-1]]) == 2
    assert f"no plugin '{FIRST[:-1]}' is installed; did you mean '{FIRST}'?" in capsys.readouterr().err


def test_doctor_finds_nothing_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "doctor"]) == 0
    assert f"{len(BUILT_IN)} plugins work, 0 are disabled" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["raises", "clash", "newer"])
def test_doctor_shows_the_traceback(site: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    source, said = BROKEN[name]
    write_plugin(site, name, source)
    assert main(["plugins", "doctor"]) == 2
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert said in err
    assert main(["plugins", "list"]) == 0
    assert "broken" in capsys.readouterr().err


def test_doctor_tries_what_specs_only_name(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plugin(
        site,
        "empty",
        pipelines("empty/task")
        + """
@hookimpl
def fivefold_commands():
    return [CommandSpec("empty/say", "x", "stub_nowhere:say")]

@hookimpl
def fivefold_models():
    return [ModelSpec("net", "x", "stub_nowhere:Net")]

@hookimpl
def fivefold_datasets():
    return [DatasetSpec("rows", "x", "fivefold_data:rows.yaml")]
""",
    )
    assert main(["plugins", "doctor", "--json"]) == 2
    reasons = [problem["reason"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    assert [reason.partition(":")[0] for reason in reasons] == ["empty/task", "empty/say", "net", "rows"]


def test_doctor_names_missing_packages_and_slow_plugins(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = site / "fivefold-9.9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: fivefold\nVersion: 9.9\nRequires-Dist: gone>=1\n", encoding="utf-8"
    )
    assert main(["plugins", "doctor"]) == 2
    assert "fivefold needs gone>=1, which is not installed" in capsys.readouterr().err


def test_doctor_names_plugins_that_slow_every_command(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    (site / "pandas.py").write_text("", encoding="utf-8")
    write_plugin(site, "heavy", "import pandas\n")
    assert main(["plugins", "doctor"]) == 0
    sys.modules.pop("pandas", None)  # the stub; what stood there before comes back by itself
    assert "plugin 'heavy' of fivefold-heavy 1.0 imports pandas when discovered" in capsys.readouterr().err
