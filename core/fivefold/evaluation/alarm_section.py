"""What went wrong while networks trained against each other, as the log tells it."""

from __future__ import annotations

from pathlib import Path

from fivefold.config.adversarial import LossKind
from fivefold.evaluation.section import Grid, Section
from fivefold.tasks.collapse import WINDOW, alarms_in
from fivefold.training.watching.records import read_records

_QUIET = "None of the signs of collapse or divergence showed in the training's log."
_RAISED = (
    f"Signs of collapse or divergence, by means over {WINDOW} steps. The checkpoint that is judged is the best one by "
    "the validation metric, and may lie before or after them."
)


def alarms_section(run: Path, loss: LossKind) -> Section:
    """The alarms of a run's training, each with its step and what to do; or that there were none.

    Args:
        run: the run's directory.
        loss: of the training.
    """
    alarms = alarms_in(read_records(run / "metrics.jsonl"), loss)
    grid = Grid(caption="Alarms", head=("Step", "What, and what to do"), rows=tuple(alarms))
    return Section(
        title="Alarms while training",
        text=_RAISED if alarms else _QUIET,
        grids=(grid,) if alarms else (),
        facts={"alarms": [{"step": step, "sentence": sentence} for step, sentence in alarms]},
        key="alarms",
    )
