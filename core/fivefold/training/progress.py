"""What people see of a training: a live bar in a terminal, else a line an epoch; on stderr."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from fivefold.training.callback import Callback

_REFRESH = 0.1  # seconds between moves of the bar; between them a step costs one look at the clock


class ProgressDisplay(Callback):
    """Shows epoch, steps, loss, validation metric, samples a second and the time left.

    Args:
        console: where to show it; stderr where not given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar: Progress | None = None
        self._info: dict[str, Any] = {}
        self._train: dict[str, Any] = {}
        self._val: dict[str, Any] = {}
        self._moved = 0.0

    def on_start(self, info: dict[str, Any]) -> None:
        """Say what is trained on what, and open the bar."""
        self._info = info
        going_on = f", from step {info['step']}" if info["step"] else ""
        self._console.print(
            f"Training {info['parameters']:,} parameters on {info['samples']:,} samples "
            f"for {info['epochs']} epochs of {info['steps_per_epoch']} steps "
            f"({info['device']}, {info['precision']}){going_on}",
            highlight=False,
            soft_wrap=True,
        )
        if self._console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[news]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.add_task(
                "training",
                total=info["steps"],
                completed=info["step"],
                epoch=1,
                epochs=info["epochs"],
                news="",
            )
            self._bar.start()

    def tick(self, step: int) -> None:
        """A step was made; moves the bar now and then."""
        if self._bar is None:
            return
        now = time.perf_counter()
        if now - self._moved > _REFRESH:
            self._moved = now
            self._move(step)

    def on_log(self, record: dict[str, Any]) -> None:
        """Take in the numbers; without a terminal, print a line after each validation or epoch."""
        if record["split"] == "train":
            self._train = record
        else:
            self._val = record
        if self._bar is not None:
            self._move(record["step"])
        elif record["split"] == "val" or (
            not self._info["monitor"] and record["step"] % self._info["steps_per_epoch"] == 0
        ):
            epoch = round(record["step"] / self._info["steps_per_epoch"])
            self._console.print(
                f"epoch {epoch}/{self._info['epochs']}  {self._news()}", highlight=False, soft_wrap=True
            )

    def on_end(self, info: dict[str, Any]) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._move(info["step"])
            self._bar.stop()
            self._bar = None

    def _move(self, step: int) -> None:
        if self._bar is not None:
            epoch = min(step // self._info["steps_per_epoch"] + 1, self._info["epochs"])
            self._bar.update(self._bar.task_ids[0], completed=step, epoch=epoch, news=self._news())

    def _news(self) -> str:
        news = [
            f"{name} {value:.4g}"
            for name, value in self._train.items()
            if name == "loss" or name.endswith("/loss")
        ]
        monitor = self._info["monitor"]
        if monitor in self._val:
            news.append(f"val {monitor} {self._val[monitor]:.4g}")
        if "samples_per_second" in self._train:
            news.append(f"{self._train['samples_per_second']:,.0f} samples/s")
        return "  ".join(news)
