"""A loss or weights that are not finite: at which step, of which samples, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from fivefold.data.dataset import Dataset

_NAMED = 5  # samples that a message names


class Divergence(Exception):  # noqa: N818 - caught in the loop, which makes a TrainingError of it
    """A training has left the finite numbers.

    Args:
        what: what is not finite, up to the word "step".
        step: where, counted from 0.
    """

    def __init__(self, what: str, step: int) -> None:
        super().__init__(what, step)
        self.what = what
        self.step = step


def culprit(step: int, left_out: Collection[int]) -> int:
    """The step to leave out after the loss of ``step`` was not finite.

    If the step before it is left out already and the loss is still not finite, an earlier update made the
    weights so: then it is the last that is not left out yet.
    """
    earlier = step - 1
    if earlier not in left_out:
        return step
    while earlier in left_out:
        earlier -= 1
    return max(earlier, 0)


def describe_divergence(
    fault: Divergence, data: Dataset, members: Tensor, rates: Sequence[float], saved_step: int | None
) -> str:
    """The sentence for the user.

    Args:
        fault: what happened.
        data: the training samples.
        members: those that the step saw, int64, shape ``(B,)``.
        rates: learning rate of each phase at the step.
        saved_step: of the last good checkpoint.
    """
    kept = "none was saved before" if saved_step is None else f"the last good one is of step {saved_step}"
    shown = ", ".join(f"{rate:.3g}" for rate in rates)
    return (
        f"{fault.what} step {fault.step + 1} (learning rate {shown}, checkpoint: {kept}), "
        f"{_samples(data, members)}; lower --optimizer.lr, set --optimizer.clip-norm 1, mend the samples, "
        "or take --trainer.non-finite skip or roll-back"
    )


def _samples(data: Dataset, members: Tensor) -> str:
    odd = [index for index in members.tolist() if not _is_finite(data, index)]
    names = [f"'{data.ids[index]}'" for index in odd or members.tolist()]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    listed = ", ".join(names[:_NAMED]) + more
    return f"where {listed} hold values that are not finite" if odd else f"on the samples {listed}"


def _is_finite(data: Dataset, index: int) -> bool:
    batch = data.batch(torch.tensor([index]))
    return all(bool(torch.isfinite(tensor).all()) for tensor in batch.values() if tensor.is_floating_point())
