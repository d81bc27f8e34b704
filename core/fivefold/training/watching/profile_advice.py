"""One sentence of advice from where the time goes: the greatest waste, and the setting that lessens it."""

from __future__ import annotations

from collections.abc import Mapping

_BEARABLE = {"data": 0.1, "communication": 0.15, "optimizer": 0.25, "other": 0.2, "idle": 0.15}
"""Shares up to which a part is no waste: some of each a training must have."""

UNSEEN = (
    "Nothing that ran on the device was recorded, so these shares do not tell where its time goes: let "
    "processes read its counters (a setting of its driver), or of the container, and profile again."
)
"""Where the device may not be watched."""


def advise(shares: Mapping[str, float], costliest: str, *, on_device: bool) -> str:
    """What to do about the greatest of the shares that are larger than they need be.

    Args:
        shares: part's name to its share of the time.
        costliest: name of the costliest operator; empty where there is none.
        on_device: whether the time is that of a CUDA device, else that of the processor.
    """
    wastes = {part: shares[part] for part, bearable in _BEARABLE.items() if shares[part] > bearable}
    if wastes:
        part = max(wastes, key=lambda name: wastes[name])
        what, remedy = _REMEDIES_ON_DEVICE[part] if on_device else _REMEDIES[part]
        return f"{what} {_percent(wastes[part])} of the time: {remedy}."
    network = shares["forward"] + shares["backward"]
    most = f", most of it in {costliest}" if costliest else ""
    return (
        f"The network itself takes {_percent(network)} of the time{most}, as it should: "
        "only a smaller network, a faster device or, where that has it in hardware, bfloat16 "
        "(--trainer.precision) would shorten the steps."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} percent"


_REMEDIES_ON_DEVICE = {
    "data": (
        "The training waits for data",
        "raise --trainer.workers, or keep the data on the device (--trainer.memory-share)",
    ),
    "communication": (
        "The device waits for other processes",
        "update less often (--trainer.accumulate), or send less (--trainer.compression bfloat16)",
    ),
    "optimizer": (
        "The optimizer takes",
        "update less often, by a larger --batch-size or --trainer.accumulate",
    ),
    "other": (
        "What is neither forward, backward nor optimizer takes",
        "look in the trace for what runs outside them, and raise --trainer.log-every",
    ),
    "idle": (
        "The device has nothing to do",
        "give it more at once by a larger --batch-size, or start its work sooner by --trainer.compile on",
    ),
}
"""Part to what it means and what helps."""

_REMEDIES = {
    **_REMEDIES_ON_DEVICE,
    "data": (
        "The training waits for data",
        "raise --trainer.workers, or keep the data in memory where they fit",
    ),
    "communication": (
        "The training waits for other processes",
        "update less often (--trainer.accumulate), or send less (--trainer.compression bfloat16)",
    ),
    "idle": (
        "Outside the parts of the step passes",
        "raise --trainer.log-every and --trainer.checkpoint-every, or give a step more by a larger --batch-size",
    ),
}
