"""Make ``fivefold_data/samples/fashion-sample.zip``: 800 Fashion-MNIST images as PNG files in folders by class.

Run: ``python data/make_fashion_sample.py FOLDER``, where FOLDER holds the four ``*-ubyte.gz`` files of the set.
The archive is the same, byte for byte, each time.
"""

from __future__ import annotations

import gzip
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np

CLASSES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle-boot",
)
SPLITS = {"train": ("train", 60), "test": ("t10k", 20)}
TARGET = Path(__file__).parent / "fivefold_data" / "samples" / "fashion-sample.zip"


def main(folder: Path) -> None:
    """Write the archive."""
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_STORED) as archive:
        for split, (prefix, count) in SPLITS.items():
            images = read(folder / f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
            labels = read(folder / f"{prefix}-labels-idx1-ubyte.gz", 8)
            for code, name in enumerate(CLASSES):
                for number, row in enumerate(np.flatnonzero(labels == code)[:count]):
                    entry = zipfile.ZipInfo(f"{split}/{name}/{number:03d}.png", (2020, 1, 1, 0, 0, 0))
                    archive.writestr(entry, cv2.imencode(".png", images[row])[1].tobytes())


def read(file: Path, header: int) -> np.ndarray:
    """The bytes of an IDX file after its header."""
    return np.frombuffer(gzip.decompress(file.read_bytes()), dtype=np.uint8, offset=header)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
