"""What people see of a training: a live bar in a terminal, else a line an epoch; on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from fivefold.training.callback import Callback
from fivefold.training.watching.memory import in_words

_REFRESH = 0.5  # seconds between drawings of the bar: each takes the interpreter for a millisecond or two


class ProgressDisplay(Callback):
    """Shows epoch, steps, loss, validation metric, samples a second, data-wait, memory and the time left.

    Args:
        console: where to show it; stderr where not given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar: _Bar | None = None
        self._info: dict[str, Any] = {}
        self._train: dict[str, Any] = {}
        self._val: dict[str, Any] = {}
        self._began = 0.0
        self._moved = 0.0

    @property
    def live(self) -> bool:
        """Whether there is a bar that moves with the steps."""
        return self._bar is not None

    def on_start(self, info: dict[str, Any]) -> None:
        """Say what is trained on what, and open the bar."""
        self._info = info
        self._began = time.perf_counter()
        going_on = f", from step {info['step']}" if info["step"] else ""
        self._print(
            f"Training {info['parameters']:,} parameters on {info['samples']:,} samples "
            f"for {info['epochs']} epochs of {info['steps_per_epoch']} steps "
            f"({info['device']}, {info['precision']}){going_on}"
        )
        if self._console.is_terminal:
            self._bar = _Bar(self._console)
            self._bar.add_task(
                "training",
                total=info["steps"],
                completed=info["step"],
                epoch=self._epoch(info["step"]),
                epochs=info["epochs"],
            )
            self._bar.start()

    def tick(self, step: int) -> None:
        """A step was made; moves the bar now and then."""
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
            self._bar.news = self._news()
        elif record["split"] == "val" or (
            not self._info["monitor"] and record["step"] % self._info["steps_per_epoch"] == 0
        ):
            epoch = round(record["step"] / self._info["steps_per_epoch"], 2)
            news = "  ".join([self._news(), *self._time_left(record["step"])])
            self._print(f"epoch {epoch:g}/{self._info['epochs']}  {news}")

    def on_rewind(self, step: int) -> None:
        """Say so, and move the bar back."""
        self._print(f"Back to the checkpoint of step {step}")
        self._move(step)

    def on_end(self, info: dict[str, Any]) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._move(info["step"])
            self._bar.stop()
            self._bar = None

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _epoch(self, step: int) -> int:
        return min(step // int(self._info["steps_per_epoch"]) + 1, int(self._info["epochs"]))

    def _move(self, step: int) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=step, epoch=self._epoch(step))

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
        if "data_wait" in self._train:
            news.append(f"data wait {100 * self._train['data_wait']:.0f} %")
        if "memory_bytes" in self._train:
            total = self._info["device_memory"]
            of_all = "" if total is None else f" of {in_words(total)}"
            news.append(f"memory {in_words(self._train['memory_bytes'])}{of_all}")
        return "  ".join(news)

    def _time_left(self, step: int) -> Iterator[str]:
        made, left = step - self._info["step"], self._info["steps"] - step
        if made > 0 and left > 0:
            seconds = (time.perf_counter() - self._began) * left / made
            yield f"{timedelta(seconds=round(seconds))} left"


class _Bar(Progress):
    """The bar, and below it a line of news."""

    def __init__(self, console: Console) -> None:
        self.news = ""
        super().__init__(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            refresh_per_second=1 / _REFRESH,
        )

    def get_renderables(self) -> Iterator[RenderableType]:
        """The bar, then the news."""
        yield self.make_tasks_table(self.tasks)
        yield Text(self.news)
