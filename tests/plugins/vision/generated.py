"""A small trained generator for the tests of image generation."""

from __future__ import annotations

from pathlib import Path

from fivefold.cli.main import main
from plugins.vision.pictures import idx_folder

TINY = {
    "--epochs": "1", "--batch-size": "8", "--device": "cpu", "--generator.width": "4", "--generator.latent": "8",
    "--discriminator.width": "4", "--evaluation.resamples": "100",
}  # fmt: skip


def training(source: Path, run: Path, *options: str) -> list[str]:
    """The words of a short training; ``options`` take the place of those in `TINY`."""
    rest = [word for pair in TINY.items() if pair[0] not in options for word in pair]
    own = ["--trainer.no-probe", *rest, *options, "--out", str(run)]
    return ["vision", "generate", "train", str(source), *own]


def trained(root: Path, *options: str) -> Path:
    """A run on 40 training and 10 test images in 4 classes."""
    source = idx_folder(root / "data")
    assert main(training(source, root / "run", *options)) == 0
    return root / "run"
