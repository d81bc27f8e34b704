"""Generated images to files, each with a label of its origin, and records that say which is which."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import ConfigError, DataError
from fivefold.evaluation.generative_pictures import tiled
from fivefold.images.decode import encode_png
from fivefold.prediction import Request
from fivefold_vision.generate.animation import animated_png
from fivefold_vision.generate.config import GenerateOptions
from fivefold_vision.generate.making import images_of, passage
from fivefold_vision.generate.origin import Origin, labelled
from fivefold_vision.generate.task import ImageGeneration

UNNAMED = "unnamed"
LEAST_STOPS = 2


def generate(task: ImageGeneration, request: Request) -> list[dict[str, Any]]:
    """Make what is asked for, and return a record an image: ``id``, ``seed``, ``class`` where there are some, ``file``.

    An animation has one record, with the first and last of its seeds.

    Raises:
        ConfigError: there are inputs, classes that the model does not know, or a single image to interpolate.
        DataError: a file cannot be written.
    """
    options = cast(GenerateOptions, request.options)
    if request.sources:
        raise ConfigError(
            f"'{request.sources[0].name}': expected no inputs, because images are made from noise; leave it away"
        )
    codes = _codes(options.classes, task.classes)
    folder = options.folder or (request.run or Path()) / "generated"
    maker = _Maker(task, request, options, folder)
    if options.interpolate:
        return maker.animations(codes)
    return maker.grid(codes) if options.grid else maker.files(codes)


class _Maker:
    """Makes and writes.

    Args:
        task: trained.
        request: with the run and the device.
        options: of the request.
        folder: where files are put.
    """

    def __init__(
        self, task: ImageGeneration, request: Request, options: GenerateOptions, folder: Path
    ) -> None:
        self._task, self._options, self._folder = task, options, folder
        self._device = request.device
        self._model = request.run.resolve().name if request.run is not None else UNNAMED
        self._seeds = range(options.seed, options.seed + options.count)

    def files(self, codes: Sequence[int] | None) -> list[dict[str, Any]]:
        """A file each."""
        wanted = self._wanted(codes)
        records = []
        for (seed, code), image in zip(wanted, self._images(wanted), strict=True):
            name = f"seed-{seed}{self._of_class(code)}{self._truncation()}.png"
            details = {"seed": str(seed), **self._details(code)}
            path = self._write(name, encode_png(_laid_out(image)), details)
            records.append({"id": name, "seed": seed, **self._class(code), "file": str(path)})
        return records

    def grid(self, codes: Sequence[int] | None) -> list[dict[str, Any]]:
        """One file, in rows: a row a class where classes are named, else as square as can be."""
        wanted = self._wanted(codes)
        columns = self._options.count if codes else ceil(sqrt(len(wanted)))
        first, last = self._seeds[0], self._seeds[-1]
        name = f"grid-{first}-{last}{self._truncation()}.png"
        details = {"seed": f"{first} to {last}", **self._details(None)}
        path = self._write(name, encode_png(tiled(self._images(wanted), columns)), details)
        return [
            {"id": f"{name}#{place}", "seed": seed, **self._class(code), "file": str(path)}
            for place, (seed, code) in enumerate(wanted)
        ]

    def animations(self, codes: Sequence[int] | None) -> list[dict[str, Any]]:
        """A file for each class asked for, of all classes where none is; a single one of a model without classes."""
        if self._options.count < LEAST_STOPS:
            raise ConfigError(
                f"--interpolate: expected a --count of {LEAST_STOPS} images or more to go from one to the next, "
                f"found {self._options.count}"
            )
        first, last = self._seeds[0], self._seeds[-1]
        records = []
        for code in codes or range(max(1, len(self._task.classes))):
            frames = passage(
                self._task,
                self._seeds,
                code,
                self._options.interpolate,
                truncation=self._options.truncation,
                device=self._device,
            )
            name = f"seeds-{first}-{last}{self._of_class(code)}{self._truncation()}.png"
            details = {"seed": f"{first} to {last}", **self._details(code)}
            path = self._write(name, animated_png([_laid_out(frame) for frame in frames]), details)
            record = {"id": name, "seed": first, "last_seed": last, "frames": len(frames)}
            records.append({**record, **self._class(code), "file": str(path)})
        return records

    def _wanted(self, codes: Sequence[int] | None) -> list[tuple[int, int]]:
        if codes:
            return [(seed, code) for code in codes for seed in self._seeds]
        return [(seed, seed % max(1, len(self._task.classes))) for seed in self._seeds]

    def _images(self, wanted: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
        return images_of(self._task, wanted, truncation=self._options.truncation, device=self._device)

    def _write(self, name: str, png: bytes, details: dict[str, str]) -> Path:
        path = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(labelled(png, Origin(self._model, details)))
        except OSError as error:
            raise DataError(
                f"{path}: expected a place to write images to, found that this fails ({error.strerror}); "
                "name another --folder"
            ) from error
        return path

    def _details(self, code: int | None) -> dict[str, str]:
        details = {} if code is None else self._class(code)
        if self._options.truncation is not None:
            details["truncation"] = f"{self._options.truncation:g}"
        return details

    def _class(self, code: int) -> dict[str, str]:
        return {"class": self._task.classes[code]} if self._task.classes else {}

    def _of_class(self, code: int) -> str:
        """Part of a file's name; the number stands for names that no file can have."""
        if not self._task.classes:
            return ""
        name = self._task.classes[code]
        return f"-{name if name.replace('-', '').replace('_', '').isalnum() else code}"

    def _truncation(self) -> str:
        return "" if self._options.truncation is None else f"-truncated-{self._options.truncation:g}"


def _codes(names: Sequence[str], classes: Sequence[str]) -> list[int] | None:
    if not names:
        return None
    if not classes:
        raise ConfigError(
            f"--classes {names[0]}: expected a model that learned classes, found one that did not; "
            "train with --conditional, or leave it away"
        )
    unknown = [name for name in names if name not in classes]
    if unknown:
        raise ConfigError(
            f"--classes: '{unknown[0]}' is none of the model's classes; it knows {', '.join(classes)}"
        )
    return [list(classes).index(name) for name in names]


def _laid_out(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``(C, S, S)`` to ``(S, S)`` or ``(S, S, 3)``."""
    return image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
