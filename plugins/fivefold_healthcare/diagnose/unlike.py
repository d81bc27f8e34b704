"""Images to predict that are of another modality than those that the model has learned from."""

from __future__ import annotations

from collections import Counter

from fivefold.data.dataset import Facts
from fivefold.data.table import Table
from fivefold_healthcare.diagnose.readers.choose import MODALITY

FACT = "modalities"

_NONE = "images without a DICOM header"


def modalities_of(table: Table) -> list[str]:
    """Modalities of a training split, each once; an empty text for images without a header."""
    return sorted({str(name) for name in table[MODALITY]}) if MODALITY in table else []


def unlike_notes(table: Table, facts: Facts) -> list[str]:
    """A sentence where images are of modalities that the training images were not of.

    Args:
        table: images to predict.
        facts: of the training split; of a run that does not know its modalities nothing is said.
    """
    known = facts.get(FACT)
    if not known or MODALITY not in table:
        return []
    # A picture without a header may be of any modality.
    other = Counter(str(name) for name in table[MODALITY] if name and name not in known)
    if not other:
        return []
    told = ", ".join(f"{name} {count:,}" for name, count in other.most_common())
    learned = ", ".join(name or _NONE for name in known)
    note = (
        f"{table.source}: {sum(other.values()):,} of {len(table):,} images are of a modality that the model has not "
        f"learned from ({told}; it learned from {learned}): its answers on them mean nothing that was tested."
    )
    return [note]
