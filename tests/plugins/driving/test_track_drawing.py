"""Pictures and animations of predicted tracks, decoded again."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from fivefold.evaluation.page import data_uri
from fivefold_driving.predict.animation import animation, densest_window
from fivefold_driving.predict.drawing import bar_length, error_figure, legend, track_figure

NAN = float("nan")
GREEN, BLUE, LIGHT = (0, 158, 115), (0, 114, 178), (169, 207, 230)


def outputs(windows=1):
    """One agent goes east and is predicted north; another is there only while it is seen; a third never."""
    seen = np.array([[[-2.0, 0], [-1, 0], [0, 0]], [[-2, 2], [-1, 2], [0, 2]], [[NAN, NAN]] * 3])
    target = np.array([[[1.0, 0], [2, 0]], [[NAN, NAN]] * 2, [[NAN, NAN]] * 2])
    single = np.array([[[0.0, 1], [0, 2]], [[1, 2], [2, 2]], [[NAN, NAN]] * 2])
    samples = np.stack([single, single + np.array([0.5, 0])], axis=1)
    found = {"seen": seen, "target": target, "single": single, "samples": samples}
    return {name: np.stack([of] * windows).astype(np.float32) for name, of in found.items()}


def opened(figure):
    return np.asarray(Image.open(io.BytesIO(figure.image)).convert("RGB")).astype(int)


def frames_of(figure):
    """The pictures of a GIF ``(frames, H, W, 3)``, and how long each stays, in milliseconds."""
    image = Image.open(io.BytesIO(figure.image))
    pictures, durations = [], []
    for frame in range(image.n_frames):
        image.seek(frame)
        pictures.append(np.asarray(image.convert("RGB")).astype(int))
        durations.append(image.info["duration"])
    return np.stack(pictures), durations


def near(picture, colour, within=24):
    """Where a picture has about that colour: rows and columns."""
    return np.argwhere(np.abs(picture - colour).max(axis=-1) <= within)


def test_a_track_is_drawn_where_it_lies():
    figure = track_figure(outputs(), 0, 0, "the caption")
    assert (figure.kind, figure.caption) == ("png", "the caption")
    picture = opened(figure)
    assert picture.shape == (300, 300, 3)
    true, predicted = near(picture, GREEN), near(picture, BLUE)
    # East is right and north is up.
    assert true[:, 1].max() > predicted[:, 1].max()
    assert predicted[:, 0].min() < true[:, 0].min()
    # The true track goes level to its end, and the dot there is round it.
    assert np.median(true[:, 0]) == pytest.approx(true[:, 0].mean(), abs=3)


def test_the_legend_tells_of_samples_where_several_are_drawn():
    several = outputs()
    one = {**several, "samples": several["samples"][:, :, :1]}
    assert "thin blue: samples" in legend(several)
    assert "thin blue" not in legend(one)
    # In the first picture the legend alone has that colour, apart from soft edges.
    with_samples, without = (
        len(near(frames_of(animation(found, 0, 0.4, "moving"))[0][0], LIGHT)) for found in (several, one)
    )
    assert with_samples > without + 20


def test_an_alone_agent_and_a_map():
    only = {name: of[:, :1] for name, of in outputs().items()}
    without = opened(track_figure(only, 0, 0, "one"))
    lined = opened(track_figure(only, 0, 0, "one", [np.array([[-1.0, -1.0], [2.0, -1.0]])]))
    assert len(near(lined, (200, 200, 200))) > len(near(without, (200, 200, 200))) + 50


@pytest.mark.parametrize(
    ("width", "length"), [(5.0, 1), (6.0, 2), (14.9, 2), (15.1, 5), (31, 10), (150, 50), (2.9, 0.5)]
)
def test_length_of_the_bar(width, length):
    assert bar_length(width) == pytest.approx(length)


def test_error_over_time():
    other = outputs()
    other["single"] = other["target"].copy()
    figure = error_figure({"Model": outputs(), "a $perfect$ one": other}, 0.4)
    root = ET.fromstring(figure.image)  # noqa: S314 - our own
    words = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Model", "a $perfect$ one", "Seconds ahead", "Mean error in metres"} <= set(words)
    # Two metres east is predicted to be two metres north.
    assert "Model 2.83 m, a $perfect$ one 0.00 m" in figure.alt


def test_an_animation_shows_each_frame_in_real_time():
    figure = animation(outputs(), 0, 0.4, "moving")
    assert figure.kind == "gif"
    assert data_uri(figure).startswith("data:image/gif;base64,R0lGOD")
    assert "2 agents, 1 of them judged: moving" in figure.alt
    pictures, durations = frames_of(figure)
    assert len(pictures) == 3 + 2
    assert durations == [400] * 4 + [1600]
    assert Image.open(io.BytesIO(figure.image)).info["loop"] == 0
    # The line of text under the picture names all colours in all frames.
    body = pictures[:, :-40]
    assert (body[:, 0, 0] >= 253).all()
    for frame in range(3):
        assert not len(near(body[frame], GREEN)) + len(near(body[frame], BLUE))
    for frame in (3, 4):
        assert len(near(body[frame], GREEN)) > 20
        assert len(near(body[frame], BLUE)) > 20
        assert len(near(body[frame], LIGHT)) > 5
    assert near(body[4], GREEN)[:, 1].max() > near(body[3], GREEN)[:, 1].max()


def test_an_animation_keeps_scale_and_size():
    wide = outputs()
    wide["target"][0, 0, 1] = [60.0, 0.0]
    pictures, _ = frames_of(animation(wide, 0, 0.4, "wide"))
    assert pictures.shape[1:] == (240 + 28, 640, 3)
    tall = outputs()
    tall["target"][0, 0, 1] = [0.0, 60.0]
    pictures, _ = frames_of(animation(tall, 0, 0.4, "tall"))
    assert pictures.shape[1:] == (560 + 28, 640, 3)
    rows, columns = near(pictures[-1][:-40], GREEN).T
    assert np.ptp(rows) > 10 * np.ptp(columns)


def test_an_animation_shows_the_map():
    without, _ = frames_of(animation(outputs(), 0, 0.4, "plain"))
    lined, _ = frames_of(animation(outputs(), 0, 0.4, "lined", [np.array([[-5.0, -1.0], [5.0, -1.0]])]))
    assert len(near(lined[0], (196, 196, 196))) > len(near(without[0], (196, 196, 196))) + 300


def test_the_densest_window_is_that_of_most_judged():
    many = outputs(windows=3)
    many["target"][1, 1] = 0.0
    assert densest_window(many) == 1
    assert densest_window(outputs(windows=3)) == 0
