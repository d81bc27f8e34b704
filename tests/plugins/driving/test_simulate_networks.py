"""Networks of roads: what is one, and what is refused, fault by fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from fivefold.errors import DataError
from fivefold_driving.simulate.markup import LARGEST
from fivefold_driving.simulate.networks import read_network
from fivefold_driving.simulate.vehicles import Vehicle
from plugins.driving.roads import CONFIG, DRIVER, NET, ONE, folder_of, routes_of

# what is a network


def test_a_folder_of_net_and_routes(tmp_path: Path) -> None:
    found = read_network(folder_of(tmp_path))
    assert (found.name, found.net.name, found.routes.name) == ("town", "town.net.xml", "town.rou.xml")
    assert found.begin == 4.0
    assert found.vehicles["steady"] == Vehicle("car", 4.0, 1.8)
    assert found.unread == ()


@pytest.mark.parametrize(
    ("departs", "begin"),
    [
        (["90.70", "25205"], 90),
        (["7:00:01.5"], 25_201),
        (["1:00:00:00"], 86_400),
        (["triggered", "12.9"], 12),
    ],
)
def test_without_a_configuration_it_begins_with_the_first_departure(
    departs: list[str], begin: float, tmp_path: Path
) -> None:
    vehicles = [DRIVER.format(name=f"v{number}", depart=depart) for number, depart in enumerate(departs)]
    assert read_network(folder_of(tmp_path, routes_of(*vehicles))).begin == begin


@pytest.mark.parametrize(
    ("flow", "begin"),
    [
        ('<flow id="f" begin="30" end="60" number="3" from="road" to="road"/>', 30),
        ('<flow id="f" end="60" number="3" from="road" to="road"/>', 0),
        ('<interval begin="7" end="9"><flow id="f" number="3" from="road" to="road"/></interval>', 7),
    ],
)
def test_a_flow_begins_too(flow: str, begin: float, tmp_path: Path) -> None:
    assert read_network(folder_of(tmp_path, routes_of(flow))).begin == begin


@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_configuration_says_which_files_and_when(named: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "other.net.xml").write_text(NET, encoding="utf-8")
    more = '<additional-files value="lights.add.xml"/>'
    config = folder / "evening.sumocfg"
    config.write_text(CONFIG.format(net="other.net.xml", routes="town.rou.xml", more=more, begin="1:00:00"))
    found = read_network(folder if named == "folder" else config)
    assert found.name == ("town" if named == "folder" else "evening")
    assert (found.net, found.routes, found.begin) == (
        folder / "other.net.xml",
        folder / "town.rou.xml",
        3600.0,
    )
    assert found.unread == ("additional-files",)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('vClass="bus"', Vehicle("bus", 12.0, 2.5)),
        ('vClass="truck" length="9.5"', Vehicle("truck", 9.5, 2.4)),
        ('vClass="passenger" width="2"', Vehicle("car", 5.0, 2.0)),
        ("", Vehicle("car", 5.0, 1.8)),
    ],
)
def test_sizes_of_vehicles(attributes: str, expected: Vehicle, tmp_path: Path) -> None:
    vehicle = DRIVER.format(name="one", depart="0")
    folder = folder_of(tmp_path, f'<routes><vType id="x" {attributes}/>{vehicle}</routes>')
    assert read_network(folder).vehicles["x"] == expected


# networks that are none

BAD_NETS = {
    "cut off": (NET[:300], r"town\.net\.xml: expected XML, found what is none"),
    "no XML": ("roads", r"town\.net\.xml: expected XML"),
    "empty": ("", r"town\.net\.xml: expected XML"),
    "document type": ("<!DOCTYPE net>" + NET.partition("?>")[2], r"town\.net\.xml, line 1: .* <!DOCTYPE>"),
    "entities": (
        '<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><net>&b;</net>',
        r"town\.net\.xml, line 1: .* <!DOCTYPE>",
    ),
    "other root": ("<routes/>", r"expected <net> to be the outermost element, found <routes>"),
    "net in net": ("<net><net/></net>", r"expected <net> to be the outermost element"),
    "no edges": ("<net/>", r"town\.net\.xml: expected a network with edges"),
    "detector that writes": (
        NET.replace("</net>", '<inductionLoop id="d" lane="road_0" pos="9" period="1" file="x"/></net>'),
        r"found <inductionLoop>; remove it",
    ),
    "include": (NET.replace("</net>", '<include href="/etc/passwd"/></net>'), r"found <include>; remove it"),
    "lights that write": (
        NET.replace("</net>", '<tlLogic id="a"><param key="file" value="x"/></tlLogic></net>'),
        r"found 'file'; remove it",
    ),
}
BAD_ROUTES = {
    "cut off": (ONE[:90], r"town\.rou\.xml: expected XML"),
    "document type": ("<!DOCTYPE routes>" + ONE, r"town\.rou\.xml, line 1: .* <!DOCTYPE>"),
    "none drives": (routes_of(), r"town\.rou\.xml: expected vehicles, trips or flows"),
    "no second": (routes_of(DRIVER.format(name="a", depart="soon")), r"with the second of their departure"),
    "not sorted": (
        routes_of(DRIVER.format(name="a", depart="9"), DRIVER.format(name="b", depart="3.5")),
        r"found 'b' at 3\.5 after one at 9; sort the file",
    ),
    "other root": (NET, r"expected <routes> to be the outermost element, found <net>"),
    "device that writes": (
        ONE.replace("<route ", '<param key="device.toc.file" value="x"/><route '),
        r"found 'device\.toc\.file'; remove it",
    ),
    "device": (
        ONE.replace("<route ", '<param key="has.ssm.device" value="true"/><route '),
        r"has\.ssm\.device",
    ),
    "length": (ONE.replace('length="4"', 'length="-4"'), r"the length of vType 'steady' .* found '-4'"),
    "length in words": (ONE.replace('length="4"', 'length="long"'), r"found 'long'"),
}


@pytest.mark.parametrize("fault", BAD_NETS)
def test_nets_that_are_none(fault: str, tmp_path: Path) -> None:
    content, said = BAD_NETS[fault]
    with pytest.raises(DataError, match=said):
        read_network(folder_of(tmp_path, net=content))


@pytest.mark.parametrize("fault", BAD_ROUTES)
def test_routes_that_are_none(fault: str, tmp_path: Path) -> None:
    content, said = BAD_ROUTES[fault]
    with pytest.raises(DataError, match=said):
        read_network(folder_of(tmp_path, routes=content))


def test_a_document_type_in_another_encoding(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "town.net.xml").write_bytes(
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE net><net/>'.encode("utf-16")
    )
    with pytest.raises(DataError, match="<!DOCTYPE>"):
        read_network(folder)


@pytest.mark.parametrize("ending", [".net.xml", ".rou.xml"])
def test_one_of_each_file(ending: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / f"village{ending}").write_text("")
    with pytest.raises(
        DataError, match=rf"one file \*{ending}, found town{ending}, village{ending}; name one by"
    ):
        read_network(folder)
    (folder / f"village{ending}").unlink()
    (folder / f"town{ending}").unlink()
    with pytest.raises(DataError, match=rf"one file \*{ending}, found none; put one there"):
        read_network(folder)


def test_two_configurations(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for name in ("a", "b"):
        (folder / f"{name}.sumocfg").write_text("<configuration/>")
    with pytest.raises(DataError, match=r"found a\.sumocfg, b\.sumocfg; name the one that is meant"):
        read_network(folder)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"net": "../secret.net.xml"},
            r"'net-file' to name one file beside .* found '\.\./secret\.net\.xml'",
        ),
        ({"net": ""}, r"'net-file' to name one file .* found ''"),
        ({"routes": "town.rou.xml,more.rou.xml"}, r"'route-files' to name one file"),
        ({"routes": "/etc/passwd"}, r"'route-files' .* found '/etc/passwd'"),
        ({"begin": "noon"}, r"'begin' to be seconds, found 'noon'"),
    ],
)
def test_configurations_that_are_none(values: dict[str, str], said: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (tmp_path / "secret.net.xml").write_text(NET)
    good = {"net": "town.net.xml", "routes": "town.rou.xml", "begin": "0", "more": ""}
    (folder / "a.sumocfg").write_text(CONFIG.format(**{**good, **values}))
    with pytest.raises(DataError, match=said):
        read_network(folder)


def test_a_file_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"town\.net\.xml: expected a folder .* name the folder"):
        read_network(folder_of(tmp_path) / "town.net.xml")


def test_a_file_too_large(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with (folder / "town.net.xml").open("r+b") as stream:
        stream.truncate(LARGEST + 1)  # a hole, which takes no space
    with pytest.raises(
        DataError, match=r"town\.net\.xml: expected at most 536,870,912 bytes, found 536,870,913"
    ):
        read_network(folder)
