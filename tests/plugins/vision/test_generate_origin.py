"""Labels of origin, read back by Pillow and by an XML parser, which know nothing of how they were written."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from fivefold import __version__
from fivefold.images.decode import decode, encode_png
from fivefold_vision.generate.animation import animated_png
from fivefold_vision.generate.origin import Origin, labelled
from plugins.vision.pictures import picture

IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"


def opened(png: bytes) -> Pillow.Image:
    image = Pillow.open(io.BytesIO(png))
    image.load()
    return image


def description(packet: str) -> ET.Element:
    body = packet[packet.index("?>") + 2 : packet.rindex("<?")]
    found = ET.fromstring(body).find(f".//{RDF}")  # noqa: S314 - our own packet
    assert found is not None
    return found


@pytest.mark.parametrize("grey", [True, False])
def test_another_reader_finds_the_texts_and_the_same_pixels(grey: bool) -> None:
    pixels = picture(3, grey=grey)
    image = opened(labelled(encode_png(pixels), Origin("coats", {"seed": "17", "class": "coat"})))
    assert np.array_equal(np.asarray(image), pixels)
    texts = image.text  # type: ignore[attr-defined] # a PNG's
    assert texts["fivefold:model"] == "coats"
    assert texts["fivefold:seed"] == "17"
    assert texts["fivefold:class"] == "coat"
    assert texts["fivefold:version"] == __version__
    assert texts["fivefold:synthetic"] == "true"
    assert texts["Software"] == f"fivefold {__version__}"
    assert "Synthetic image" in texts["Description"]


def test_the_packet_says_what_archives_look_for() -> None:
    png = labelled(encode_png(picture()), Origin('a "run" & <more>'))
    packet = opened(png).info["XML:com.adobe.xmp"]
    packet = packet.decode() if isinstance(packet, bytes) else packet
    found = description(packet)
    assert found.attrib[IPTC] == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    assert found.attrib["{http://ns.adobe.com/xap/1.0/}CreatorTool"].endswith('model a "run" & <more>')


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30))
def test_texts_of_any_script_come_back(text: str) -> None:
    png = labelled(encode_png(picture()), Origin("model", {"class": text}))
    assert opened(png).text["fivefold:class"] == text  # type: ignore[attr-defined] # a PNG's


def test_our_own_reader_and_others_see_a_sound_file() -> None:
    png = labelled(encode_png(picture(1)), Origin("model"))
    with Pillow.open(io.BytesIO(png)) as image:
        image.verify()
    assert np.array_equal(decode(png, "x"), picture(1))


@pytest.mark.parametrize("grey", [True, False])
def test_an_animation_has_its_frames_and_its_label(grey: bool) -> None:
    frames = [picture(seed, 20, 24, grey=grey) for seed in range(4)]
    image = opened(labelled(animated_png(frames, 40), Origin("model", {"seed": "0 to 3"})))
    assert image.n_frames == 4  # type: ignore[attr-defined] # a PNG's
    assert image.text["fivefold:seed"] == "0 to 3"  # type: ignore[attr-defined] # a PNG's
    for number, frame in enumerate(frames):
        image.seek(number)
        assert image.info["duration"] == pytest.approx(40)
        shown = np.asarray(image.convert("L" if grey else "RGB"))
        assert np.array_equal(shown, frame)
