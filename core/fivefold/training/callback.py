"""What may watch a training: four calls, never from inside a step."""

from __future__ import annotations

from typing import Any


class EndOfTraining(Exception):  # noqa: N818 - no fault: the loop ends in order, as if patience had run out
    """A task's own watcher ends the training, in words for the user; see `Task.watchers`."""


class Callback:
    """Watches a training. Override what you need; the training itself cannot be changed from here.

    A callback that raises is told no more: the training goes on without it and a warning says so.
    """

    def on_start(self, info: dict[str, Any]) -> None:
        """The training starts or goes on.

        Args:
            info: ``directory``, ``name`` (the directory's own), ``config`` (all settings, as JSON has them),
                ``device``, ``precision``, ``parameters``, ``samples``, ``epochs``, ``steps``,
                ``steps_per_epoch``, ``batch_size``, ``monitor``, ``step``, where it goes on from, and
                ``device_memory``, the bytes that a CUDA device has in all (None on the CPU).
        """

    def on_log(self, record: dict[str, Any]) -> None:
        """A record was logged: a line of ``metrics.jsonl``.

        Args:
            record: ``split`` (``train`` or ``val``), ``epoch``, ``step`` and values. Those of ``train`` are
                losses, their parts, learning rates, ``samples_per_second``, ``data_wait`` and
                ``memory_bytes``; those of ``val`` are metrics, and ``seconds``.
        """

    def on_rewind(self, step: int) -> None:
        """The training went back to ``step``: what was logged of later steps counts no more."""

    def on_end(self, info: dict[str, Any]) -> None:
        """The training ended.

        Args:
            info: ``status`` (``finished``, ``interrupted`` or ``failed``) and ``step``.
        """
