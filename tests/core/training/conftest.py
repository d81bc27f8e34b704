from __future__ import annotations

import pytest
import torch

from one_thread import one_thread_fixture  # noqa: F401 - a fixture of this folder


@pytest.fixture(autouse=True)
def _plain_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU without bfloat16 in hardware, whatever this one has; tests of such a one say so themselves.

    Otherwise what is measured before a training, and so how often a sample is read, would depend on the machine.
    """
    for question in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, question, lambda: False, raising=False)
