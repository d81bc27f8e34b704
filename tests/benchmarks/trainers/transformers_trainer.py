"""transformers: its `Trainer` on a module that returns its loss; no clipping, no bar, no checkpoints, no reports.

Batches come from a `DataLoader` of whole batches (see `feeding`) by overriding `get_train_dataloader`, as documented;
it is not prepared again, which spares the trainer a copy to the device. The filter for losses that are not numbers is
off, because it waits for the device at each step.
"""

from __future__ import annotations

import tempfile
from typing import Any

import transformers
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from benchmarks.trainers.feeding import data_loader
from benchmarks.trainers.trial import NotPossibleError, Trial

NAME = "transformers"
transformers.logging.set_verbosity_error()


class WithLoss(nn.Module):
    """The network and its loss, as transformers' models have it."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.network = trial.network
        self._tick = trial.tick

    def forward(self, input: Tensor, target: Tensor) -> dict[str, Tensor]:  # noqa: A002 - the batch's key
        self._tick()
        return {"loss": F.cross_entropy(self.network(input), target)}


class OwnBatches(transformers.Trainer):
    """The trainer, reading the trial's batches."""

    def __init__(self, batches: DataLoader[Any], **settings: Any) -> None:
        super().__init__(train_dataset=batches.dataset, **settings)
        self._batches = batches

    def get_train_dataloader(self) -> DataLoader[Any]:
        return self._batches


def train(trial: Trial) -> None:
    """Train.

    Raises:
        NotPossibleError: there are two optimizers.
    """
    if trial.adversarial:
        raise NotPossibleError(
            "transformers.Trainer has one optimizer and one loss; it has no way to train a GAN"
        )
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder,
            max_steps=trial.length.total,
            per_device_train_batch_size=trial.problem.batch_size,
            logging_steps=trial.problem.log_every,
            logging_nan_inf_filter=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            max_grad_norm=0.0,
            lr_scheduler_type="constant",
            remove_unused_columns=False,
            use_cpu=trial.device.type == "cpu",
        )
        trainer = OwnBatches(
            data_loader(trial),
            model=WithLoss(trial),
            args=arguments,
            optimizers=(trial.optimizer(), None),
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
