"""Arithmetic and memory layout: bfloat16 and channels last, where device and network gain by them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from fivefold.data.dataset import Batch
from fivefold.errors import ConfigError

_LARGE = 1_000_000  # parameters from which a network without convolutions gains by bfloat16 on a CPU
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_IMAGE_DIMENSIONS = 4  # (B, C, H, W)


@dataclass(frozen=True)
class Precision:
    """The arithmetic of forward and backward; weights, gradients and optimizer stay float32."""

    dtype: torch.dtype
    device_type: str

    def context(self) -> AbstractContextManager[object]:
        """The context in which to run the network: autocast for bfloat16, nothing for float32."""
        if self.dtype is torch.float32:
            return _NOTHING
        return torch.autocast(self.device_type, dtype=self.dtype)

    @property
    def name(self) -> str:
        """``float32`` or ``bfloat16``."""
        return str(self.dtype).removeprefix("torch.")


_NOTHING = nullcontext()


def choose_precision(name: str, device: torch.device, network: nn.Module) -> Precision:
    """The precision called ``name``: ``float32``, ``bfloat16``, or ``auto``.

    ``auto`` takes bfloat16 where the device computes it in hardware; on a CPU only for networks with
    convolutions or a million parameters, because on smaller ones the conversions cost more than the
    arithmetic saves.

    Raises:
        ConfigError: bfloat16 was asked for on a CUDA device that does not have it, or for an LSTM on a CPU that cannot.
    """
    native = has_bfloat16(device)
    if name == "auto":
        pays = device.type != "cpu" or _is_heavy(network)
        return Precision(torch.bfloat16 if native and pays else torch.float32, device.type)
    if name == "bfloat16" and device.type == "cuda" and not native:
        raise ConfigError(
            f"trainer.precision is bfloat16, which {torch.cuda.get_device_name(device)} does not have; "
            "choose float32 or auto"
        )
    if name == "bfloat16" and device.type == "cpu" and _has_lstm(network) and not runs_lstm_in_bfloat16():
        raise ConfigError(
            "trainer.precision is bfloat16, in which torch cannot run an LSTM on this processor; choose float32 or auto"
        )
    return Precision(torch.bfloat16 if name == "bfloat16" else torch.float32, device.type)


def runs_lstm_in_bfloat16() -> bool:
    """Whether torch runs an LSTM in bfloat16 on this CPU; on one without AVX-512 it fails in the middle of a step."""
    check = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return check is None or bool(check())


def _has_lstm(network: nn.Module) -> bool:
    return any(isinstance(module, nn.LSTM) for module in network.modules())


def has_bfloat16(device: torch.device) -> bool:
    """Whether ``device`` multiplies bfloat16 in hardware (on a CPU: AVX512-BF16 or AMX)."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # Private, but the only questions torch answers on this; where they go, we fall back to float32.
        checks = (
            getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        )
        return any(bool(check()) for check in checks if check is not None)
    return False


def use_fast_kernels(device: torch.device) -> None:
    """On CUDA, let float32 matrices multiply as TF32 and cuDNN choose convolutions by measuring."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True


def _is_heavy(network: nn.Module) -> bool:
    if any(isinstance(module, _CONVOLUTIONS) for module in network.modules()):
        return True
    return sum(parameter.numel() for parameter in network.parameters()) >= _LARGE


def wants_channels_last(network: nn.Module) -> bool:
    """Whether the network has 2-D convolutions, which run faster when channels lie innermost in memory."""
    return any(isinstance(module, nn.Conv2d | nn.ConvTranspose2d) for module in network.modules())


def lay_out_channels_last(network: nn.Module) -> None:
    """Lay out the network's 2-D convolution weights channels last, in place; values and shapes stay.

    `Tensor.to` sets the strides also where there is but one channel; `Tensor.contiguous` takes such weights for
    laid out already, and the layout would then be lost at the first layer of a network on grey images.
    """
    for parameter in network.parameters():
        if parameter.ndim == _IMAGE_DIMENSIONS:
            parameter.data = parameter.data.to(memory_format=torch.channels_last)


def to_channels_last(batch: Batch) -> Batch:
    """The batch with its images ``(B, C, H, W)`` laid out channels last; values stay."""
    return {
        name: tensor.contiguous(memory_format=torch.channels_last)
        if tensor.ndim == _IMAGE_DIMENSIONS
        else tensor
        for name, tensor in batch.items()
    }
