"""One window as an animation: agents as they went, and where they were predicted to be at each moment."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from fivefold.data.table import Array
from fivefold.evaluation.figures import BLUE, GREEN
from fivefold.evaluation.metric import Values
from fivefold.evaluation.section import Figure
from fivefold_driving.predict.drawing import MARGIN, bar_length
from fivefold_driving.predict.metrics import Outputs, judged, present

WIDTH, MOST_HEIGHT, LEAST_HEIGHT = 640, 560, 240
"""Pixels of the animation, the line of text under it aside."""

_FINER = 2  # drawn so many times larger, then reduced, so that lines are smooth
_FOOTER = 28
_LAST = 1600  # milliseconds that the last frame stays
_SHADES = 6  # of each colour on its way to white, for smooth lines
_MOST_SAMPLES = 20
_BLACK, _GREY, _LIGHT = "#202020", "#c4c4c4", "#a9cfe6"

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class _View:
    """From metres to pixels of the finer picture."""

    low: Values
    high: Values
    scale: float
    size: tuple[int, int]

    def points(self, positions: Array) -> Points:
        """Positions ``(P, 2)`` as pixels, north up; those not known are left out."""
        known = positions[np.isfinite(positions).all(axis=-1)]
        across = (known[:, 0] - self.low[0]) * self.scale
        down = (self.high[1] - known[:, 1]) * self.scale
        return [(float(x), float(y)) for x, y in zip(across, down, strict=True)]


def densest_window(outputs: Outputs) -> int:
    """The first window with the most judged agents."""
    return int(judged(outputs).sum(axis=1).argmax())


def animation(
    outputs: Outputs, window: int, seconds: float, caption: str, lines: Sequence[Array] = ()
) -> Figure:
    """A GIF of one window in real time, seen frames first, repeated without end.

    Args:
        outputs: with ``seen``, ``target``, ``single`` and ``samples``.
        window: which of the ``N`` windows.
        seconds: between frames.
        caption: what to see.
        lines: polylines ``(P, 2)`` of the map.
    """
    there = present(outputs)[window]
    seen, target, single = (outputs[name][window][there] for name in ("seen", "target", "single"))
    samples = outputs["samples"][window][there][:, :_MOST_SAMPLES]
    if samples.shape[1] == 1:
        samples = samples[:, :0]  # a single one is the prediction itself
    view = _view(np.concatenate([seen.reshape(-1, 2), target.reshape(-1, 2)]))
    frames = seen.shape[1] + target.shape[1]
    pictures = [
        _picture(view, lines, seen, target, single, samples, frame, seconds) for frame in range(frames)
    ]
    judged_here = int(judged(outputs)[window].sum())
    return Figure(
        caption=caption,
        image=_gif(pictures, round(1000 * seconds)),
        kind="gif",
        alt=f"Animation of {int(there.sum())} agents, {judged_here} of them judged: {caption}",
    )


def _view(positions: Array) -> _View:
    known = positions[np.isfinite(positions).all(axis=-1)].astype(np.float64)
    low, high = known.min(axis=0) - MARGIN, known.max(axis=0) + MARGIN
    wide, tall = high - low
    scale = min(WIDTH / wide, MOST_HEIGHT / tall)
    size = (WIDTH, int(np.clip(np.ceil(tall * scale), LEAST_HEIGHT, MOST_HEIGHT)))
    # What the picture is larger than the positions is shared out on both sides.
    spare = (np.array(size) / scale - (high - low)) / 2
    return _View(low - spare, high + spare, scale * _FINER, size)


def _picture(
    view: _View,
    lines: Sequence[Array],
    seen: Array,
    target: Array,
    single: Array,
    samples: Array,
    frame: int,
    seconds: float,
) -> Image.Image:
    """The picture of one moment; arrays are of the window's agents, ``frame`` counts from the first seen one."""
    width, height = view.size
    picture = Image.new("RGB", (width * _FINER, (height + _FOOTER) * _FINER), "white")
    pen = ImageDraw.Draw(picture)
    for line in lines:
        _line(pen, view.points(line), _GREY, 1)
    past = seen.shape[1]
    ahead = frame - past + 1
    for track in seen:
        _line(pen, view.points(track[: frame + 1]), _BLACK, 2)
        _dots(pen, view.points(track[min(frame, past - 1), None]), _BLACK, 4 if ahead <= 0 else 2)
    if ahead > 0:
        _dots(pen, view.points(samples[:, :, ahead - 1].reshape(-1, 2)), _LIGHT, 2)
        start = seen[:, -1:]
        for tracks, colour in ((target, GREEN), (single, BLUE)):
            for track in np.concatenate([start, tracks[:, :ahead]], axis=1):
                _line(pen, view.points(track), colour, 2)
        _dots(pen, view.points(target[:, ahead - 1]), GREEN, 4)
        _crosses(pen, view.points(single[:, ahead - 1]), BLUE, 4)
    _footer(pen, view, f"{ahead * seconds:+.1f} s" if ahead else "now", sampled=samples.shape[1] > 0)
    return picture.resize((width, height + _FOOTER), Image.Resampling.LANCZOS)


