"""The model card: what CLAIM and TRIPOD+AI ask to be reported, as far as the run itself knows it.

CLAIM: Tejani et al., Checklist for Artificial Intelligence in Medical Imaging, 2024 update, Radiology: Artificial
Intelligence 6(4). TRIPOD+AI: Collins et al., BMJ 385 (2024), e078378; its numbers of items stand in the table.
"""

from __future__ import annotations

from collections.abc import Iterator

from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Grid, Section
from fivefold.evaluation.verdict import overall
from fivefold.tasks.questions import Questions
from fivefold_healthcare.diagnose.config import DiagnoseConfig
from fivefold_healthcare.statement import STATEMENT

TO_FILL = "TO BE FILLED BY YOU"

Row = tuple[str, str, str]


def card_section(evaluation: Evaluation, task: Questions, config: DiagnoseConfig) -> Section:
    """The card; what only the user knows comes from the settings ``card``, and is marked where it is empty."""
    rows = tuple(_rows(evaluation, task, config))
    missing = sum(text.startswith(TO_FILL) for _, _, text in rows)
    text = "What the checklists CLAIM (2024) and TRIPOD+AI (2024) ask to be reported, as far as this run knows it."
    if missing:
        text += (
            f" {missing} fields can only be filled by you; give them by --card in the settings of the next "
            "training, or write them beside this report. A report to a journal or an authority is not "
            "complete without them."
        )
    return Section(
        title="Model card",
        text=text,
        grids=(Grid("Model card", ("Item", "Of TRIPOD+AI", "In this run"), rows),),
        facts={"items": [{"item": item, "tripod": number, "text": words} for item, number, words in rows]},
        key="model_card",
    )


def _rows(evaluation: Evaluation, task: Questions, config: DiagnoseConfig) -> Iterator[Row]:
    card, facts = config.card, evaluation.facts
    yield "Status", "", STATEMENT
    yield "Intended use and users", "items 3b, 25", _or_mark(card.intended_use, "intended-use")
    yield "Setting, source and dates of the images", "items 5, 6a", _or_mark(card.setting, "setting")
    yield "Eligibility", "item 6b", _or_mark(card.eligibility, "eligibility")
    yield "Preparation of the images", "item 7", _preparation(evaluation, config)
    yield "Reference standard (labels)", "item 8", _or_mark(card.reference_standard, "reference-standard")
    yield "What is predicted", "items 8, 15", _asked(task)
    yield "Number of samples", "items 10, 20", _numbers(evaluation)
    yield "Missing labels", "item 11", _missing(evaluation)
    yield "Partition of the data", "items 12, 16", _partition(evaluation)
    yield "Model and training", "items 12, 22", _model(config)
    yield "Class imbalance", "item 13", _imbalance(config)
    yield (
        "Fairness",
        "item 14",
        "Judged apart by the subgroups that are known; see Subgroups, or that none are known.",
    )
    yield (
        "Measures and their uncertainty",
        "item 12e",
        (
            f"AUROC, AUPRC, Brier score, log loss, calibration, decision curve; {100 * evaluation.level:g} % "
            f"intervals by bootstrap over {evaluation.unit_name}s, DeLong's test against each baseline."
        ),
    )
    yield "Performance", "item 23", f"{overall(evaluation)[1]}."
    yield (
        "Explanation and failures",
        "",
        "Grad-CAM of right and wrong answers, and images of unusual quality, in this report.",
    )
    yield (
        "Evaluation elsewhere",
        "items 16, 23",
        (
            "None in this report: the samples judged come from the same source as those trained on, unless "
            "you gave others. Judge on images of another site: fivefold healthcare diagnose evaluate RUN "
            "LABELS."
        ),
    )
    yield "Ethics and consent", "item 17", _or_mark(card.ethics, "ethics")
    yield "Funding and interests", "items 18a, 18b", _or_mark(card.funding, "funding")
    yield (
        "Software",
        "item 18f",
        "fivefold, open source; versions, seed, command and settings stand under Provenance.",
    )
    yield "Limitations", "item 26", _limits(evaluation, facts.get("unit") is not None)
    yield "Contact", "", _or_mark(card.contact, "contact")


def _or_mark(text: str, option: str) -> str:
    return text or f"{TO_FILL} (--card.{option})"


def _preparation(evaluation: Evaluation, config: DiagnoseConfig) -> str:
    facts = evaluation.facts
    size = [*([facts.depth] if facts.get("depth") else []), *facts.size]
    return (
        f"Brought to {' x '.join(map(str, size))} {'voxels' if facts.get('depth') else 'pixels'}, "
        f"{'grey' if facts.channels == 1 else 'colour'}, other proportions by '{config.fit}', values to 256 "
        f"levels by the window '{config.window}'."
    )


def _asked(task: Questions) -> str:
    kinds = {
        "independent": "each for itself",
        "exclusive": "one of these",
        "ordered": "grades in order",
    }
    thresholds = ", ".join(
        f"{name} from {float(threshold):.3f}"
        for name, threshold in zip(task.names, task.threshold, strict=True)
    )
    return (
        f"Probability of {', '.join(task.names)} ({kinds[task.form]}); yes: {thresholds}, fitted on the "
        f"validation split for a specificity of {100 * task.specificity:g} %."
    )


def _numbers(evaluation: Evaluation) -> str:
    facts = evaluation.facts
    yes = ", ".join(str(count) for count in facts.yes_counts)
    known = ", ".join(str(count) for count in facts.known_counts)
    units = "" if evaluation.units is None else f" of {len(set(evaluation.units.tolist())):,} patients"
    return f"Trained: yes {yes} of known {known}. Judged: {len(evaluation.ids):,} images{units}."


def _missing(evaluation: Evaluation) -> str:
    unknown = int((evaluation.outputs["target"] != evaluation.outputs["target"]).sum())
    if not unknown:
        return "None among the samples judged."
    return f"{unknown:,} answers of the samples judged are not known; they take part in neither loss nor metrics."


def _partition(evaluation: Evaluation) -> str:
    if evaluation.units is None:
        return "By image, because no patients are known; see the caution at the top."
    return "By patient; see Split and Leakage at the top."


def _model(config: DiagnoseConfig) -> str:
    name = config.model.name or config.model.kind
    return f"{name}, {config.epochs} epochs; the settings stand under Provenance."


def _imbalance(config: DiagnoseConfig) -> str:
    means = [
        *(["answers weighed so that yes and no count alike"] if config.class_weights else []),
        *([f"focal loss with exponent {config.focal:g}"] if config.focal else []),
    ]
    return (
        f"{' and '.join(means) or 'No correction'}; nothing was resampled, and probabilities were calibrated on the "
        "validation split."
    )


def _limits(evaluation: Evaluation, patients: bool) -> str:
    known = "" if patients else "Patients are not known. "
    return (
        f"{known}One source, one split, {len(evaluation.ids):,} images judged. A probability holds for "
        "patients like those trained on: where the prevalence differs it must be calibrated anew."
    )
