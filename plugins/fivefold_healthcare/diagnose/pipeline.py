"""Diagnosis from images: `fivefold healthcare diagnose train labels.csv`. Research use, not a medical device."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from fivefold.config import PipelineConfig, StrictModel
from fivefold.data.augmentation import Augmentation
from fivefold.data.classes import require_two_classes
from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.fingerprint import Fingerprints, image_fingerprints
from fivefold.data.problems import refuse_any_problem, refuse_problems
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.evaluation.baselines import Baseline, Prevalence, QuestionForest, QuestionRegression
from fivefold.evaluation.baselines.pixels import GreyPixels
from fivefold.evaluation.doubts import all_doubts
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.images.fingerprints import memory_fingerprints
from fivefold.images.loading import in_threads, load_arrays
from fivefold.images.samples import load_images
from fivefold.nn.image_network import ImageNetwork, build_network, describe_backbone, load_published
from fivefold.pipeline import Augment, Pipeline
from fivefold.prediction import Request
from fivefold.tasks.base import Task
from fivefold.tasks.questions import Questions
from fivefold_healthcare.diagnose.cases import header_cautions
from fivefold_healthcare.diagnose.config import DiagnoseConfig, PredictOptions
from fivefold_healthcare.diagnose.data import Images, truth_of
from fivefold_healthcare.diagnose.form import Form
from fivefold_healthcare.diagnose.labels import Asked
from fivefold_healthcare.diagnose.prediction import predict_images
from fivefold_healthcare.diagnose.presets import PRESETS
from fivefold_healthcare.diagnose.readers import archive
from fivefold_healthcare.diagnose.readers.choose import read_input_table, read_table, recognise
from fivefold_healthcare.diagnose.readers.listing import with_usual_columns
from fivefold_healthcare.diagnose.sections import report_sections
from fivefold_healthcare.diagnose.survey import decide_form
from fivefold_healthcare.diagnose.unlike import FACT as MODALITIES
from fivefold_healthcare.diagnose.unlike import modalities_of, unlike_notes
from fivefold_healthcare.statement import STATEMENT

LOGGER = logging.getLogger("fivefold.healthcare.diagnose")  # below that of fivefold, which is shown on stderr

BASELINE_SIDE = 28
"""Side of the pictures that the baselines see."""
BASELINE_VOLUME = (8, 14, 14)
"""Size of the volumes that they see."""

NO_PATIENTS = (
    "No patients are known: images of one patient may stand on both sides of a split, which makes a model "
    "look better than it is, and the intervals take every image for independent, which makes them too "
    "narrow. Add a column 'patient'."
)


class Diagnosis(Questions):
    """Questions answered by a network that may start from published weights."""

    network: ImageNetwork

    def __init__(self, config: DiagnoseConfig, data: Facts) -> None:
        asked = Asked.from_facts(data)
        super().__init__(
            build_network(config.model, data, len(asked.names)),
            asked.names,
            form=asked.form,
            classes=asked.classes,
            focal=config.focal,
            class_weights=config.class_weights,
            specificity=config.specificity,
        )
        self._model = config.model

    def prepare(self, train: Dataset) -> None:
        """Set the weights of answers, and put in the published weights of the network."""
        super().prepare(train)
        load_published(self.network, self._model, train.facts, len(self.names))


class Diagnose(Pipeline):
    """What medical images show: one finding, several, or a grade."""

    Config: ClassVar[type[PipelineConfig]] = DiagnoseConfig
    Prediction: ClassVar[type[StrictModel]] = PredictOptions
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = PRESETS
    statement: ClassVar[str] = STATEMENT
    config: DiagnoseConfig
    _form: Form | None = None
    _doubts: tuple[str, ...] = ()
    _patients: bool = True

    def recognise(self, source: Path) -> str | None:
        """What kind of labelled images this is, in words."""
        return recognise(source, self.config)

    def read(self, source: Path) -> Table:
        """Read labelled images; those held in memory stand in the column ``image``, others in ``path``."""
        config = self._config_for(source)
        table, cases = read_table(source, config, self.named_columns())
        patients = table.group or config.columns.patient
        self._patients = table.group is not None
        table = self._load(table)
        self._doubts = (*table.notes, *header_cautions(cases, patients))
        refuse_problems(table, self.config.max_bad_share)
        if self.facts is None:
            _check_labels(table)
        return table

    def read_inputs(self, source: Path) -> Table:
        """Read images to predict; the column ``file`` says where they come from. None may be left out.

        That images are unlike those of the training is logged.
        """
        volumes = self.facts is not None and "depth" in self.facts
        table = read_input_table(source, self._config_for(source), self.named_columns(), volumes=volumes)
        for note in unlike_notes(table, self.facts or Facts()):
            LOGGER.warning("Note: %s", note)
        table = self._load(table.with_columns(file=table["path"]) if "path" in table else table)
        refuse_any_problem(table)
        return table

    def samples(self, table: Table) -> Dataset:
        """Images as uint8 tensors with the answers known of them."""
        form = self._form if self.facts is None and self._form is not None else self._decide(table)
        if "image" in table:
            table = load_arrays(table, form)
        if self.facts is not None:
            return Images(table, form, truth_of(table, Asked.from_facts(self.facts)), self.facts, {})
        asked, stated = self._asked(table)
        return Images(table, form, truth_of(table, asked), None, stated)

    def task(self, data: Facts) -> Diagnosis:
        """The questions, on the network that the settings name."""
        return Diagnosis(self.config, data)

    def augment(self, data: Facts) -> Augment | None:
        """The variations that the settings ask for; those of volumes are alike in every slice."""
        vary = Augmentation(classes=0, **self.config.augment.amounts(data.size))
        return partial(_vary_slices, vary) if data.get("depth") else vary

    def baselines(self, data: Facts) -> Sequence[Baseline]:
        """Prevalence, and logistic regression and a random forest on small grey pixels."""
        images = tuple(min(BASELINE_SIDE, side) for side in data.size)
        pixels = GreyPixels(BASELINE_VOLUME if data.get("depth") else images)
        seed = self.config.seed
        return [
            Prevalence(),
            QuestionRegression(pixels, f"logistic regression on {pixels}", seed=seed),
            QuestionForest(pixels, f"random forest on {pixels}", seed=seed),
        ]

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys of the pixels: equal images, and nearly equal ones."""
        if "image" in table:
            return memory_fingerprints(table)
        form = self._form or self._decide(table)
        return image_fingerprints(in_threads(form.read, [str(path) for path in table["path"]]))

    def cautions(self, data: Facts) -> Sequence[str]:
        """That no patients are known, and what headers give reason to doubt: of the training and of what is judged."""
        unknown = [] if data.get("unit") and self._patients else [NO_PATIENTS]
        return [*unknown, *all_doubts(data, self._doubts)]

    def sections(self, evaluation: Evaluation) -> list[Section]:
        """Subgroups, where the network looked, image quality, and the model card."""
        return report_sections(evaluation, self.config)

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        """Records as `Questions.decode` gives them; on request DICOM objects as well."""
        return predict_images(self, task, request)

    @cached_property
    def _backbone(self) -> dict[str, Any] | None:
        return describe_backbone(self.config.model)

    def _config_for(self, source: Path) -> DiagnoseConfig:
        """The settings with the columns that ``source`` has: of other data than the training's also the usual ones.

        Raises:
            DataError: columns of labels are named for other data, and there are not as many as in training.
        """
        if self.facts is None:
            return self.config
        labels, trained = self.config.columns.labels, self.facts.get("labels", ["label"])
        if len(labels) != len(trained):
            raise DataError(
                f"{source}: expected {len(trained)} columns of labels, as in training, found {', '.join(labels)}; "
                "name as many by --columns.labels, in the same order"
            )
        return with_usual_columns(source, self.config, self.reading.get("columns", {}))

    def _asked(self, table: Table) -> tuple[Asked, dict[str, Any]]:
        """The questions of the data, and what the facts are to say of them."""
        stated: dict[str, Any] = {"doubts": list(self._doubts)} if self._doubts else {}
        if self._backbone is not None:
            stated["backbone"] = self._backbone
        if modalities := modalities_of(table):
            stated[MODALITIES] = modalities
        if table.classes:
            task: Literal["ordinal", "single"] = "ordinal" if self.config.task == "ordinal" else "single"
            return Asked.of(task, table.classes), {**stated, "task": task, "classes": list(table.classes)}
        labels = archive.label_names(table, self.config)
        return Asked.of("multi", labels), {**stated, "task": "multi", "labels": list(labels)}

    def _load(self, table: Table) -> Table:
        """Read what the table names, once, and bring it to a common form."""
        form = self._form = self._decide(table)
        return load_images(table, form, self.config.memory)

    def _decide(self, table: Table) -> Form:
        return decide_form(table, self.config, self.facts, self._backbone)


def _vary_slices(vary: Augment, batch: Batch, generator: Any) -> Batch:
    """``(B, 1, D, H, W)`` varied as ``(B, D, H, W)``, so that every slice of a volume moves alike."""
    varied = vary({**batch, "input": batch["input"][:, 0]}, generator)
    return {**varied, "input": varied["input"][:, None]}


def _check_labels(table: Table) -> None:
    """Refuse data that teach nothing.

    Raises:
        DataError: no image, or the same answer for all of them.
    """
    if not len(table):
        raise DataError(f"{table.source}: expected labelled images, found none")
    if table.classes:
        require_two_classes(table, "images")
    elif not any((column == 0).any() and (column == 1).any() for column in table["truth"].T):
        raise DataError(f"{table.source}: expected labels with both yes and no, found none such; add images")
