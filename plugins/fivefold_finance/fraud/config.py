"""Settings of fraud detection."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from fivefold.config import PipelineConfig, StrictModel
from fivefold.config.fields import ClassWeights, SplitShares
from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.zones import is_zone

ALERTS_A_DAY = 100
"""Alerts that are reviewed each day where nothing else is said, as in Le Borgne et al. 2022."""

Kind = Literal["auto", "mlp", "gru", "autoencoder"]


class FraudModelConfig(StrictModel):
    """The network."""

    kind: Kind = "auto"
    """Layers on the transaction alone (mlp); the same with a GRU over the account's last transactions (gru); or a
    network that learns from unlabelled data what is usual (autoencoder). auto takes gru where accounts are known."""
    hidden: int = Field(128, ge=4)
    """Width of the layers."""
    layers: int = Field(2, ge=1, le=8)
    """Layers before the last."""
    members: int = Field(16, ge=1, le=128)
    """Networks that share most of their weights, each trained for itself; their mean is what is predicted."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Share of units left out at each training step."""
    forget: float = Field(0.2, ge=0, lt=1)
    """Share of categories' names that count as unseen at each training step, so that few are learned by heart."""
    numbers: Literal["plain", "piecewise", "periodic"] = "plain"
    """How numbers enter: as they are; by pieces between quantiles; or as waves of learned lengths."""
    numbers_width: int = Field(8, ge=1)
    """Width of each number's embedding, unless plain."""
    pieces: int = Field(16, ge=2)
    """Pieces, or waves, of each number's embedding, unless plain."""
    state: int = Field(48, ge=4)
    """Width of the GRU's state."""
    bottleneck: int = Field(4, ge=1)
    """Width of the autoencoder's narrowest layer."""


class CostConfig(StrictModel):
    """What a review and a missed fraud cost you, and how many alerts a day you can review."""

    review: float = Field(5.0, ge=0)
    """Cost of reviewing one alert, in the currency of the amounts."""
    share_lost: float = Field(1.0, ge=0, le=1)
    """Share of the amount that is lost when a fraud is missed."""
    fixed_loss: float = Field(0.0, ge=0)
    """What a missed fraud costs besides its amount (fees, a new card), in the same currency."""
    alerts_a_day: int = Field(ALERTS_A_DAY, ge=1)
    """Alerts that can be reviewed each day; beyond them only the highest scores are."""


class FraudConfig(PipelineConfig):
    """Fraud detection: transactions, what is seen of them, network, split, and how it is judged."""

    reading: ClassVar[tuple[str, ...]] = (
        "columns.time",
        "columns.account",
        "columns.amount",
        "columns.label",
        "columns.label_time",
        "columns.id",
        "zone",
        "drop_duplicates",
    )

    columns: ColumnsConfig = ColumnsConfig()
    zone: str = "UTC"
    """IANA time zone of times that state none."""
    drop_duplicates: bool = False
    """Leave rows out that repeat an earlier one in every column."""
    label_delay: float = Field(0.0, ge=0)
    """Days until the label of a transaction is known, where the data do not say when."""
    lookback: int = Field(16, ge=2, le=512)
    """Transactions of an account that the GRU sees at most, the current one last."""
    days: float = Field(30.0, gt=0)
    """Days after which a transaction of an account is forgotten."""
    time_of_day: bool = True
    """Whether the time of day is learned from."""
    rare: int = Field(200, ge=1)
    """Names of a category that occur less often in training count as unseen, so that unseen ones are learned, too."""
    class_weights: ClassWeights = False
    specificity: float = Field(0.999, ge=0.5, lt=1)
    """Share of genuine transactions that must stay below the threshold of an alert, on the validation split."""
    split: SplitShares = SplitShares(train=0.6, val=0.2)
    model: FraudModelConfig = FraudModelConfig()
    costs: CostConfig = CostConfig()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if not is_zone(zone):
            raise ValueError(f"expected a zone of IANA's such as Europe/Brussels, found '{zone}'")
        return zone
