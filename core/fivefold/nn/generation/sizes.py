"""How an image's edge comes about by doubling, and how wide the layers are on the way."""

from __future__ import annotations

from fivefold.errors import ConfigError

SIZES = (28, 32, 64, 128, 256)
"""Edges of images that there are networks for."""

_BASES = {28: 7}
_BASE = 4


def base_of(size: int) -> int:
    """Edge of the smallest feature map for images of edge ``size``: 4, or 7 for 28.

    Raises:
        ConfigError: there is no network for the size.
    """
    if size not in SIZES:
        raise ConfigError(
            f"networks for images expect an edge of {', '.join(map(str, SIZES))} pixels, found {size}; "
            "resize the images to one of these"
        )
    return _BASES.get(size, _BASE)


def widths_of(size: int, width: int, widest: int) -> list[int]:
    """Channels of the layers from the smallest feature map up to the last before the whole edge.

    Args:
        size: edge of the images.
        width: channels at half the edge; they double with each halving.
        widest: no more than so many.

    Raises:
        ConfigError: there is no network for the size.
    """
    doublings = (size // base_of(size)).bit_length() - 1
    return [min(width * 2**level, widest) for level in reversed(range(doublings))]
