"""From seen tracks to predicted ones, each agent in a frame of its own.

Every agent's track is moved to its last position and turned so that it last went along the first axis; neighbours are
seen from there. So a scene that is moved or turned gives predictions moved or turned alike (an agent that never moved
has no direction of its own, and keeps the scene's). What is predicted is the difference to constant velocity.
Shapes: ``B`` windows, ``A`` agents, ``S`` seen and ``T`` predicted frames, ``K`` futures, ``H`` width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_STILL = 1e-4  # metres: shorter steps have no direction
_PAIR = 6  # numbers that describe a neighbour: place, velocity, distance, speed towards


class Frames:
    """Each agent's own frame: origin at its last position, first axis along its last movement.

    Args:
        seen: ``(B, A, S, 2)``.
    """

    def __init__(self, seen: Tensor) -> None:
        self.origin = seen[:, :, -1]
        step = seen[:, :, -1] - seen[:, :, -2]
        way = seen[:, :, -1] - seen[:, :, 0]
        length, total = step.norm(dim=-1, keepdim=True), way.norm(dim=-1, keepdim=True)
        ahead = torch.where(total > _STILL, way / total.clamp(min=_STILL), torch.zeros_like(way))
        ahead = torch.where(length > _STILL, step / length.clamp(min=_STILL), ahead)
        none = (ahead == 0).all(dim=-1, keepdim=True)
        east = torch.zeros_like(ahead)
        east[..., 0] = 1
        self.ahead = torch.where(none, east, ahead)

    def into(self, vectors: Tensor) -> Tensor:
        """Directions ``(B, A, ..., 2)`` of the scene as each agent sees them."""
        ahead = self._like(vectors)
        along = (vectors * ahead).sum(dim=-1)
        across = vectors[..., 1] * ahead[..., 0] - vectors[..., 0] * ahead[..., 1]
        return torch.stack([along, across], dim=-1)

    def out(self, vectors: Tensor) -> Tensor:
        """Directions as each agent sees them ``(B, A, ..., 2)``, in the scene."""
        ahead = self._like(vectors)
        first = vectors[..., 0] * ahead[..., 0] - vectors[..., 1] * ahead[..., 1]
        second = vectors[..., 0] * ahead[..., 1] + vectors[..., 1] * ahead[..., 0]
        return torch.stack([first, second], dim=-1)

    def _like(self, vectors: Tensor) -> Tensor:
        return self.ahead.view(*self.ahead.shape[:2], *[1] * (vectors.ndim - 3), 2)


class SocialPooling(nn.Module):
    """The strongest response to any neighbour, by number: the pooling of Social-GAN (Gupta et al. 2018)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.respond = nn.Sequential(
            nn.Linear(_PAIR + hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )

    def forward(self, state: Tensor, pairs: Tensor, others: Tensor) -> Tensor:
        """States ``(B, A, H)``, pairs ``(B, A, A, 6)``, who counts ``(B, A, A)`` to ``(B, A, H)``."""
        seen = state[:, None].expand(-1, pairs.shape[1], -1, -1)
        response: Tensor = self.respond(torch.cat([pairs, seen], dim=-1)) * others[..., None]
        return response.amax(dim=2)


class SocialAttention(nn.Module):
    """Attention of each agent over its neighbours, whose keys and values know where they are and go.

    Args:
        hidden: width ``H``.
        heads: of the attention.
    """

    def __init__(self, hidden: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(hidden, hidden)
        self.pair = nn.Sequential(nn.Linear(_PAIR, hidden), nn.ReLU(), nn.Linear(hidden, 2 * hidden))
        self.other = nn.Linear(hidden, 2 * hidden)
        self.give = nn.Linear(hidden, hidden)

    def forward(self, state: Tensor, pairs: Tensor, others: Tensor) -> Tensor:
        """States ``(B, A, H)``, pairs ``(B, A, A, 6)``, who counts ``(B, A, A)`` to ``(B, A, H)``; alone gives zero."""
        batch, agents, hidden = state.shape
        split = (self.heads, hidden // self.heads)
        query = self.query(state).view(batch, agents, 1, *split)
        both = self.other(state)[:, None] + self.pair(pairs)  # (B, A, A, 2 H)
        key, value = (part.reshape(batch, agents, agents, *split) for part in both.chunk(2, dim=-1))
        weight = (query * key).sum(dim=-1) / split[1] ** 0.5  # (B, A, A, heads)
        weight = weight.masked_fill(~others[..., None], float("-inf"))
        alone = ~others.any(dim=2)
        weight = torch.where(alone[:, :, None, None], torch.zeros_like(weight), weight).softmax(dim=2)
        heard = (weight[..., None] * value).sum(dim=2).reshape(batch, agents, hidden)
        given: Tensor = self.give(heard)
        return given * (~alone)[..., None]


class TrackEncoder(nn.Module):
    """What each agent has done and who is around it, as a state ``(B, A, H)``.

    Args:
        hidden: width ``H``, a multiple of 4 for attention.
        social: how neighbours count: ``none``, ``pooling`` or ``attention``.
        step: the usual length of a step, metres, by which inputs are scaled.
    """

    def __init__(self, hidden: int, social: str, step: float) -> None:
        super().__init__()
        self.step = step
        self.embed = nn.Linear(4, hidden)
        self.recurrent = nn.LSTM(hidden, hidden, batch_first=True)
        kinds = {"pooling": SocialPooling, "attention": SocialAttention}
        self.social = kinds[social](hidden) if social in kinds else None
        if self.social is not None:  # weights that nothing trains would be counted, and wait for gradients
            self.mix = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden))

    def forward(self, seen: Tensor, present: Tensor, frames: Frames) -> Tensor:
        """Seen tracks ``(B, A, S, 2)`` of agents ``present`` ``(B, A)`` to states ``(B, A, H)``."""
        local = frames.into(seen - frames.origin[:, :, None]) / self.step
        inputs = torch.cat([local[:, :, 1:] - local[:, :, :-1], local[:, :, 1:]], dim=-1)
        state = seen.new_zeros(*present.shape, self.recurrent.hidden_size)
        steps, _ = self.recurrent(torch.relu(self.embed(inputs[present])))
        state[present] = steps[:, -1].to(state.dtype)
        if self.social is None:
            return state
        pairs, others = self._pairs(seen, present, frames)
        both = torch.cat([state, self.social(state, pairs, others)], dim=-1)
        mixed: Tensor = self.mix(both)
        return state + mixed

    def _pairs(self, seen: Tensor, present: Tensor, frames: Frames) -> tuple[Tensor, Tensor]:
        """What each agent sees of each other ``(B, A, A, 6)``, and which of these are others ``(B, A, A)``."""
        place = frames.into(frames.origin[:, None] - frames.origin[:, :, None])
        velocity = seen[:, :, -1] - seen[:, :, -2]
        apart = frames.into(velocity[:, None] - velocity[:, :, None])
        distance = place.norm(dim=-1, keepdim=True)
        towards = (place * apart).sum(dim=-1, keepdim=True) / distance.clamp(min=_STILL)
        near = torch.exp(-distance / 2)  # what is far away fades, in a few metres
        pairs = torch.cat([place * near, apart / self.step * near, near, towards / self.step * near], dim=-1)
        myself = torch.eye(present.shape[1], dtype=torch.bool, device=present.device)
        return pairs, present[:, :, None] & present[:, None] & ~myself


class TrackDecoder(nn.Module):
    """Differences to constant velocity, step by step by an LSTM, or all at once.

    Args:
        inputs: width of the state.
        hidden: inner width.
        horizon: steps ``T``.
        recurrent: whether by an LSTM.
        numbers: that each step has: 2 for a place, 4 with a spread.
    """

    def __init__(self, inputs: int, hidden: int, horizon: int, *, recurrent: bool, numbers: int = 2) -> None:
        super().__init__()
        self.horizon, self.numbers = horizon, numbers
        self.begin = nn.Linear(inputs, hidden)
        self.recurrent = nn.LSTM(hidden, hidden, batch_first=True) if recurrent else None
        width = numbers if recurrent else numbers * horizon
        self.end = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, width))

    def forward(self, state: Tensor) -> Tensor:
        """States ``(M, inputs)`` to ``(M, T, numbers)``."""
        begun = torch.relu(self.begin(state))
        if self.recurrent is not None:
            begun, _ = self.recurrent(begun[:, None].expand(-1, self.horizon, -1))
        ended: Tensor = self.end(begun)
        return ended.view(len(state), self.horizon, self.numbers)


