"""The settings that every pipeline has."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class StrictModel(BaseModel):
    """A settings model that refuses unknown keys and wrong defaults."""

    model_config = ConfigDict(
        extra="forbid", validate_default=True, frozen=True, use_attribute_docstrings=True
    )


class OptimizerConfig(StrictModel):
    """How parameters are updated."""

    name: Literal["adamw", "sgd", "muon"] = "adamw"
    """Update rule."""
    lr: float = Field(1e-3, gt=0)
    """Peak learning rate."""
    weight_decay: float = Field(0.01, ge=0)
    """Decoupled weight decay; norms and biases are spared."""
    momentum: float = Field(0.9, ge=0, lt=1)
    """Momentum of SGD (Nesterov) and Muon; beta 1 of AdamW."""
    beta2: float = Field(0.999, ge=0, lt=1)
    """Beta 2 of AdamW."""
    clip_norm: float | None = Field(None, gt=0)
    """Largest gradient norm; larger ones are scaled down to it."""


class ScheduleConfig(StrictModel):
    """How the learning rate moves."""

    name: Literal["onecycle", "cosine", "constant"] = "onecycle"
    """Shape: warm up linearly then fall (onecycle to zero linearly, cosine along a half wave), or stay."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of all steps spent warming up."""
    final: float = Field(0.0, ge=0, le=1)
    """Learning rate at the end, as a share of the peak."""


class TrainerConfig(StrictModel):
    """How the training runs."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of forward and backward; auto takes bfloat16 where the device has it in hardware."""
    accumulate: int = Field(1, ge=1)
    """Batches gathered before each update."""
    ema: float | None = Field(None, gt=0, lt=1)
    """Decay of an exponential moving average of the weights, which is then judged and saved."""
    log_every: int = Field(20, ge=1)
    """Steps between log lines."""
    checkpoint_every: int | None = Field(None, ge=1)
    """Steps between checkpoints; one at each epoch's end where not given."""
    keep: int = Field(2, ge=1)
    """Newest checkpoints kept, beside the best."""
    monitor: str | None = None
    """Validation metric that names the best checkpoint; the task's headline where not given."""
    patience: int | None = Field(None, ge=1)
    """Epochs without a better validation metric before stopping early; never where not given."""
    workers: int = Field(2, ge=0)
    """Threads that read and decode samples ahead, where data are not held in memory."""
    memory_share: float = Field(0.25, ge=0, le=1)
    """Data sets smaller than this share of the device's memory are kept there."""


class EvaluationConfig(StrictModel):
    """How the model is judged."""

    resamples: int = Field(1000, ge=100)
    """Bootstrap resamples behind each interval."""
    level: float = Field(0.95, gt=0.5, lt=1)
    """Confidence level of the intervals."""


class PipelineConfig(StrictModel):
    """Settings that every pipeline has; a pipeline's own config derives from this."""

    seed: int = Field(0, ge=0)
    """Seed of splits, initial weights, order, augmentation and bootstrap."""
    epochs: int = Field(10, ge=1)
    """Passes over the training split."""
    batch_size: int = Field(64, ge=1)
    """Samples a batch."""
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    trainer: TrainerConfig = TrainerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
