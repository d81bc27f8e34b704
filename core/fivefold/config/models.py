"""The settings that every pipeline has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from fivefold.config.overlay import overlay
from fivefold.errors import ConfigError


class StrictModel(BaseModel):
    """A settings model that refuses unknown keys and wrong defaults.

    A group of settings that is given in part, as a mapping, keeps the rest of the default that this model states for
    it, which need not be that of the group's own class.
    """

    model_config = ConfigDict(
        extra="forbid", validate_default=True, frozen=True, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _complete_groups(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        own = {name: group.model_dump(exclude_unset=True) for name, group in default_groups(cls).items()}
        return {
            name: overlay(own[name], value) if name in own and isinstance(value, Mapping) else value
            for name, value in values.items()
        }


def default_groups(model: type[BaseModel]) -> dict[str, StrictModel]:
    """The groups of settings whose default in ``model`` sets something of its own, by their names."""
    return {
        name: field.default
        for name, field in model.model_fields.items()
        if isinstance(field.annotation, type)  # of a union the mapping may mean another member
        and isinstance(field.default, StrictModel)
        and field.default.model_fields_set
    }


class NoOptions(StrictModel):
    """Options of pipelines whose predictions have none."""


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
    keep_best: int = Field(1, ge=1)
    """Checkpoints kept for their validation metric, the best ones."""
    background_saving: bool = True
    """Write checkpoints in a thread beside the training; where not, the training waits for the disk."""
    monitor: str | None = None
    """Validation metric that names the best checkpoint; the task's headline where not given."""
    validate_every: int | None = Field(None, ge=1)
    """Steps between looks at the validation split; one at each epoch's end where not given."""
    patience: int | None = Field(None, ge=1)
    """Validations without a better metric before stopping early; never where not given."""
    non_finite: Literal["stop", "skip", "roll-back"] = "stop"
    """At a loss that is not finite: stop and name the samples, skip the update (reads a flag from the device
    at every step), or go back to the last checkpoint and leave those samples out."""
    workers: int = Field(2, ge=0)
    """Threads or processes that read and decode samples ahead, where data are not held in memory."""
    worker_kind: Literal["thread", "process"] = "thread"
    """What reads ahead: threads, or processes for readers that are slow in Python itself."""
    memory_share: float = Field(0.25, ge=0, le=1)
    """Data sets smaller than this share of the device's memory are kept there."""
    parallel: Literal["ddp", "fsdp", "hsdp"] = "ddp"
    """With several processes: whole copies of the network (ddp), shards of it (fsdp), or shards within a
    machine and copies between machines (hsdp); the latter two are experimental."""
    compression: Literal["none", "bfloat16"] = "none"
    """How gradients are compressed on their way between processes (ddp only)."""
    sync_batch_norm: bool = False
    """Whether batch norms take their statistics over the batches of all processes."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Whether repeated blocks are compiled; auto compiles on CUDA where the training is long enough."""
    graphs: Literal["auto", "on", "off"] = "auto"
    """Whether compiled blocks of static shapes run as CUDA graphs; auto does so where they are compiled."""
    probe: bool = True
    """Whether a short measurement may choose threads, precision and memory layout on a CPU."""
    activation_checkpointing: bool = False
    """Compute activations of repeated blocks again in the backward pass instead of keeping them."""
    offload_optimizer: bool = False
    """Keep the optimizer's state in the machine's memory and update there, to save the device's."""


class EvaluationConfig(StrictModel):
    """How the model is judged."""

    resamples: int = Field(1000, ge=100)
    """Bootstrap resamples behind each interval."""
    level: float = Field(0.95, gt=0.5, lt=1)
    """Confidence level of the intervals."""


def _number_or_auto(value: object, validate: ValidatorFunctionWrapHandler) -> int | str:
    """One sentence where a union would tell of each of its halves."""
    try:
        found: int | str = validate(value)
    except ValidationError:
        found = 0
    if isinstance(found, int) and found < 1:
        raise PydanticCustomError(
            "batch_size", "Input should be a number greater than or equal to 1, or auto"
        )
    return found


class PipelineConfig(StrictModel):
    """Settings that every pipeline has; a pipeline's own config derives from this."""

    reading: ClassVar[tuple[str, ...]] = ()
    """Names of the settings that only say how data are written, such as ``columns`` and ``encoding``, and nothing of
    what is learned; of a group also single ones (``columns.time``). `evaluate` and `predict` offer them as options."""

    seed: int = Field(0, ge=0)
    """Seed of splits, initial weights, order, augmentation and bootstrap."""
    epochs: int = Field(10, ge=1)
    """Passes over the training split."""
    batch_size: Annotated[int | Literal["auto"], WrapValidator(_number_or_auto)] = 64
    """Samples a batch, in each process; auto finds the most that fit into the device's memory."""
    folds: int | None = Field(None, ge=3)
    """Cross-validation: cut all samples into so many parts, of which one is the test split and the next the
    validation split; the source's own splits are then passed over. One training judges one part."""
    fold: int = Field(0, ge=0)
    """Which of the parts is the test split: 0, 1, ... up to folds - 1."""
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    trainer: TrainerConfig = TrainerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _fold_of_the_folds(self) -> Self:
        if self.fold >= (self.folds or 1):
            raise ValueError(
                f"'fold' must be below 'folds', found fold {self.fold} of {self.folds or 1}; count from 0"
            )
        return self

    @property
    def samples_a_batch(self) -> int:
        """The batch size as a number.

        Raises:
            ConfigError: it is still ``auto``; `fivefold.workflow.train` finds one and puts it in its place.
        """
        if self.batch_size == "auto":
            raise ConfigError("batch_size is auto, expected a number here; give one by --batch-size")
        return self.batch_size
