"""Tiny pictures and sources for the tests of vision."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Pixels = NDArray[np.uint8]


def picture(seed: int = 0, height: int = 24, width: int = 32, *, grey: bool = False) -> Pixels:
    """A smooth random picture, ``(H, W, 3)`` in RGB order or ``(H, W)``."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4) if grey else (4, 4, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def encoded(image: Pillow.Image, form: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **settings)
    return buffer.getvalue()


def save(path: Path, image: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(image).save(path)
    return path


def image_folder(root: Path, classes: Sequence[str] = ("cat", "dog"), each: int = 10, **shape: int) -> Path:
    """``root/class/N.png``; classes differ in brightness, so that they can be learned."""
    for code, name in enumerate(classes):
        for number in range(each):
            pixels = picture(100 * code + number, **shape) // 2 + 127 * (code % 2)
            save(root / name / f"{number}.png", pixels.astype(np.uint8))
    return root


def idx_bytes(array: Pixels) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.tobytes()


def idx_folder(root: Path, *, zipped: bool = False, train: int = 40, test: int = 10, side: int = 8) -> Path:
    """The four files of MNIST, in small."""
    root.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        images = np.stack([picture(number, side, side, grey=True) for number in range(count)])
        labels = (np.arange(count) % 4).astype(np.uint8)
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            data = idx_bytes(array)
            (root / (f"{name}.gz" if zipped else name)).write_bytes(gzip.compress(data) if zipped else data)
    return root
