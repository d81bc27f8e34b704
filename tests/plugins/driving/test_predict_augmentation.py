"""Variation of windows: lengths stay, who has no whole track leaves, and a seed gives the same again."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fivefold_driving.predict.augmentation import TrackAugmentation
from fivefold_driving.predict.tasks import judged_of
from plugins.driving.predict_cases import FACTS, predict, task_of, walking

Batch = dict[str, Tensor]
SEEDS = st.integers(0, 10**6)
MODES = {
    "rotate": TrackAugmentation(mirror=False, reverse=False),
    "mirror": TrackAugmentation(rotate=False, reverse=False),
    "reverse": TrackAugmentation(rotate=False, mirror=False),
    "all": TrackAugmentation(),
}


def walks(seed: int = 0, windows: int = 32, agents: int = 4) -> Batch:
    """Windows of three or four agents; of one in each the future is not known."""
    batch = walking(seed, windows, agents, absent=3)
    batch["target"][:, 0] = math.nan
    return batch


def varied(mode: str, batch: Batch, seed: int = 0) -> Batch:
    return MODES[mode](batch, torch.Generator().manual_seed(seed))


def whole(batch: Batch) -> Tensor:
    """Tracks of judged agents, ``(M, S + T, 2)``."""
    return torch.cat([batch["seen"], batch["target"]], dim=2)[judged_of(batch["target"])]


def lengths(tracks: Tensor) -> Tensor:
    steps: Tensor = tracks.diff(dim=-2).norm(dim=-1)
    return steps


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_steps_and_distances_between_agents_stay(mode: str, seed: int) -> None:
    before = walks(seed)
    after = varied(mode, before, seed)
    assert {name: tensor.shape for name, tensor in after.items()} == {
        name: tensor.shape for name, tensor in before.items()
    }
    for old, new in zip(lengths(whole(before)), lengths(whole(after)), strict=True):
        back = torch.minimum((new - old).abs().max(), (new.flip(0) - old).abs().max())
        assert back < 1e-4
    apart = [
        torch.cdist(batch["target"][:, 1:3, 0], batch["target"][:, 1:3, 0])[:, 0, 1]
        for batch in (before, after)
    ]
    if mode in {"rotate", "mirror"}:
        torch.testing.assert_close(*apart, rtol=0, atol=1e-4)


@pytest.mark.parametrize("mode", ["rotate", "mirror"])
def test_turns_and_mirrors_keep_who_is_there(mode: str) -> None:
    before = walks()
    after = varied(mode, before)
    assert torch.equal(after["present"], before["present"])
    assert torch.equal(after["target"].isnan(), before["target"].isnan())
    assert (after["seen"][~before["present"]] == 0).all()
    torch.testing.assert_close(after["seen"].norm(dim=-1), before["seen"].norm(dim=-1))


def test_each_window_turns_by_its_own_angle_all_around() -> None:
    before = walks(windows=400)
    after = varied("rotate", before)
    old, new = (torch.view_as_complex(batch["seen"][:, 1, -1].contiguous()) for batch in (before, after))
    angles = (new / old).angle()
    quarters = torch.histc(angles, 4, -math.pi, math.pi)
    assert quarters.min() > 70
    # Seen and to come turn alike, and all agents of a window do.
    future = torch.view_as_complex(after["target"][:, 2, 0].contiguous()) / torch.view_as_complex(
        before["target"][:, 2, 0].contiguous()
    )
    torch.testing.assert_close(torch.polar(torch.ones_like(angles), angles), future, rtol=0, atol=1e-3)


@pytest.mark.parametrize("mode", ["mirror", "reverse"])
def test_half_of_the_windows_are_varied(mode: str) -> None:
    before = walks(windows=400, agents=3)
    after = varied(mode, before)
    other = (after["seen"] != before["seen"]).flatten(1).any(dim=1)
    assert 160 < int(other.sum()) < 240


def test_mirrors_exchange_left_and_right() -> None:
    before = walks()
    after = varied("mirror", before)
    signs = torch.sign((after["seen"][:, 1, :, 1] * before["seen"][:, 1, :, 1]).sum(dim=1))
    assert set(signs.tolist()) == {-1, 1}
    for name in ("seen", "target"):
        torch.testing.assert_close(after[name][..., 0], before[name][..., 0], rtol=0, atol=0, equal_nan=True)
        torch.testing.assert_close(
            after[name][..., 1], before[name][..., 1] * signs[:, None, None], rtol=0, atol=0, equal_nan=True
        )


def test_what_runs_backwards_keeps_whole_tracks_only() -> None:
    before = walks()
    after = varied("reverse", before)
    judged = judged_of(before["target"])
    assert torch.equal(judged_of(after["target"]), judged)
    back = (after["present"] != before["present"]).any(dim=1)
    assert 0 < int(back.sum()) < len(back)
    for name, tensor in after.items():
        torch.testing.assert_close(tensor[~back], before[name][~back], rtol=0, atol=0, equal_nan=True)
    # Whose future is not known would have to begin with it: it is gone.
    assert torch.equal(after["present"][back], judged[back])
    assert (after["seen"][back][~judged[back]] == 0).all()
    assert after["target"][back][~judged[back]].isnan().all()
    tracks = [
        torch.cat([batch["seen"], batch["target"]], dim=2)[back][judged[back]] for batch in (before, after)
    ]
    torch.testing.assert_close(tracks[1], tracks[0].flip(1), rtol=0, atol=0)


@pytest.mark.parametrize("mode", MODES)
def test_a_seed_gives_the_same_again(mode: str) -> None:
    before = walks()
    kept = {name: tensor.clone() for name, tensor in before.items()}
    first, second, other = (varied(mode, before, seed) for seed in (1, 1, 2))
    for name in before:
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0, equal_nan=True)
        torch.testing.assert_close(before[name], kept[name], rtol=0, atol=0, equal_nan=True)  # not in place
    assert not torch.equal(first["seen"], other["seen"])


def test_nothing_asked_for_is_nothing_done() -> None:
    before = walks()
    augment = predict(augment={"rotate": False, "mirror": False, "reverse": False}).augment(FACTS)
    if augment is None:
        raise TypeError("expected an augmentation")
    after = augment(before, torch.Generator())
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, rtol=0, atol=0, equal_nan=True)


@torch.no_grad()
def test_turns_teach_these_networks_nothing_new() -> None:
    """Their frames turn with the agents, so that the loss of a turned batch is the same."""
    task, batch = task_of("attention"), walks()
    first = task.loss(batch, "main").value
    torch.testing.assert_close(task.loss(varied("rotate", batch), "main").value, first, rtol=1e-4, atol=0)
    assert not torch.allclose(task.loss(varied("mirror", batch), "main").value, first, rtol=1e-4)
