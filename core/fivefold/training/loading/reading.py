"""Reading a batch, with an error that names the very sample which cannot be read."""

from __future__ import annotations

import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset
from fivefold.errors import DataError, FivefoldError

_SHOWN = 5  # samples that a message names


def read_batch(dataset: Dataset, indices: Tensor) -> Batch:
    """The samples at ``indices`` (int64, shape ``(B,)``).

    Raises:
        DataError: they could not be read. Each was then tried alone, and the message names those that fail.
    """
    try:
        return dataset.batch(indices)
    except (FivefoldError, MemoryError):
        raise  # the one names the file already, and the other is no fault of a sample
    except Exception as error:
        raise DataError(_failure(dataset, indices, error)) from error


def named(dataset: Dataset, indices: Tensor) -> str:
    """The names of the samples at ``indices``, as a message shows them."""
    names = [f"'{dataset.ids[index]}'" for index in indices.tolist()]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"the sample{'s' if len(names) > 1 else ''} {', '.join(names[:_SHOWN])}{more}"


def _failure(dataset: Dataset, indices: Tensor, error: Exception) -> str:
    failures: dict[int, Exception] = {}
    for index in dict.fromkeys(indices.tolist()):
        try:
            dataset.batch(torch.tensor([index]))
        except FivefoldError:
            raise
        except Exception as failure:  # noqa: BLE001 - a reader may raise anything
            failures[index] = failure
    if not failures:
        return (
            f"{named(dataset, indices)} could not be read together, but each of them alone: {_told(error)}; "
            "give all samples the same names, shapes and types, or try again if the cause may have passed"
        )
    return (
        f"{named(dataset, torch.tensor(list(failures)))} could not be read: "
        f"{_told(next(iter(failures.values())))}; "
        f"{'it is' if len(failures) == 1 else 'they are'} broken, or the reader does not know the form"
    )


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
