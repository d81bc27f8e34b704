"""The driving plugin: what it offers, as names and targets. Imports neither torch nor OpenCV."""

from __future__ import annotations

from fivefold.plugins.hookspecs import hookimpl
from fivefold.plugins.spec import CommandSpec, DatasetSpec, Demo, PipelineSpec

FIVEFOLD_CONTRACT = 1


@hookimpl
def fivefold_pipelines() -> list[PipelineSpec]:
    """Pipelines on agents in scenes."""
    return [
        PipelineSpec(
            "driving/predict",
            "Behaviour prediction: where pedestrians and vehicles will be",
            target="fivefold_driving.predict.pipeline:Predict",
            config="fivefold_driving.predict.config:PredictConfig",
            example="traffic",
            presets="fivefold_driving.predict.presets:PRESETS",
            prediction="fivefold.config:NoOptions",
            demo=Demo("traffic", preset="quick", inputs="traffic", pattern="", picture="Examples"),
        )
    ]


@hookimpl
def fivefold_datasets() -> list[DatasetSpec]:
    """Named sets of tracks, and road networks to simulate."""
    return [
        DatasetSpec(
            "traffic",
            "Simulated traffic on two road networks, 3 minutes each; comes with fivefold, needs no download",
            manifest="fivefold_data:datasets/traffic.yaml",
            pipelines=("driving/predict",),
        ),
        *(
            DatasetSpec(name, summary, manifest=f"fivefold_data:datasets/{name}.yaml")
            for name, summary in (
                ("cologne1", "Road network of a junction in Cologne with its traffic, to simulate"),
                ("cologne3", "Road network of three junctions in Cologne with their traffic, to simulate"),
                ("ingolstadt1", "Road network of a junction in Ingolstadt with its traffic, to simulate"),
                (
                    "ingolstadt7",
                    "Road network of seven junctions in Ingolstadt with their traffic, to simulate",
                ),
            )
        ),
    ]


@hookimpl
def fivefold_commands() -> list[CommandSpec]:
    """Commands beside the pipelines."""
    return [
        CommandSpec(
            "driving/leave-one-out",
            "Train once for each scene, which is then the test, and tell the mean",
            target="fivefold_driving.predict.leave_one_out:leave_one_out",
        ),
        CommandSpec(
            "driving/simulate",
            "Simulate traffic on a road network, as a track file",
            target="fivefold_driving.simulate.command:simulate",
        ),
    ]
