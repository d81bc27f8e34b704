"""The alarms of an adversarial training, read from its log again."""

from __future__ import annotations

import json
from pathlib import Path

from core.tasks.adversarial_toys import lines
from fivefold.evaluation.alarm_section import alarms_section
from fivefold.tasks.collapse import alarms_in

COLLAPSED = [
    *lines(range(20, 620, 20)),
    {"split": "val", "step": 600, "fid": 3.0},
    *lines(range(620, 1000, 20), generator__diversity=0.1),
    *lines(range(1000, 1500, 20)),
    *lines(range(1500, 2000, 20), generator__loss=-40.0),
]


def test_each_is_told_with_its_step() -> None:
    (first, alike), (second, diverging) = alarms_in(COLLAPSED, "hinge")
    # Alike once the mean over 200 steps is 0.25 or less: at step 760 it is 0.26, of 160 steps at 0.1 and 40 at 0.9.
    # Divergence once a mean loss is 15 or more: at step 1540 it is 11.3, at 1560 15.4.
    assert (first, second) == (780, 1560)
    assert alike.startswith(
        "generated images are nearly alike (mean distance 0.18 of that of real ones) since step"
    )
    assert alike.endswith("raise --batch-size")
    assert diverging.startswith("losses diverge (discriminator 1, generator")


def test_what_is_not_finite_in_the_log_raises_none_and_breaks_nothing() -> None:
    assert alarms_in(lines(range(20, 900, 20), generator__loss=None), "hinge") == []


def test_section(tmp_path: Path) -> None:
    half = json.dumps(COLLAPSED[0])[:30]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in COLLAPSED) + half)
    section = alarms_section(tmp_path, "hinge")
    assert [step for step, _ in section.grids[0].rows] == [780, 1560]
    assert [alarm["step"] for alarm in section.facts["alarms"]] == [780, 1560]


def test_a_sound_training_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines(range(20, 900, 20)))
    )
    section = alarms_section(tmp_path, "hinge")
    assert (section.grids, section.facts) == ((), {"alarms": []})
    assert section.text.startswith("None of the signs")
