"""Windows of tracks that tests judge predictions on: drawn ones, and those of ETH/UCY, cut here for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.table import Array

LOOKBACK, HORIZON = 8, 12

SCENES = {
    "eth": ("biwi_eth",),
    "hotel": ("biwi_hotel",),
    "univ": ("students001", "students003"),
    "zara1": ("crowds_zara01",),
    "zara2": ("crowds_zara02",),
}


class Windows(Dataset):
    """Windows ``(A, S + T, 2)`` of unlike numbers of agents, each batch padded to its own most."""

    def __init__(self, tracks: Sequence[Array], lookback: int = LOOKBACK, units: Array | None = None) -> None:
        self.tracks = tracks
        self.lookback = lookback
        self._units = units

    def __len__(self) -> int:
        return len(self.tracks)

    def batch(self, indices: torch.Tensor) -> Batch:
        chosen = [self.tracks[index] for index in indices.tolist()]
        padded = np.full((len(chosen), max(map(len, chosen)), *chosen[0].shape[1:]), np.nan, np.float32)
        for row, tracks in enumerate(chosen):
            padded[row, : len(tracks)] = tracks
        tensor = torch.from_numpy(padded)
        present = ~tensor[:, :, : self.lookback].isnan().any(dim=3).any(dim=2)
        # What absent agents hold in a batch is nobody's business.
        seen = tensor[:, :, : self.lookback].nan_to_num(7.0)
        return {"seen": seen, "present": present, "target": tensor[:, :, self.lookback :]}

    @property
    def facts(self) -> Facts:
        horizon = self.tracks[0].shape[1] - self.lookback
        return Facts(lookback=self.lookback, horizon=horizon, interval=0.4, unit="scene block")

    @property
    def ids(self) -> Array:
        return np.array([f"scene@{row}" for row in range(len(self))], dtype=object)

    @property
    def units(self) -> Array | None:
        return self._units

    def everything(self) -> Batch:
        return self.batch(torch.arange(len(self)))


def walks(windows: int = 6, agents: int = 4, frames: int = 7, seed: int = 0) -> list[Array]:
    """Tracks that go on about as they went; some agents are gone after the third frame."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(windows):
        count = int(generator.integers(1, agents + 1))
        speed = generator.normal(0, 0.5, (count, 1, 2))
        shake = generator.normal(0, 0.15, (count, frames, 2))
        tracks = generator.uniform(-3, 3, (count, 1, 2)) + np.cumsum(speed + shake, axis=1)
        tracks[1:, 3:][generator.random(count - 1) < 0.3] = np.nan
        found.append(tracks)
    return found


def eth_ucy(folder: Path, scene: str) -> list[Array]:
    """Every window of one scene, of the agents that are there in all twenty of its frames."""
    found = []
    for name in SCENES[scene]:
        rows = np.loadtxt(folder / "eth_ucy" / f"{name}.txt")
        frames = np.rint(rows[:, 0] / 10).astype(int)
        frames -= frames.min()
        agents = np.unique(rows[:, 1], return_inverse=True)[1]
        grid = np.full((frames.max() + 1, agents.max() + 1, 2), np.nan)
        grid[frames, agents] = rows[:, 2:]
        for start in range(len(grid) - LOOKBACK - HORIZON + 1):
            block = grid[start : start + LOOKBACK + HORIZON]
            whole = ~np.isnan(block[..., 0]).any(axis=0)
            if whole.any():
                found.append(block[:, whole].transpose(1, 0, 2))
    return found
