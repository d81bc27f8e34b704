"""Settings of networks that forecast series; `fivefold.nn.forecasting.build` builds them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from fivefold.config.kinds import refuse_fields_of_other_kinds
from fivefold.config.models import StrictModel

ForecasterKind = Literal["lstm", "gru", "tcn", "dlinear", "nlinear", "patch-tst"]

FIELDS: dict[ForecasterKind, frozenset[str]] = {
    "lstm": frozenset({"hidden", "layers", "dropout", "normalise"}),
    "gru": frozenset({"hidden", "layers", "dropout", "normalise"}),
    "tcn": frozenset({"hidden", "layers", "dropout", "kernel", "normalise"}),
    "dlinear": frozenset({"kernel", "individual", "normalise"}),
    "nlinear": frozenset({"individual"}),
    "patch-tst": frozenset({"hidden", "layers", "dropout", "heads", "patch", "stride", "normalise"}),
}
"""Which settings each kind of network has."""


class ForecasterConfig(StrictModel):
    """The network."""

    kind: ForecasterKind = "nlinear"
    """Architecture: recurrent (lstm, gru), causal convolutions (tcn), linear maps (dlinear, nlinear), or a
    transformer over patches (patch-tst)."""
    hidden: int | None = Field(None, ge=1)
    """Width of an lstm, gru or tcn (64), or of a patch-tst's patches (16)."""
    layers: int | None = Field(None, ge=1)
    """Layers of an lstm or gru (1) or patch-tst (3); of a tcn, as many as see the whole look-back."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Share of features dropped while training (0.1; patch-tst 0.3)."""
    kernel: int | None = Field(None, ge=2)
    """Steps of a tcn's convolutions (3), or of the moving average that is a dlinear's trend (25, odd)."""
    individual: bool | None = None
    """Whether a dlinear or nlinear has weights of its own for each target, instead of one set for all (no)."""
    heads: int | None = Field(None, ge=1)
    """Attention heads of a patch-tst (4); they divide hidden."""
    patch: int | None = Field(None, ge=1)
    """Steps of a patch of patch-tst (16)."""
    stride: int | None = Field(None, ge=1)
    """Steps from the beginning of one patch to that of the next (8)."""
    normalise: Literal["mean", "last", "off"] | None = None
    """What each window is shifted by before the network, and back after it: its mean or its last value, and scaled
    by its deviation. Of levels, mean for dlinear and patch-tst and last for the others; off for returns."""

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> Self:
        refuse_fields_of_other_kinds(self, self.kind, FIELDS)
        if self.kind == "dlinear" and self.kernel is not None and self.kernel % 2 == 0:
            raise ValueError(
                f"'kernel' of a dlinear must be odd, so that its mean lies in the middle, not {self.kernel}"
            )
        if self.kind == "patch-tst" and (self.hidden or 16) % (self.heads or 4):
            raise ValueError(
                f"'heads' must divide 'hidden', found {self.heads or 4} heads and hidden {self.hidden or 16}"
            )
        return self
