"""Metrics of predicted tracks. Lower is better in all of them, and each is a mean over the judged agents.

Outputs read, over ``N`` windows of at most ``A`` agents, ``K`` samples and ``T`` predicted frames, in metres:
``single`` ``(N, A, T, 2)`` (the one prediction to act on), ``samples`` ``(N, A, K, T, 2)``, ``target`` ``(N, A, T, 2)``
and ``seen`` ``(N, A, S, 2)``. An agent is judged where its target is known in every predicted frame; nan marks the
others. Agents count alike, whatever window they are in, as Alahi et al. (2016) and Gupta et al. (2018) count them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.metric import Metric, Style, Values

Outputs = Mapping[str, Array]
AgentValues = dict[str, Values]
"""Name of a metric to a value for each agent, ``(N, A)``; nan for agents that take no part."""

MISS = 2.0
"""Metres from the true last position from which on an agent is missed (Chang et al. 2019, Argoverse)."""

TOUCH = 0.2
"""Metres between two centres up to which they collide: two radii of 0.1 m (Kothari et al. 2021, TrajNet++)."""

_CHUNK = 4_000_000
"""Values held at once: 32 MB."""


def track_metrics(samples: int, *, off_road: bool = False, likelihood: bool = False) -> tuple[Metric, ...]:
    """The metrics of predicted tracks, ``ADE`` first; compared with baselines are ADE, FDE and the joint minADE.

    ``ADE`` and ``FDE`` are the mean and the final displacement error of ``single`` (Alahi et al. 2016). The minima over
    ``K`` samples come in two conventions that differ much and that published tables often do not name:

    - per agent, each agent takes its own best sample (Gupta et al. 2018), whether or not these go together;
    - joint, one sample must serve all judged agents of a window (Weng et al. 2023, "Joint metrics matter"): the
      minimum over samples of the mean over agents, which is then each agent's value.

    Both take the minimum of ADE and that of FDE each for itself, as published tables do. A predictor with fewer than
    ``samples`` samples has none of them; of one with more, the first ``samples`` are taken.

    The miss rate is the share of agents with an FDE above 2 m. The collision rate is the share whose ``single`` comes
    within 0.2 m of another agent's in the same window, in a predicted frame or midway between two (Kothari et al.
    2021); agents that are not judged are collided with, too. Windows are summed once, whatever is resampled.

    Args:
        samples: ``K``; with 1 there are no minima.
        off_road: whether outputs hold ``off_road`` ``(N, A)``: 1 where the prediction leaves the road, 0 where it
            stays, nan where the road is not known.
        likelihood: whether outputs hold ``log_likelihood`` ``(N, A)``, the log density of the whole true track in
            nats. It is divided by ``T``, for nats a frame. It is the model's own density and does not compare with the
            "KDE NLL" of Ivanovic and Pavone (2019), which fits a kernel density to samples, frame by frame, and
            clips it.
    """
    single, best = _Once(single_errors), _Once(lambda outputs: best_errors(outputs, samples))
    names = ("ADE per agent", "FDE per agent", "ADE joint", "FDE joint") if samples > 1 else ()
    metrics = [
        _metric("ADE", single, headline=True),
        _metric("FDE", single, headline=True),
        *(_metric(f"min{name[:3]}{samples}{name[3:]}", best, headline=name == "ADE joint") for name in names),
        _metric("miss rate", single, style="percent"),
    ]
    if samples > 1:
        metrics.append(_metric(f"miss rate best of {samples}", best, style="percent"))
    metrics.append(_metric("collision rate", _Once(collisions), style="percent"))
    if off_road:
        metrics.append(_metric("off-road rate", _Once(_off_road), style="percent"))
    if likelihood:
        metrics.append(_metric("negative log-likelihood", _Once(_negative_log_likelihood)))
    return tuple(metrics)


def judged(outputs: Outputs) -> NDArray[np.bool_]:
    """Which agents are judged, ``(N, A)``: those whose target is known in every predicted frame."""
    return np.asarray(np.isfinite(outputs["target"]).all(axis=(2, 3)))


def present(outputs: Outputs) -> NDArray[np.bool_]:
    """Which agents there are, ``(N, A)``: those seen in every seen frame."""
    return np.asarray(np.isfinite(outputs["seen"]).all(axis=(2, 3)))


def frame_errors(outputs: Outputs) -> Values:
    """Distance of ``single`` from the truth in each predicted frame, ``(N, A, T)``; nan for agents not judged."""
    apart = np.asarray(outputs["single"], dtype=np.float64) - outputs["target"]
    return np.where(judged(outputs)[..., None], np.hypot(apart[..., 0], apart[..., 1]), np.nan)


def single_errors(outputs: Outputs) -> AgentValues:
    """``ADE``, ``FDE`` and ``miss rate`` of each agent's single prediction."""
    errors = frame_errors(outputs)
    final = errors[..., -1]
    return {"ADE": errors.mean(axis=-1), "FDE": final, "miss rate": _over(final, MISS)}


