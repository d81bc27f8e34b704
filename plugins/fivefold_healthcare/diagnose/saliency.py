"""Where the network looked: Grad-CAM of true and false answers, one of each kind side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.gradcam import heat_maps
from fivefold.evaluation.section import Section
from fivefold.images.pictures import picture_figure, with_heat
from fivefold.tasks.questions import Questions
from fivefold_healthcare.diagnose.data import Images

QUESTIONS = 4
"""Questions shown, at most."""
EACH = 3
"""Cases of each kind where one question is asked; one of each where there are several."""

_VOLUME = 4  # axes of a volume (C, D, H, W)


def saliency_section(evaluation: Evaluation, task: Questions, samples: Images) -> Section | None:
    """Cases found, missed, falsely alarmed and rightly passed; None for networks without feature maps."""
    each = EACH if len(task.names) == 1 else 1
    chosen = [
        (question, row, kind)
        for question in range(min(QUESTIONS, len(task.names)))
        for row, kind in _rows(evaluation, task, question, each)
    ]
    if not chosen:
        return None
    rows = np.array([row for _, row, _ in chosen], dtype=np.int64)
    images = samples.pixels(rows)
    heat = heat_maps(task.network, images, [question for question, _, _ in chosen])
    if heat is None:
        return None
    probabilities = evaluation.outputs["probabilities"]
    several = len(task.names) > 1
    figures = []
    for place, (question, row, kind) in enumerate(chosen):
        of = f"{task.names[question]}, " if several else ""
        caption = f"{evaluation.ids[row]}: {of}{kind} ({probabilities[row, question]:.3f})"
        figures.append(picture_figure(side_by_side(images[place], heat[place]), caption))
    return Section(
        title="Where the model looked",
        text=(
            "Grad-CAM (Selvaraju et al. 2017) of the surest cases of each kind at the threshold: red places "
            "spoke for the finding, blue ones did not. Markers, tubes, borders or the side of the body in "
            "red are a sign that the model learned something else than meant. Of volumes, the slice that "
            "spoke most is shown. Such maps are coarse and prove nothing (Adebayo et al. 2018)."
        ),
        gallery=tuple(figures),
        key="saliency",
    )


def flat_picture(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture ``(C, H, W)`` as it is, of a volume ``(C, D, H, W)`` the middle slice."""
    return image[:, image.shape[1] // 2] if image.ndim == _VOLUME else image


def side_by_side(image: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture beside itself under its heat map; of a volume, the slice with the most heat."""
    if image.ndim == _VOLUME:
        place = int(heat.sum(axis=(1, 2)).argmax())
        image, heat = image[:, place], heat[place]
    return with_heat(image, heat)


def _rows(evaluation: Evaluation, task: Questions, question: int, each: int) -> list[tuple[int, str]]:
    """The surest samples of each kind, with its name."""
    scores = evaluation.outputs["probabilities"][:, question]
    truth = evaluation.outputs["target"][:, question]
    above = task.said(evaluation.outputs["probabilities"])[:, question]
    kinds: tuple[tuple[str, Array, int], ...] = (
        ("found", above & (truth == 1), -1),
        ("missed", ~above & (truth == 1), 1),
        ("false alarm", above & (truth == 0), -1),
        ("rightly passed", ~above & (truth == 0), 1),
    )
    found = []
    for name, members, sign in kinds:
        rows = np.flatnonzero(members)
        order = rows[np.argsort(sign * scores[rows], kind="stable")][:each]
        found += [(int(row), name) for row in order]
    return found
