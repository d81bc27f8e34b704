from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from stub_plugins import BUILT_IN

# A plugin that was taken out of pyproject.toml takes its tests along.
collect_ignore = [
    folder.name
    for folder in Path(__file__).parent.iterdir()
    if folder.is_dir() and folder.name not in BUILT_IN
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
