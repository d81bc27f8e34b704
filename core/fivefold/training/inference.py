"""A task's outputs for every sample of a dataset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.tasks.base import Outputs, Task
from fivefold.training.loading.loader import Loader
from fivefold.training.processes.group import ALONE, Processes
from fivefold.training.speed.precision import (
    Precision,
    choose_precision,
    to_channels_last,
    wants_channels_last,
)


def predict_outputs(
    task: Task, dataset: Dataset, *, device: torch.device, batch_size: int = 256, precision: str = "float32"
) -> Outputs:
    """What `Task.predict` gives for every sample, once each, in the dataset's order.

    The task is moved to ``device``; its training or evaluation mode is as before afterwards.

    Args:
        task: the task.
        dataset: ``N`` samples, at least one.
        device: where to compute.
        batch_size: samples at once.
        precision: ``float32``, ``bfloat16`` or ``auto``.

    Returns:
        Name to array with first dimension ``N``; floating-point outputs are float32.

    Raises:
        DataError: there are no samples, or one cannot be read.
    """
    task.to(device)
    with Loader(dataset, device, workers=2, memory_share=0.25) as loader:
        return gather_outputs(
            task, loader, batch_size=batch_size, precision=choose_precision(precision, device, task)
        )


def gather_outputs(
    task: Task, loader: Loader, *, batch_size: int, precision: Precision, processes: Processes = ALONE
) -> Outputs:
    """`predict_outputs` for data that have a loader already and a task that is on its device.

    Samples of uneven length are predicted in order of length, and their outputs put back in the dataset's order.
    Several processes share the samples, each of which is predicted once; the first gets the outputs of all,
    the others an empty dict.
    """
    size = len(loader.dataset)
    if size == 0:
        raise DataError("there are no samples to predict; expected at least one")
    lengths = loader.dataset.lengths()
    order = torch.arange(size) if lengths is None else torch.argsort(lengths, stable=True)
    parts = torch.tensor_split(order, processes.count)
    outputs = _predict(task, loader, _equally_many(parts, processes.rank, batch_size), precision)
    shares = [
        {name: array[: len(part)] for name, array in share.items()}
        for share, part in zip(processes.collect(outputs), parts, strict=False)
    ]
    gathered = {
        name: np.concatenate([share[name] for share in shares]) for name in (shares[0] if shares else ())
    }
    if lengths is None:
        return gathered
    places = torch.argsort(order).numpy()
    return {name: array[places] for name, array in gathered.items()}


def _equally_many(parts: Sequence[Tensor], rank: int, batch_size: int) -> list[Tensor]:
    """The batches of one part; as many as of the largest, because shards of weights are gathered in step.

    What is missing is made up for by the first sample of all, whose outputs come last and are cut off.
    """
    batches = [batch for batch in torch.split(parts[rank], batch_size) if len(batch)]
    missing = -(-len(parts[0]) // batch_size) - len(batches)
    return batches + [torch.zeros(1, dtype=torch.int64)] * missing


def _predict(task: Task, loader: Loader, batches: Sequence[Tensor], precision: Precision) -> Outputs:
    channels_last = wants_channels_last(task)
    was_training = task.training
    task.eval()
    gathered: dict[str, list[Array]] = {}
    try:
        # Not inference_mode: what a module caches here (a positional table) must still train later.
        with torch.no_grad():
            for batch in loader.read(batches):
                with precision.context():
                    outputs = task.predict(to_channels_last(batch) if channels_last else batch)
                for name, output in outputs.items():
                    gathered.setdefault(name, []).append(_to_numpy(output))
    finally:
        task.train(was_training)
    return {name: np.concatenate(arrays) for name, arrays in gathered.items()}


def _to_numpy(output: Tensor) -> Array:
    array: Array = (output.float() if output.is_floating_point() else output).detach().cpu().numpy()
    return array
