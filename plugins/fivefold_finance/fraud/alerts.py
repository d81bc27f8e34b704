"""Whether a budget of alerts leaves anything to choose."""

from __future__ import annotations

import numpy as np

from fivefold_finance.fraud.judged import day_numbers
from fivefold_finance.transactions.schema import Transactions


def endless_budget(judged: Transactions, alerts: int) -> tuple[str, ...]:
    """A sentence where ``alerts`` a day are at least as many as the transactions of known label of any day, else none.

    What is told at the budget would then be the same of every model.
    """
    if judged.labels is None:
        return ()
    _, counts = np.unique(day_numbers(judged.times[~np.isnan(judged.labels)]), return_counts=True)
    most = int(counts.max(initial=0))
    if not most or most > alerts:
        return ()
    told = (
        f"No day that is judged has more transactions than {most:,}, so that with {alerts:,} alerts a day every "
        "transaction is reviewed, whatever its score; set --costs.alerts-a-day lower."
    )
    return (told,)
