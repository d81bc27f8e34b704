"""The healthcare plugin: what it offers, as names and targets. Imports neither torch nor pydicom."""

from __future__ import annotations

from fivefold.plugins.hookspecs import hookimpl
from fivefold.plugins.spec import CommandSpec, DatasetSpec, Demo, PipelineSpec

FIVEFOLD_CONTRACT = 1


@hookimpl
def fivefold_pipelines() -> list[PipelineSpec]:
    """Pipelines on medical images."""
    return [
        PipelineSpec(
            "healthcare/diagnose",
            "Diagnosis from images: one finding, several, or a grade (research use)",
            target="fivefold_healthcare.diagnose.pipeline:Diagnose",
            config="fivefold_healthcare.diagnose.config:DiagnoseConfig",
            example="chest",
            presets="fivefold_healthcare.diagnose.presets:PRESETS",
            prediction="fivefold_healthcare.diagnose.config:PredictOptions",
            demo=Demo("chest", preset="quick", inputs="chest", pattern="", picture="Where the model looked"),
        )
    ]


@hookimpl
def fivefold_datasets() -> list[DatasetSpec]:
    """Named sets of medical images."""
    return [
        DatasetSpec(
            "chest",
            "400 chest X-rays of children, normal or pneumonia; comes with fivefold, needs no download",
            manifest="fivefold_data:datasets/chest.yaml",
            pipelines=("healthcare/diagnose",),
        ),
        DatasetSpec(
            "dicom",
            "7 DICOM files: a CT, an MR, and a CT series; comes with pydicom, needs no download",
            manifest="fivefold_data:datasets/dicom.yaml",
        ),
    ]


@hookimpl
def fivefold_commands() -> list[CommandSpec]:
    """Commands beside the pipelines."""
    return [
        CommandSpec(
            "healthcare/dicom",
            "Look into DICOM, convert it, remove what identifies the patient",
            target="fivefold_healthcare.dicom.commands:app",
        )
    ]
