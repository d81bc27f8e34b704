"""Behaviour prediction: `fivefold driving predict train eth-ucy --held-out zara1`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.labels import texts
from fivefold.data.splits import Splits
from fivefold.data.table import Array, Table
from fivefold.errors import ConfigError, DataError
from fivefold.evaluation.baselines import Baseline
from fivefold.evaluation.doubts import all_doubts, keep_doubts
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.pipeline import Augment, Pipeline
from fivefold.prediction import Request
from fivefold.tasks.base import Task
from fivefold_driving.predict.augmentation import TrackAugmentation
from fivefold_driving.predict.baselines import ConstantVelocity, ConstantVelocityWithNoise, LinearFit
from fivefold_driving.predict.config import PredictConfig
from fivefold_driving.predict.data import TrackWindows, measure
from fivefold_driving.predict.network import TrackNetwork
from fivefold_driving.predict.off_road import off_road_section
from fivefold_driving.predict.places import as_the_source_says, held_out_places, leave_out, places_of
from fivefold_driving.predict.prediction import predict_tracks
from fivefold_driving.predict.presets import PRESETS
from fivefold_driving.predict.sections import track_sections
from fivefold_driving.predict.tasks import SocialGAN, TrackForecast, TrackMixture, TrackTask
from fivefold_driving.predict.windows import windows_of
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.readers.choose import read_scenes, recognise
from fivefold_driving.tracks.scene import Scene, Scenes

_CLOCKS = {"frame_rate", "seconds_per_frame"}
"""Settings that say how long a frame is."""
SIMULATED = "The tracks were simulated: what holds here need not hold on a road."


class Predict(Pipeline):
    """Where agents will be, from where they and those around them have been."""

    Config: ClassVar[type[PipelineConfig]] = PredictConfig
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = PRESETS
    config: PredictConfig
    _doubts: tuple[str, ...] = ()
    _roads: Mapping[str, Sequence[Array]] = MappingProxyType({})
    _areas: Mapping[str, Sequence[Array]] = MappingProxyType({})

    def recognise(self, source: Path) -> str | None:
        """What kind of tracks this is, in words."""
        return recognise(source, self._options())

    def read(self, source: Path) -> Table:
        """Read tracks and cut them into windows, one a frame of each scene.

        Raises:
            DataError: the tracks cannot be read, or no agent stays long enough for a window.
        """
        table = self._windows(source, judged=True)
        if not len(table):
            length = self.config.lookback + self.config.horizon
            raise DataError(
                f"{source}: expected agents that are there for {length} frames of {self.config.interval:g} "
                "s, found none; shorten --lookback or --horizon, or choose another --interval"
            )
        return table

    def read_inputs(self, source: Path) -> Table:
        """Read tracks whose future is not known; one window a scene, its last.

        Raises:
            DataError: the tracks cannot be read, or nobody is there for all frames that must be seen.
        """
        return self._windows(source, judged=False)

    def split(self, table: Table) -> Splits:
        """Leave the scene out that the settings name, else split as the source says; what it lacks is made."""
        length = self.config.lookback + self.config.horizon
        if self.config.held_out is not None:
            return leave_out(table, self.config.held_out, length)
        return as_the_source_says(table, length)

    def fold(self, table: Table, folds: int) -> Splits:
        """Leave one scene out: as many folds as there are scenes.

        Raises:
            ConfigError: there are not as many scenes.
        """
        places = held_out_places(table)
        if len(places) != folds:
            raise ConfigError(
                f"--folds {folds}: expected as many as there are scenes, found {len(places)} "
                f"({', '.join(places)})"
            )
        return leave_out(table, places[self.config.fold], self.config.lookback + self.config.horizon)

    def samples(self, table: Table) -> Dataset:
        """Windows as tensors."""
        if self.facts is not None:
            return TrackWindows(table, self.facts, trimmed=False)
        facts = measure(table, self.config.lookback, self.config.horizon, self.config.interval)
        keep_doubts(facts, self._doubts)
        return TrackWindows(table, facts, trimmed=True)

    def task(self, data: Facts) -> TrackTask:
        """The network that the settings name, with its loss."""
        model = self.config.model
        generator = torch.Generator().manual_seed(self.config.seed)
        if model.kind == "social-gan":
            network = TrackNetwork(model.kind, model.hidden, data.horizon, data.step, model.noise)
            return SocialGAN(network, model.hidden, data, self.config.samples, model.adversarial, generator)
        if model.mixture is not None:
            return TrackMixture(model.kind, model.hidden, model.mixture, data, self.config.samples, generator)
        return TrackForecast(TrackNetwork(model.kind, model.hidden, data.horizon, data.step))

    def augment(self, data: Facts) -> Augment | None:  # noqa: ARG002 - the interface
        """The variations that the settings ask for."""
        return TrackAugmentation(**self.config.augment.model_dump())

    def baselines(self, data: Facts) -> Sequence[Baseline]:  # noqa: ARG002 - the interface
        """Constant velocity, a straight line fitted to what was seen, and, against drawn futures, drawn directions."""
        model = self.config.model
        drawn = model.kind == "social-gan" or model.mixture is not None
        noise = ConstantVelocityWithNoise(samples=self.config.samples, seed=self.config.seed)
        return [ConstantVelocity(), *([noise] if drawn else []), LinearFit()]

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys of the tracks of a window, wherever they lie."""
        return Fingerprints(exact=texts([tracks.tobytes() for tracks in table["tracks"]]))

    def cautions(self, data: Facts) -> Sequence[str]:
        """What the tracks give reason to doubt: those that were learned from, and those read since."""
        return all_doubts(data, self._doubts)

    def sections(self, evaluation: Evaluation) -> list[Section]:
        """Results by scene, speed, density and turning, and tracks drawn."""
        samples = evaluation.samples
        if not isinstance(samples, TrackWindows):
            return []
        sections = track_sections(evaluation, samples.scenes, self._roads, samples.origins)
        off = off_road_section(evaluation, samples.scenes, self._areas, samples.origins)
        return [*sections, *([off] if off is not None else [])]

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        """One record an agent and frame to come: scene, agent, seconds ahead, time where there is one, x, y, unit."""
        return predict_tracks(self, task, request)

    def _windows(self, source: Path, *, judged: bool) -> Table:
        found = read_scenes(source, self._options())
        self._refuse_problems(found, source)
        places, together = places_of(found.scenes)
        self._doubts = (
            *found.cautions,
            *together,
            *([SIMULATED] if any(one.simulated for one in found.scenes) else []),
        )
        self._roads = {places[one.name]: one.map for one in found.scenes}
        self._areas = {places[one.name]: one.drivable for one in found.scenes}
        rows: list[dict[str, Any]] = []
        for scene in found.scenes:
            rows += self._of_scene(scene, judged=True) if judged else [self._last(scene, source)]
        columns: dict[str, Array] = {}
        for name in ("id", "scene", "block"):
            columns[name] = texts([row[name] for row in rows])
        columns["place"] = texts([places[row["scene"]] for row in rows])
        for name in ("tracks", "agents"):
            column = np.empty(len(rows), dtype=object)
            column[:] = [row[name] for row in rows] if rows else []
            columns[name] = column
        columns["clock"] = np.array([row["clock"] for row in rows], dtype=np.float64)
        columns["start"] = np.array([row["start"] for row in rows], dtype=np.int64)
        columns["origin"] = np.array([row["origin"] for row in rows], dtype=np.float64).reshape(-1, 2)
        if found.split and judged:
            columns["split"] = texts([found.split.get(row["scene"], "train") for row in rows])
        return Table(
            columns,
            source=str(source),
            group="block",
            split="split" if "split" in columns else None,
            problems=found.problems,
        )

    def _of_scene(self, scene: Scene, *, judged: bool) -> Iterator[dict[str, Any]]:
        config = self.config
        for window in windows_of(scene, config.lookback, config.horizon, judged=judged):
            seconds = window.frame * scene.interval
            yield {
                "id": f"{scene.name}@{window.frame}",
                "scene": scene.name,
                "block": f"{scene.name}/{int(seconds // config.block)}",
                "start": window.frame - config.lookback + 1,
                "clock": np.nan if scene.start is None else scene.start + seconds,
                "origin": window.origin,
                "tracks": window.tracks,
                "agents": tuple(scene.names[code] for code in window.agents),
            }

    def _refuse_problems(self, found: Scenes, source: Path) -> None:
        bad = len({problem.sample for problem in found.problems})
        total = max(bad, sum(len(scene.names) for scene in found.scenes))
        if bad > self.config.max_bad_share * total:
            first = found.problems[0]
            raise DataError(
                f"{source}: expected at most {self.config.max_bad_share:g} of the agents to have points that cannot be "
                f"used, found {bad:,} of {total:,} agents with {found.points:,} such points (the first of them, "
                f"{first.sample}: {first.reason}); mend them, or raise --max-bad-share"
            )

    def _last(self, scene: Scene, source: Path) -> dict[str, Any]:
        """The window that ends with the scene's last frame."""
        for row in self._of_scene(scene, judged=False):
            if row["start"] + self.config.lookback > scene.frames.max():
                return row
        raise DataError(
            f"{source}, scene '{scene.name}': expected an agent that is there for its last {self.config.lookback} "
            "frames, found none; leave the scene out, or end it earlier"
        )

    def _options(self) -> Options:
        config, given = self.config, self.reading
        return Options(
            interval=config.interval,
            columns=config.columns,
            # One that is given for other data takes the place of the other, with which the model was trained.
            frame_rate=None if {*given} & _CLOCKS == {"seconds_per_frame"} else config.frame_rate,
            seconds_per_frame=None if {*given} & _CLOCKS == {"frame_rate"} else config.seconds_per_frame,
            units=config.units,
            map=config.map,
            trained=self.facts is not None,
            named=self.named_columns() if self.facts is not None else {},
        )
