"""Labels of origin: a PNG file says that it is synthetic, which model made it, and by which seed.

Text goes into international text chunks (iTXt; PNG, W3C 2003, section 11.3.4.5), under the keywords that PNG names and
under ``fivefold:...``. The XMP packet (ISO 16684-1) stands in the chunk that XMP names for PNG, with IPTC's Digital
Source Type ``trainedAlgorithmicMedia``, which search engines and archives read (IPTC's NewsCodes).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from fivefold import __version__

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP_KEYWORD = "XML:com.adobe.xmp"
SYNTHETIC = "Synthetic image, made by a generative model; it shows nothing that exists"

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LENGTH, _KIND, _CHECK = 4, 4, 4  # bytes of a chunk beside its data


@dataclass(frozen=True)
class Origin:
    """Where a generated image comes from.

    Attributes:
        model: name of the run.
        details: what else is known, such as seed and class: short lower-case names to text.
    """

    model: str
    details: Mapping[str, str] = field(default_factory=dict)

    def texts(self) -> dict[str, str]:
        """Keywords and texts."""
        own = {"synthetic": "true", "model": self.model, "version": __version__, **self.details}
        return {
            "Description": SYNTHETIC,
            "Software": f"fivefold {__version__}",
            "Source": f"fivefold model {self.model}",
            **{f"fivefold:{name}": text for name, text in own.items()},
        }

    def packet(self) -> str:
        """The XMP packet."""
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about=""'
            ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
            ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
            f" xmp:CreatorTool={quoteattr(f'fivefold {__version__}, model {self.model}')}"
            f" Iptc4xmpExt:DigitalSourceType={quoteattr(SOURCE_TYPE)}/>"
            '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
        )


def labelled(png: bytes, origin: Origin) -> bytes:
    """The same picture with its origin, in chunks right after the header."""
    header, *rest = chunks_of(png)
    texts = [*origin.texts().items(), (XMP_KEYWORD, origin.packet())]
    own = [chunk(b"iTXt", _international(keyword, text)) for keyword, text in texts]
    return b"".join([SIGNATURE, chunk(*header), *own, *(chunk(*one) for one in rest)])


def chunks_of(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of each chunk of a well-formed PNG."""
    place = len(SIGNATURE)
    while place < len(png):
        size = int.from_bytes(png[place : place + _LENGTH], "big")
        start = place + _LENGTH + _KIND
        yield png[place + _LENGTH : start], png[start : start + size]
        place = start + size + _CHECK


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return len(data).to_bytes(_LENGTH, "big") + kind + data + zlib.crc32(kind + data).to_bytes(_CHECK, "big")


def _international(keyword: str, text: str) -> bytes:
    """Data of an iTXt chunk: not compressed, of no particular language."""
    return keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
