"""Windows as tensors, padded to the most agents of a batch or of the whole split."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Facts, TableDataset
from fivefold.data.table import Array, Table


class TrackWindows(TableDataset):
    """``seen`` float32 ``(B, A, S, 2)``, ``present`` bool ``(B, A)``, ``target`` float32 ``(B, A, T, 2)``.

    Positions are metres from the window's own origin. Absent agents are zero and not present; the target is nan where
    an agent is not there to the end.

    Args:
        table: rows with a column ``tracks`` of arrays ``(A, S + T, 2)``.
        facts: of the training split.
        trimmed: pad to the most agents of each batch, and have batches of like numbers; else of the whole split,
            so that outputs of batches fit together.
    """

    def __init__(self, table: Table, facts: Facts, *, trimmed: bool) -> None:
        super().__init__(table, facts)
        self._tracks = table["tracks"]
        self._counts = np.array([len(tracks) for tracks in self._tracks], dtype=np.int64)
        self._trimmed = trimmed

    def batch(self, indices: Tensor) -> Batch:
        """The windows at ``indices``."""
        rows = indices.numpy()
        widest = self._counts[rows] if self._trimmed else self._counts
        lookback, length = int(self.facts.lookback), int(self.facts.lookback + self.facts.horizon)
        padded = np.full((len(rows), int(widest.max(initial=1)), length, 2), np.nan, np.float32)
        for place, row in enumerate(rows):
            padded[place, : self._counts[row]] = self._tracks[row]
        present = ~np.isnan(padded[:, :, lookback - 1, 0])
        future = padded[:, :, lookback:]
        future[np.isnan(future[..., 0]).any(axis=2)] = np.nan
        return {
            "seen": torch.from_numpy(np.nan_to_num(padded[:, :, :lookback])),
            "present": torch.from_numpy(present),
            "target": torch.from_numpy(future),
        }

    def lengths(self) -> Tensor | None:
        """Agents of each window, for batches of like numbers."""
        return torch.from_numpy(self._counts) if self._trimmed else None

    @property
    def scenes(self) -> Array:
        """Name of each window's scene, ``(N,)``."""
        return self._table["place"]

    @property
    def origins(self) -> Array:
        """Origin of each window, ``(N, 2)``, metres."""
        return self._table["origin"]

    @property
    def clock(self) -> Array:
        """Seconds on the source's clock at each window's last seen frame, ``(N,)``; nan where it has none."""
        return self._table["clock"]

    @property
    def agents(self) -> Array:
        """Names of each window's agents, ``(N,)`` of tuples."""
        return self._table["agents"]


def measure(table: Table, lookback: int, horizon: int, interval: float) -> Facts:
    """Facts of a training split: numbers of frames, and the usual length of a step in metres."""
    lengths = [
        np.linalg.norm(np.diff(tracks[:, :lookback], axis=1), axis=2).ravel()
        for tracks in table["tracks"][:4096]
    ]
    steps = np.concatenate(lengths) if lengths else np.ones(1)
    usual = float(np.sqrt(np.nanmean(np.square(steps)))) if np.isfinite(steps).any() else 1.0
    return Facts(lookback=lookback, horizon=horizon, interval=interval, step=usual or 1.0, unit="scene block")
