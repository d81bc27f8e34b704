import hashlib
import importlib
import pickle
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from fivefold.data.fetch import dataset_folder
from fivefold.data.manifest import load_manifest
from fivefold.errors import ChecksumError, DataError
from fivefold.nn import efficientnet_lite0_imagenet, load_weights

PACKAGE = "weights_of_a_test"
MANIFEST = f"{PACKAGE}:weights.yaml"
STATE = {"first.weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(7)}


class Publisher:
    """A package in a temporary folder that carries weights and their manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / PACKAGE
        self.folder.mkdir()
        (self.folder / "__init__.py").touch()

    def publish(self, *names: str, sha256: str | None = None) -> None:
        lines = ["name: weights-of-a-test", "summary: a", "licence: CC0-1.0", "citation: none", "files:"]
        for name in names:
            content = (self.folder / name).read_bytes()
            lines += [
                f"  - path: {name}",
                f"    sha256: '{sha256 or hashlib.sha256(content).hexdigest()}'",
                f"    bytes: {len(content)}",
                f"    sources: ['package:{PACKAGE}!{name}']",
            ]
        (self.folder / "weights.yaml").write_text("\n".join(lines))


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.syspath_prepend(packages)
    importlib.invalidate_caches()
    yield Publisher(packages)
    sys.modules.pop(PACKAGE, None)


def cached_files() -> set[str]:
    return {path.suffix for path in dataset_folder(load_manifest(MANIFEST)).iterdir() if path.name[0] != "."}


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor)
        assert found[name].dtype == tensor.dtype


def test_pickled_weights_are_rewritten_and_the_pickle_is_read_once(publisher: Publisher, monkeypatch) -> None:
    torch.save(STATE, publisher.folder / "net.pth")
    publisher.publish("net.pth")
    assert_same(load_weights(MANIFEST), STATE)
    assert cached_files() == {".pth", ".safetensors"}
    (dataset_folder(load_manifest(MANIFEST)) / "net.pth").unlink()
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("the pickle was read again"))
    assert_same(load_weights(MANIFEST), STATE)


def test_tensors_that_share_memory_or_are_strided(publisher: Publisher) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    state = {"one": shared, "other": shared, "turned": shared.T}
    torch.save(state, publisher.folder / "net.pth")
    publisher.publish("net.pth")
    assert_same(load_weights(MANIFEST), state)


def test_safetensors_are_read_as_they_are_and_files_are_joined(publisher: Publisher) -> None:
    save_file({"a": torch.ones(2)}, publisher.folder / "a.safetensors")
    save_file({"b": torch.zeros(2)}, publisher.folder / "b.safetensors")
    publisher.publish("a.safetensors", "b.safetensors")
    assert_same(load_weights(MANIFEST), {"a": torch.ones(2), "b": torch.zeros(2)})


def test_another_checksum_is_another_file(publisher: Publisher) -> None:
    torch.save(STATE, publisher.folder / "net.pth")
    publisher.publish("net.pth")
    load_weights(MANIFEST)
    newer = {"first.weight": torch.full((2, 3), 9.0)}
    torch.save(newer, publisher.folder / "net.pth")
    publisher.publish("net.pth")
    assert_same(load_weights(MANIFEST), newer)


def test_code_in_a_pickle_is_not_run(publisher: Publisher, tmp_path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    (publisher.folder / "net.pth").write_bytes(pickle.dumps({"weight": Trap()}, protocol=2))
    publisher.publish("net.pth")
    with pytest.raises(DataError, match=r"net\.pth: expected a state dict that torch saved"):
        load_weights(MANIFEST)
    assert not (tmp_path / "sprung").exists()
    assert cached_files() == {".pth"}


@pytest.mark.parametrize(
    "content", [b"", b"not weights at all", b"PK\x03\x04broken", b"\x80\x02ccollections\nx"]
)
def test_files_that_are_no_weights(publisher: Publisher, content: bytes) -> None:
    (publisher.folder / "net.pth").write_bytes(content)
    publisher.publish("net.pth")
    with pytest.raises(DataError, match=r"net\.pth: expected a state dict that torch saved"):
        load_weights(MANIFEST)


@pytest.mark.parametrize(
    ("state", "found"),
    [({"model": STATE}, "'model' with a dict"), ([torch.ones(1)], "a list"), (torch.ones(1), "a Tensor")],
)
def test_what_is_no_state_dict(publisher: Publisher, state: object, found: str) -> None:
    torch.save(state, publisher.folder / "net.pth")
    publisher.publish("net.pth")
    with pytest.raises(DataError, match=rf"expected a state dict \(names to tensors\), found {found}; name"):
        load_weights(MANIFEST)


def test_damaged_safetensors(publisher: Publisher) -> None:
    torch.save(STATE, publisher.folder / "net.pth")
    publisher.publish("net.pth")
    load_weights(MANIFEST)
    (damaged,) = dataset_folder(load_manifest(MANIFEST)).glob("*.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:20])
    with pytest.raises(DataError, match=r"\.safetensors: not a whole safetensors file .*; delete it"):
        load_weights(MANIFEST)


def test_checksum_that_differs(publisher: Publisher) -> None:
    torch.save(STATE, publisher.folder / "net.pth")
    publisher.publish("net.pth", sha256="0" * 64)
    with pytest.raises(ChecksumError, match=r"'net\.pth' is not the file that the manifest names"):
        load_weights(MANIFEST)
    assert cached_files() == set()


def test_weights_of_another_network(publisher: Publisher) -> None:
    torch.save({"_fc.weight": torch.ones(2, 2)}, publisher.folder / "net.pth")
    publisher.publish("net.pth")
    with pytest.raises(DataError, match=f"{MANIFEST}.*weight"):
        efficientnet_lite0_imagenet(manifest=MANIFEST)
