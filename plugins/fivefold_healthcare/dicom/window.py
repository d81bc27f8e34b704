"""From values to grey levels: the file's own view, a chosen window, or percentiles."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import ConfigError

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_GIVEN = re.compile(rf"({_NUMBER}),({_NUMBER})")
_PERCENTILES = re.compile(rf"({_NUMBER})%,({_NUMBER})%")


@dataclass(frozen=True)
class Window:
    """How values become grey levels.

    Attributes:
        kind: ``auto`` is the file's own lookup table or window, and the full range where it has none; ``full``
            is the range of the values; ``given`` is the window (centre ``first``, width ``second``);
            ``percentiles`` is from the percentile ``first`` to ``second`` of the values.
        first, second: see ``kind``.
    """

    kind: Literal["auto", "full", "given", "percentiles"] = "auto"
    first: float = 0.0
    second: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """``auto``, ``full``, ``40,400`` (centre, width) or ``1%,99%`` (percentiles).

        Raises:
            ConfigError: it is none of these, the width is not positive, or the percentiles do not ascend.
        """
        squeezed = text.replace(" ", "").lower()
        if squeezed in {"auto", "full"}:
            return cls("auto" if squeezed == "auto" else "full")
        given = _GIVEN.fullmatch(squeezed)
        if given and math.isfinite(float(given[1])) and 0 < float(given[2]) < math.inf:
            return cls("given", float(given[1]), float(given[2]))
        shares = _PERCENTILES.fullmatch(squeezed)
        if shares and 0 <= float(shares[1]) < float(shares[2]) <= 100:  # noqa: PLR2004 - percent
            return cls("percentiles", float(shares[1]), float(shares[2]))
        raise ConfigError(
            f"window '{text}': expected auto, full, a centre and a positive width such as 40,400, or ascending "
            "percentiles such as 1%,99%"
        )

    def inverted(self) -> Self:
        """The same view of values of which low ones are shown bright: percentiles count from the dark end again."""
        if self.kind != "percentiles":
            return self
        return replace(self, first=100 - self.second, second=100 - self.first)

    def bounds(self, values: NDArray[Any]) -> tuple[float, float]:
        """The values that become black and white; not for ``auto``, which the file decides.

        Values that are not finite take no part.
        """
        if self.kind == "given":
            return self.first - self.second / 2, self.first + self.second / 2
        finite = values[np.isfinite(values)]
        if not finite.size:
            return 0.0, 1.0
        if self.kind == "percentiles":
            low, high = np.percentile(finite, [self.first, self.second])
            return float(low), float(high)
        return float(finite.min()), float(finite.max())


def grey_levels(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """``values`` scaled so that ``low`` is 0 and ``high`` 255, rounded and clipped; what is no number is 0.

    Where both are equal there is nothing to tell apart, and all is 0.
    """
    scale = 255.0 / (high - low) if high > low else 0.0
    levels = np.nan_to_num((values.astype(np.float64) - low) * scale, nan=0.0, posinf=255.0, neginf=0.0)
    return np.asarray(np.clip(np.round(levels), 0, 255), dtype=np.uint8)
