"""Records as TensorBoard event files: look at them with ``tensorboard --logdir RUN/tensorboard``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fivefold.training.callback import Callback

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter


class TensorBoard(Callback):
    """Writes every number of every record as the scalar ``split/name`` at its step.

    Args:
        directory: where the event files go.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._writer: SummaryWriter | None = None

    def on_start(self, info: dict[str, Any]) -> None:
        """Open the event file; what an earlier part wrote after the step to go on from is hidden."""
        self._open(info["step"])

    def on_log(self, record: dict[str, Any]) -> None:
        """Write the record's numbers."""
        if self._writer is None:
            return
        for name, value in record.items():
            if isinstance(value, int | float) and name != "step":
                self._writer.add_scalar(f"{record['split']}/{name}", value, record["step"])

    def on_rewind(self, step: int) -> None:
        """Go on in a new event file that hides what was written after ``step``."""
        self._close()
        self._open(step)

    def on_end(self, info: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        """Close the event file."""
        self._close()

    def _open(self, step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter  # noqa: PLC0415 - slow to import

        self._writer = SummaryWriter(str(self._directory), purge_step=step + 1 if step else None)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
