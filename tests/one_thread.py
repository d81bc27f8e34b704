"""Tiny networks run fastest on one thread, and so do several test processes beside each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(name="one_thread", autouse=True, scope="package")
def one_thread_fixture() -> Iterator[None]:
    """One thread of torch's for the tests of a folder."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
