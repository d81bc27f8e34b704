"""Keys of images, by which the leakage search finds equal and nearly equal ones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from fivefold.data.fingerprint import Fingerprints, image_fingerprints
from fivefold.data.table import Table
from fivefold.images.blank import distinct_keys
from fivefold.images.decode import Image, decode, fit_image, read_bytes
from fivefold.images.loading import in_threads

SIDE = 32
"""Side of the grey pictures that stand for images on disk."""


def fingerprint_images(table: Table) -> Fingerprints:
    """Keys of the pixels of images held in memory; of the bytes and of small copies of those on disk.

    Images in memory that are of one colour equal none: they are told of in their own right (see `note_blank`).
    """
    if "image" in table:
        return memory_fingerprints(table)
    keys = np.empty(len(table), dtype=object)
    copies = np.empty((len(table), SIDE, SIDE), np.uint8)
    for row, (key, copy) in enumerate(in_threads(_file_keys, table["path"])):
        keys[row], copies[row] = key, copy
    near = image_fingerprints(copies)
    return Fingerprints(exact=keys, near=near.near, near_distance=near.near_distance)


def memory_fingerprints(table: Table) -> Fingerprints:
    """Keys of the images, or volumes, in the column ``image``."""
    found = image_fingerprints(table["image"])
    return replace(found, exact=distinct_keys(found.exact, table))


def _file_keys(path: str) -> tuple[bytes, Image]:
    data = read_bytes(Path(path))
    key = hashlib.blake2b(data, digest_size=16).digest()
    return key, fit_image(decode(data, path), (SIDE, SIDE), 1, "squash")
