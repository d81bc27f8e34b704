"""Trained weights that a manifest names: fetched, verified, and kept as safetensors.

Published weights are often pickles. They are read once, with torch's restricted unpickler, which builds
tensors and containers and runs nothing else, and written anew as safetensors beside the original; from
then on only that is read.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from fivefold.data.fetch import dataset_folder, fetch
from fivefold.data.manifest import Manifest, ManifestFile, load_manifest
from fivefold.data.sources.base import Progress
from fivefold.errors import DataError
from fivefold.files import written_aside

# What torch's unpickler raises on a file that is none: it stumbles wherever the bytes lead it.
_UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    struct.error,
)


def load_weights(manifest: str, *, progress: Progress | None = None) -> dict[str, Tensor]:
    """The tensors that ``manifest`` names, on the CPU, under the names that their publisher gave them.

    Args:
        manifest: ``package:file.yaml``, such as ``fivefold_data:weights/efficientnet-lite0.yaml``; each of
            its files is a state dict, as a safetensors file or as torch saves it.
        progress: called with a name, bytes done and bytes in all while fetching.

    Raises:
        DataError: the manifest is wrong, a file cannot be fetched, or it is no state dict.
    """
    return read_weights(load_manifest(manifest), progress=progress)


def read_weights(manifest: Manifest, *, progress: Progress | None = None) -> dict[str, Tensor]:
    """As `load_weights`, for a manifest that is already read."""
    folder = dataset_folder(manifest)
    weights: dict[str, Tensor] = {}
    for file in manifest.files:
        converted = _converted(folder, file)
        if not converted.is_file():
            original = fetch(manifest, progress=progress) / file.path
            if original != converted:
                _convert(original, converted)
        weights |= _read(converted)
    return weights


def _converted(folder: Path, file: ManifestFile) -> Path:
    """Where the safetensors of ``file`` are kept; another checksum is another file."""
    original = folder / file.path
    if original.suffix == ".safetensors":
        return original
    return original.with_name(f"{original.stem}-{file.sha256[:16]}.safetensors")


def _convert(original: Path, converted: Path) -> None:
    """Rewrite torch's pickled state dict as safetensors, whole or not at all."""
    try:
        state = torch.load(original, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise DataError(
            f"{original}: expected a state dict that torch saved, of tensors only, found something else "
            f"({type(error).__name__}); name weights that torch or safetensors wrote"
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise DataError(
            f"{original}: expected a state dict (names to tensors), found {_describe(state)}; name a "
            "file that holds the state dict alone"
        )
    with written_aside(converted) as part:
        # safetensors refuses tensors that share memory; a copy each costs little
        save_file({str(name): tensor.clone().contiguous() for name, tensor in state.items()}, part)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load_file(path, device="cpu")
    except SafetensorError as error:
        raise DataError(f"{path}: not a whole safetensors file ({error}); delete it and run again") from error
    return tensors


def _describe(state: object) -> str:
    if isinstance(state, Mapping):
        odd = next(name for name, value in state.items() if not isinstance(value, Tensor))
        return f"'{odd}' with a {type(state[odd]).__name__}"
    return f"a {type(state).__name__}"
