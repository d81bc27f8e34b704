"""What may watch a training: three calls, never from inside a step."""

from __future__ import annotations

from typing import Any


class Callback:
    """Watches a training. Override what you need; the training itself cannot be changed from here."""

    def on_start(self, info: dict[str, Any]) -> None:
        """The training starts or goes on.

        Args:
            info: ``directory``, ``device``, ``precision``, ``parameters``, ``samples``, ``epochs``,
                ``steps``, ``steps_per_epoch``, ``batch_size``, ``monitor``, and ``step``, where it goes on
                from.
        """

    def on_log(self, record: dict[str, Any]) -> None:
        """A record with ``split`` (``train`` or ``val``), ``epoch``, ``step`` and values was logged."""

    def on_end(self, info: dict[str, Any]) -> None:
        """The training ended.

        Args:
            info: ``status`` (``finished``, ``interrupted`` or ``failed``) and ``step``.
        """