class TrackNetwork(nn.Module):
    """Seen tracks to ``K`` futures of each agent.

    Args:
        kind: ``lstm``, ``social-lstm``, ``attention`` or ``social-gan``.
        hidden: width ``H``.
        horizon: frames ``T``.
        step: usual length of a step, metres.
        noise: numbers drawn for each future; 0 for a single one.
    """

    def __init__(self, kind: str, hidden: int, horizon: int, step: float, noise: int = 0) -> None:
        super().__init__()
        social = {"lstm": "none", "social-lstm": "pooling", "social-gan": "pooling"}.get(kind, "attention")
        self.step, self.noise = step, noise
        self.encoder = TrackEncoder(hidden, social, step)
        recurrent = kind in {"lstm", "social-lstm"}
        self.decoder = TrackDecoder(hidden + noise, hidden, horizon, recurrent=recurrent)

    def forward(self, seen: Tensor, present: Tensor, noise: Tensor | None = None) -> Tensor:
        """``(B, A, S, 2)``, ``(B, A)`` and, of a drawing network, ``(B, K, noise)`` to ``(B, A, K, T, 2)``.

        All agents of a window share the numbers drawn, so that a future is one of the whole scene.
        """
        frames = Frames(seen)
        state = self.encoder(seen, present, frames)
        rows = state[present]  # (M, H): absent agents cost nothing
        futures = 1
        if noise is not None:
            futures = noise.shape[1]
            window = present.nonzero()[:, 0]
            rows = torch.cat([rows[:, None].expand(-1, futures, -1), noise[window]], dim=-1).flatten(0, 1)
        change = self.decoder(rows) * self.step
        local = seen.new_zeros(*present.shape, futures, change.shape[1], 2)
        local[present] = change.view(-1, futures, *change.shape[1:]).to(local.dtype)
        return constant_velocity(seen, change.shape[1])[:, :, None] + frames.out(local.cumsum(dim=3))


def constant_velocity(seen: Tensor, horizon: int) -> Tensor:
    """The last step repeated: ``(B, A, S, 2)`` to ``(B, A, T, 2)``."""
    step = (seen[:, :, -1] - seen[:, :, -2])[:, :, None]
    count = torch.arange(1, horizon + 1, device=seen.device, dtype=seen.dtype)[:, None]
    return seen[:, :, -1:] + step * count
