"""Facts of the training split: all that networks, predictions and streams must know of the data."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from fivefold.data.dataset import Facts
from fivefold.errors import DataError
from fivefold_finance.fraud.config import FraudConfig
from fivefold_finance.fraud.data import CLASSES
from fivefold_finance.fraud.encoding import column_names, vocabulary
from fivefold_finance.transactions.options import NONE
from fivefold_finance.transactions.schema import Transactions


def measure(train: Transactions, config: FraudConfig, kind: str, unit: str) -> Facts:
    """The facts of the training transactions alone.

    Args:
        train: the training split.
        config: the settings.
        kind: of the network: ``mlp``, ``gru`` or ``autoencoder``.
        unit: the independent unit of intervals.

    Raises:
        DataError: the network reads histories, and no accounts are known.
    """
    if kind == "gru" and train.accounts is None:
        raise DataError(
            f"{train.source}: expected a column of cards or accounts, whose history the GRU reads, found none; name it "
            "by --columns.account, or take --model.kind mlp"
        )
    aged = kind == "gru"
    labels = np.full(len(train), np.nan) if train.labels is None else train.labels
    roles = {name: value for name, value in asdict(train.roles).items() if name != "found"}
    numbers = [*train.numbers.values(), train.amounts]
    return Facts(
        kind=kind,
        classes=list(CLASSES),
        labelled=bool((~np.isnan(labels)).any()),
        yes_counts=[int((labels == 1).sum())],
        known_counts=[int((~np.isnan(labels)).sum())],
        numbers=list(train.numbers),
        categories=vocabulary(train, config.rare),
        columns=column_names(train, time_of_day=config.time_of_day, aged=aged),
        gaps=[place for place, column in enumerate(numbers) if np.isnan(column).any()],
        time_of_day=config.time_of_day,
        lookback=config.lookback if aged else 0,
        days=config.days,
        account=train.roles.account,
        roles={name: NONE if value is None else value for name, value in roles.items()},
        unit=unit,
    )
