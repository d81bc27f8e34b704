"""Questions to be asked in tests: tasks, batches and validation outputs that fit each form."""

from __future__ import annotations

import numpy as np
import torch
from scipy import special
from torch import nn
from torch.nn import functional as F

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.tasks.questions import Questions

SIGNS = ("cough", "fever", "rash")
GRADES = ("none", "mild", "moderate", "severe")
FORMS = ("independent", "exclusive", "ordered")
NAN = float("nan")


def asked(form="independent", network=None, **rest):
    """Three questions of that form, over the network's own three outputs."""
    classes = {"independent": (), "exclusive": SIGNS, "ordered": GRADES}[form]
    names = GRADES[1:] if form == "ordered" else SIGNS
    return Questions(network or nn.Identity(), names, form=form, classes=classes, **rest)


def batch(form="independent", count=12, *, unknown=False):
    """Logits to be passed through, and answers that fit the form; some not known where asked for."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, 3, generator=generator)
    if form == "exclusive":
        target = F.one_hot(torch.randint(3, (count,), generator=generator), 3).float()
    elif form == "ordered":
        target = (torch.randint(4, (count, 1), generator=generator) > torch.arange(3)).float()
    else:
        target = torch.randint(2, (count, 3), generator=generator).float()
    if unknown and form == "exclusive":
        target[1::4] = NAN
    elif unknown:
        target[torch.rand(count, 3, generator=generator) < 0.3] = NAN
    return {"input": logits, "target": target}


def facts_of(yes, known):
    """A training split of which only the counts matter."""
    facts = Facts(yes_counts=list(yes), known_counts=list(known))
    return TensorDataset({"input": torch.zeros(1, 3)}, facts=facts, ids=np.arange(1))


def drawn(form="independent", count=600, slope=0.5, shift=0.7):
    """Logits that are too extreme by ``1 / slope``, and answers drawn from what they should have been."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, (count, 3))
    if form == "exclusive":
        chances = special.softmax(slope * logits, axis=1)
        chosen = (generator.random((count, 1)) > chances.cumsum(axis=1)).sum(axis=1)
        target = np.eye(3)[chosen]
    elif form == "ordered":
        logits = np.sort(logits, axis=1)[:, ::-1]
        target = (generator.random((count, 1)) < special.expit(slope * logits + shift)).astype(float)
    else:
        target = (generator.random((count, 3)) < special.expit(slope * logits + shift)).astype(float)
    return {"logits": logits.astype(np.float32), "target": target.astype(np.float32)}


def outputs_of(task, given_batch):
    return {name: tensor.detach().numpy() for name, tensor in task.predict(given_batch).items()}