def best_errors(outputs: Outputs, samples: int) -> AgentValues:
    """The minima over the first ``samples`` samples, per agent and joint, and ``miss rate best of`` them.

    The joint ones are a window's, given to each of its judged agents.

    Raises:
        KeyError: there are fewer samples, so that these outputs have no such metric.
    """
    held = outputs["samples"].shape[2]
    if held < samples:
        raise KeyError(f"samples: expected {samples} of each agent, found {held}")
    parts: list[list[Values]] = []
    for part in _chunks(len(outputs["samples"]), outputs["samples"][0].size):
        known = judged({"target": outputs["target"][part]})
        apart = outputs["samples"][part, :, :samples] - outputs["target"][part][:, :, None].astype(np.float64)
        errors = np.hypot(apart[..., 0], apart[..., 1])
        both = [errors.mean(axis=-1), errors[..., -1]]
        alone = [one.min(axis=2) for one in both]
        together = [np.broadcast_to(_joint(one, known)[:, None], known.shape) for one in both]
        parts.append([np.where(known, one, np.nan) for one in (*alone, *together)])
    values = [np.concatenate(column) for column in zip(*parts, strict=True)]
    kinds = ("ADE{} per agent", "FDE{} per agent", "ADE{} joint", "FDE{} joint")
    named = {f"min{kind.format(samples)}": one for kind, one in zip(kinds, values, strict=True)}
    return {**named, f"miss rate best of {samples}": _over(values[1], MISS)}


def collisions(outputs: Outputs) -> AgentValues:
    """``collision rate``: 1 for each judged agent whose predicted track touches another agent's, else 0."""
    touching = touches(outputs["single"], present(outputs))
    return {"collision rate": np.where(judged(outputs), touching, np.nan)}


def touches(tracks: Array, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which agents come within `TOUCH` of another at the same time, in a frame or midway between two.

    Args:
        tracks: positions, ``(N, A, T, 2)``.
        there: which of the agents there are, ``(N, A)``.

    Returns:
        Shape ``(N, A)``.
    """
    found = np.zeros(there.shape, dtype=bool)
    agents = there.shape[1]
    for part in _chunks(len(tracks), agents * agents * tracks.shape[2]):
        both = np.triu(there[part, :, None] & there[part, None], 1)
        window, one, other = np.nonzero(both)
        places = tracks[part]
        apart = places[window, one].astype(np.float64) - places[window, other]
        halfway = (apart[:, 1:] + apart[:, :-1]) / 2
        near = _reach(apart) | _reach(halfway)
        for side in (one, other):
            found[part.start + window[near], side[near]] = True
    return found


def _reach(apart: Values) -> NDArray[np.bool_]:
    """Whether any of displacements ``(P, T, 2)`` is no longer than `TOUCH`, ``(P,)``."""
    return np.asarray((apart[..., 0] ** 2 + apart[..., 1] ** 2 <= TOUCH**2).any(axis=1))


def _off_road(outputs: Outputs) -> AgentValues:
    return {"off-road rate": np.asarray(outputs["off_road"], dtype=np.float64)}


def _negative_log_likelihood(outputs: Outputs) -> AgentValues:
    likelihood = np.asarray(outputs["log_likelihood"], dtype=np.float64) / outputs["target"].shape[2]
    return {"negative log-likelihood": np.where(judged(outputs), -likelihood, np.nan)}


def _over(values: Values, limit: float) -> Values:
    """1 where ``values`` are above ``limit``, 0 where they are not, nan where they are nan."""
    return np.where(np.isnan(values), np.nan, values > limit)


def _joint(errors: Values, known: NDArray[np.bool_]) -> Values:
    """The least mean over known agents ``(n, A)`` of errors ``(n, A, K)``: ``(n,)``."""
    sums = np.where(known[..., None], errors, 0).sum(axis=1)
    return np.asarray((sums / np.maximum(known.sum(axis=1), 1)[:, None]).min(axis=1))


def _chunks(count: int, values: int) -> Iterator[slice]:
    """Slices over ``count`` windows of ``values`` numbers each that hold about `_CHUNK` numbers."""
    rows = max(1, _CHUNK // max(values, 1))
    return (slice(start, start + rows) for start in range(0, count, rows))


class _Once:
    """Sums and counts over each window's agents, computed once for the same arrays, however often they are asked for.

    Arrays are told by identity and held weakly: outputs are never changed once they are gathered, and a validation's
    are not kept for the next.
    """

    def __init__(self, compute: Callable[[Outputs], AgentValues]) -> None:
        self._compute = compute
        self._kept: dict[tuple[int, ...], tuple[list[weakref.ref[Array]], dict[str, Values]]] = {}

    def __call__(self, outputs: Outputs) -> dict[str, Values]:
        """Metric's name to its sum and count in each window, ``(N, 2)``."""
        arrays = [outputs[name] for name in sorted(outputs)]
        key = tuple(map(id, arrays))
        held, sums = self._kept.get(key, ([], {}))
        # An address may be another array's by now.
        if not sums or any(reference() is not array for reference, array in zip(held, arrays, strict=True)):
            sums = {
                name: _window_sums(values, name, outputs) for name, values in self._compute(outputs).items()
            }
            alive = {
                old: kept for old, kept in self._kept.items() if all(one() is not None for one in kept[0])
            }
            self._kept = {**alive, key: ([weakref.ref(array) for array in arrays], sums)}
        return sums


def _window_sums(values: Values, name: str, outputs: Outputs) -> Values:
    # What is nan of a judged agent was predicted so, and must not pass for an agent that takes no part.
    counted = np.isfinite(values) if name == "off-road rate" else judged(outputs)
    return np.stack([np.where(counted, values, 0).sum(axis=1), counted.sum(axis=1)], axis=1)


def _metric(name: str, sums: _Once, *, style: Style = "number", headline: bool = False) -> Metric:
    return Metric.from_sums(
        name,
        lambda outputs: sums(outputs)[name],
        lambda totals, _: totals[:, 0] / totals[:, 1],
        higher_is_better=False,
        style=style,
        headline=headline,
        share=style == "percent",
    )
