"""How a table of transactions is to be read: names of its columns, and how its times are meant."""

from __future__ import annotations

from fivefold.config import StrictModel


class ColumnsConfig(StrictModel):
    """Names of the columns; those not given are recognised by usual names, and the report says which were taken."""

    time: str | None = None
    """When: a date and time, or seconds since the first transaction."""
    account: str | None = None
    """The card or account that paid; 'none' takes none, whatever the columns are called."""
    amount: str | None = None
    """How much."""
    label: str | None = None
    """1 for fraud, 0 for genuine, empty where it is not known."""
    label_time: str | None = None
    """When it became known whether the transaction is fraud, such as the day of the complaint."""
    id: str | None = None
    """The transaction's own name."""
    categories: tuple[str, ...] = ()
    """Columns of numbers that are names in truth, such as the number of a merchant."""
    ignore: tuple[str, ...] = ()
    """Columns that are not to be learned from."""


SYNONYMS: dict[str, tuple[str, ...]] = {
    "time": (
        "time",
        "timestamp",
        "datetime",
        "date",
        "transactiontime",
        "transactiondatetime",
        "transactiondate",
        "txdatetime",
        "transdatetranstime",
        "step",
    ),
    "account": (
        "card",
        "account",
        "cardid",
        "accountid",
        "cardnumber",
        "ccnum",
        "customer",
        "customerid",
        "nameorig",
    ),
    "amount": ("amount", "amt", "transactionamount", "txamount", "value"),
    "label": ("label", "class", "isfraud", "fraud", "txfraud", "fraudlabel", "target"),
    "label_time": ("labeltime", "reportedat", "reporttime", "labelledat", "labeldate", "chargebackdate"),
    "id": ("id", "transactionid", "txid", "transnum", "transaction"),
}
"""Usual names of the columns, without capitals, spaces and marks; the first that is there is taken."""

NONE = "none"
"""In place of a column's name: there is none, whatever the columns are called."""
