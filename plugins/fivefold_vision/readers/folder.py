"""A folder of images with one folder a class, or with ``train``, ``val`` and ``test`` folders of those."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fivefold.data.labels import texts
from fivefold.data.table import Array, Problem, Table
from fivefold.errors import DataError
from fivefold.images.decode import SUFFIXES, is_image
from fivefold_vision.readers.options import SPLIT_NAMES, Options

UNREAD = frozenset(
    f".{ending}"
    for ending in (
        *("heic", "heif", "jxl", "svg", "psd", "dng", "cr2", "cr3", "nef", "arw", "raw", "exr", "hdr"),
        *("dcm", "nii", "mat", "npy"),
    )
)
"""Endings of pictures that are not read: such files are told of, not passed over."""
MEDICAL = frozenset({".dcm", ".nii"})
"""Those of them that other pipelines read."""


def recognise(source: Path) -> str | None:
    """In words what ``source`` is, or None where no class folder holds images, or all of them are `MEDICAL`."""
    classes = class_names(source)
    if not classes or is_medical(source):
        return None
    splits = _split_folders(source)
    found = f"a folder of images in {len(classes)} {'class' if len(classes) == 1 else 'classes'}"
    return (
        found if None in splits else f"{found}, split into {', '.join(splits[name].name for name in splits)}"
    )


def class_names(source: Path) -> list[str]:
    """Names of the classes that folders stand for; none where ``source`` is no folder."""
    splits = _split_folders(source) if source.is_dir() else {}
    return sorted({folder.name for root in splits.values() for folder in _class_folders(root)})


def read(source: Path, options: Options) -> Table:  # noqa: ARG001 - every reader is called alike
    """List the images of every class; ``path`` holds where they lie.

    Raises:
        DataError: the folder holds no images in class folders.
    """
    splits = _split_folders(source)
    rows: list[tuple[Path, str, str | None]] = []
    problems = []
    for split, root in splits.items():
        problems += _stray(root, source)
        for folder in _class_folders(root):
            images, unread = list_images(folder, source)
            rows += [(path, folder.name, split) for path in images]
            problems += unread
    if not rows and not problems:
        raise DataError(
            f"{source}: expected a folder a class with images in it, such as {source.name}/cat/1.jpg, "
            "found none"
        )
    classes = tuple(sorted({label for _, label, _ in rows}))
    code = {name: number for number, name in enumerate(classes)}
    columns: dict[str, Array] = {
        "id": texts([path.relative_to(source).as_posix() for path, _, _ in rows]),
        "path": texts([str(path) for path, _, _ in rows]),
        "label": np.array([code[label] for _, label, _ in rows], dtype=np.int64),
    }
    if None not in splits:
        columns["split"] = texts([str(split) for _, _, split in rows])
    return Table(
        columns,
        source=str(source),
        label="label",
        classes=classes,
        split="split" if "split" in columns else None,
        problems=tuple(problems),
    )


def list_images(folder: Path, root: Path) -> tuple[list[Path], list[Problem]]:
    """Images below ``folder`` in order of path, and pictures of unread formats, named below ``root``."""
    images, problems = [], []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(place, name)
            if is_image(path):
                images.append(path)
            elif path.suffix.lower() in UNREAD:
                problems.append(Problem(path.relative_to(root).as_posix(), f"{path}: {_unread(path)}"))
    return images, problems


def _unread(path: Path) -> str:
    if path.suffix.lower() in MEDICAL:
        return (
            f"expected JPEG, PNG or another format that is read, found {path.suffix}; fivefold healthcare reads it, "
            "and converts DICOM to PNG"
        )
    return f"expected JPEG, PNG or another format that is read, found {path.suffix}; convert or remove it"


def is_medical(source: Path) -> bool:
    """Whether class folders in ``source`` hold pictures of medical formats alone."""
    if not class_names(source):
        return False
    for _, _, files in os.walk(source):
        endings = {Path(name).suffix.lower() for name in files}
        if endings & (SUFFIXES | UNREAD - MEDICAL):
            return False
    return True


def _stray(root: Path, source: Path) -> list[Problem]:
    """Images that lie beside the class folders and so have no label."""
    return [
        Problem(
            path.relative_to(source).as_posix(),
            f"{path}: expected images in class folders only, found one beside them",
        )
        for path in sorted(root.iterdir())
        if path.is_file() and is_image(path)
    ]


def _split_folders(source: Path) -> dict[str | None, Path]:
    """Folders of the splits by name, or ``source`` alone under None where there are no such folders."""
    named = {SPLIT_NAMES[f.name.lower()]: f for f in _folders(source) if f.name.lower() in SPLIT_NAMES}
    inside = all(_class_folders(folder) for folder in named.values())
    only_splits = all(folder in named.values() for folder in _class_folders(source))
    if "train" in named and inside and only_splits:
        return {name: named[name] for name in ("train", "val", "test") if name in named}
    return {None: source}


def _class_folders(root: Path) -> list[Path]:
    return [folder for folder in _folders(root) if _holds_images(folder)]


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def _holds_images(folder: Path) -> bool:
    return any(
        is_image(Path(name)) or Path(name).suffix.lower() in UNREAD
        for _, _, files in os.walk(folder)
        for name in files
    )
