"""Agents a second: 20 futures of 1,000 agents in one call, against a plain loop over agents.

    python tests/benchmarks/tracks.py

Ten windows of 100 agents go through a Social-GAN at once; the loop gives it one agent and its neighbours at a time, as
code without padding does. Both compute the same futures; rounds are taken in turn.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch

from fivefold.data.dataset import Facts
from fivefold_driving.predict.network import TrackNetwork
from fivefold_driving.predict.tasks import SocialGAN

WINDOWS, AGENTS, SAMPLES, ROUNDS, LOOPED = 10, 100, 20, 7, 20


def main() -> None:
    """Measure and print."""
    facts = Facts(lookback=8, horizon=12, step=0.5)
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    network = TrackNetwork("social-gan", 64, facts.horizon, facts.step, noise=8)
    task = SocialGAN(network, 64, facts, SAMPLES, 0.1, generator).eval()
    start = 20 * torch.rand(WINDOWS, AGENTS, 1, 2, generator=generator)
    steps = 0.4 * torch.randn(WINDOWS, AGENTS, 1, 2, generator=generator)
    seen = start + steps * torch.arange(8).view(1, 1, 8, 1)
    present = torch.ones(WINDOWS, AGENTS, dtype=torch.bool)
    together, alone = [], []
    with torch.inference_mode():
        whole = task(seen, present)
        for _ in range(ROUNDS):
            began = time.perf_counter()
            whole = task(seen, present)
            together.append(WINDOWS * AGENTS / (time.perf_counter() - began))
            began = time.perf_counter()
            for agent in range(LOOPED):
                order = [agent, *(other for other in range(AGENTS) if other != agent)]
                own = task(seen[:1, order], present[:1])[:, :1]
            alone.append(LOOPED / (time.perf_counter() - began))
        apart = (own[0, 0] - whole[0, LOOPED - 1]).abs().max().item()
    say("in one call", together)
    say("one agent at a time", alone)
    sys.stdout.write(f"largest difference of the futures: {apart:.1e} m; {torch.get_num_threads()} threads\n")


def say(what: str, rates: list[float]) -> None:
    """Median and range of agents a second."""
    middle = statistics.median(rates)
    sys.stdout.write(f"{what}: {middle:,.0f} agents/s ({min(rates):,.0f} to {max(rates):,.0f})\n")


if __name__ == "__main__":
    main()