def _line(pen: ImageDraw.ImageDraw, points: Points, colour: str, width: int) -> None:
    if len(points) > 1:
        pen.line(points, fill=colour, width=width * _FINER, joint="curve")


def _dots(pen: ImageDraw.ImageDraw, points: Points, colour: str, radius: int) -> None:
    size = radius * _FINER
    for x, y in points:
        pen.ellipse((x - size, y - size, x + size, y + size), fill=colour)


def _crosses(pen: ImageDraw.ImageDraw, points: Points, colour: str, radius: int) -> None:
    size = radius * _FINER
    for x, y in points:
        pen.line((x - size, y - size, x + size, y + size), fill=colour, width=2 * _FINER)
        pen.line((x - size, y + size, x + size, y - size), fill=colour, width=2 * _FINER)


def _footer(pen: ImageDraw.ImageDraw, view: _View, moment: str, *, sampled: bool) -> None:
    """The time, what the colours mean, and a bar of some metres under the picture."""
    width, height = view.size[0] * _FINER, view.size[1] * _FINER
    pen.rectangle((0, height, width, height + _FOOTER * _FINER), fill="white")
    font = ImageFont.load_default(13 * _FINER)
    level = height + 7 * _FINER
    bar = bar_length(view.size[0] * _FINER / view.scale)
    entries = [
        ("seen", _BLACK),
        ("true", GREEN),
        ("predicted", BLUE),
        *([("samples", _LIGHT)] if sampled else []),
    ]
    pen.text((8 * _FINER, level), moment, fill=_BLACK, font=font)
    for place, (name, colour) in enumerate(entries):
        left = (90 + 100 * place) * _FINER
        _dots(pen, [(left, level + 8 * _FINER)], colour, 4)
        pen.text((left + 9 * _FINER, level), name, fill=_BLACK, font=font)
    right = width - 8 * _FINER
    pen.text((right, level), f"{bar:g} m", fill=_BLACK, font=font, anchor="ra")
    _line(pen, [(right - bar * view.scale, level - 2), (right, level - 2)], _BLACK, 2)


def _gif(pictures: Sequence[Image.Image], duration: int) -> bytes:
    palette = Image.new("P", (1, 1))
    palette.putpalette(_shades())
    first, *rest = (one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures)
    stream = io.BytesIO()
    first.save(
        stream,
        format="GIF",
        save_all=True,
        append_images=rest,
        duration=[*[duration] * (len(pictures) - 1), _LAST],
        loop=0,
    )
    return stream.getvalue()


def _shades() -> list[int]:
    """Red, green and blue of every colour drawn, in steps down to white."""
    shares = np.linspace(1, 0, _SHADES)[:, None]
    ramps = [
        255 + shares * (np.array(ImageColor.getrgb(name)) - 255)
        for name in (_BLACK, _GREY, _LIGHT, GREEN, BLUE)
    ]
    return [int(value) for value in np.concatenate(ramps).round().reshape(-1)]
