"""Make ``fivefold_data/samples/chest.zip``: 400 images of PneumoniaMNIST as PNG files with a table of labels.

Run: ``python data/make_chest_sample.py FILE``, where FILE is the set's NPZ archive. The first images of each class are
taken, in the training split's shares, each once. The archive is the same, byte for byte, each time.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np

CLASSES = (("normal", 104), ("pneumonia", 296))
TARGET = Path(__file__).parent / "fivefold_data" / "samples" / "chest.zip"


def main(file: Path) -> None:
    """Write the archive."""
    with np.load(file, allow_pickle=False) as arrays:
        images, labels = arrays["train_images"], arrays["train_labels"].reshape(-1)
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    once = np.sort(first)
    rows = ["path,label"]
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_STORED) as archive:
        for code, (name, count) in enumerate(CLASSES):
            for number, row in enumerate(once[labels[once] == code][:count]):
                path = f"images/{name}-{number:03d}.png"
                write(archive, path, cv2.imencode(".png", images[row])[1].tobytes())
                rows.append(f"{path},{name}")
        write(archive, "labels.csv", ("\n".join(rows) + "\n").encode())


def write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add one file, with a date that does not change."""
    archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
