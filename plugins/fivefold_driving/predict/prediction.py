"""Predictions in the user's words: where each agent will be, a row a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fivefold.prediction import Request
from fivefold.training.inference import predict_outputs

if TYPE_CHECKING:
    from fivefold.pipeline import Pipeline
    from fivefold.tasks.base import Task


def predict_tracks(pipeline: Pipeline, task: Task, request: Request) -> list[dict[str, Any]]:
    """One record an agent and frame to come, with ``id`` (scene and agent) first.

    ``x`` and ``y`` are in metres whatever unit the tracks came in, and ``unit`` says so. ``time`` is that of the
    source's own clock, in seconds, where it has one.

    Raises:
        DataError: an input cannot be read, or nobody in it is there for all frames that must be seen.
    """
    records: list[dict[str, Any]] = []
    for source in request.sources:
        samples: Any = pipeline.samples(pipeline.read_inputs(source.path))
        single = predict_outputs(task, samples, device=request.device)["single"]
        for row, name in enumerate(samples.ids):
            tracks = np.asarray(single[row], np.float64) + samples.origins[row]
            scene = str(name).rpartition("@")[0]
            now, interval = float(samples.clock[row]), float(samples.facts.interval)
            for place, agent in enumerate(samples.agents[row]):
                records += [
                    {
                        "id": f"{scene}/{agent}",
                        "scene": scene,
                        "agent": agent,
                        "seconds": round((step + 1) * interval, 6),
                        **({"time": round(now + (step + 1) * interval, 6)} if np.isfinite(now) else {}),
                        "x": float(x),
                        "y": float(y),
                        "unit": "m",
                    }
                    for step, (x, y) in enumerate(tracks[place])
                ]
    return records
