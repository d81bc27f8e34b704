"""Fraud detection: `fivefold finance fraud train payments.csv`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fivefold.config import PipelineConfig, StrictModel
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.splits import Splits
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.evaluation.baselines import Baseline, Prevalence, QuestionForest, QuestionRegression
from fivefold.evaluation.baselines.boosting import QuestionBoosting
from fivefold.evaluation.doubts import all_doubts, keep_doubts
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.pipeline import Pipeline
from fivefold.prediction import Request
from fivefold.tasks.base import Task
from fivefold_finance.fraud.alerts import endless_budget
from fivefold_finance.fraud.autoencoder import UnusualTransactions
from fivefold_finance.fraud.config import FraudConfig
from fivefold_finance.fraud.data import CLASSES, UNKNOWN, TransactionSamples, TransactionTable
from fivefold_finance.fraud.encoding import Encoded, encode, expected_of, rare_names, trained_roles
from fivefold_finance.fraud.features import baseline_features
from fivefold_finance.fraud.follow import follow, tell_unseen
from fivefold_finance.fraud.history import Histories
from fivefold_finance.fraud.judged import independent_units
from fivefold_finance.fraud.measure import measure
from fivefold_finance.fraud.prediction import FraudPrediction
from fivefold_finance.fraud.presets import PRESETS
from fivefold_finance.fraud.reconstruction import PrincipalComponents
from fivefold_finance.fraud.reporting import report_sections
from fivefold_finance.fraud.splits import split_by_time
from fivefold_finance.fraud.tasks import FraudQuestions
from fivefold_finance.fraud.telltale import told_telltales
from fivefold_finance.transactions.checks import row_keys
from fivefold_finance.transactions.options import NONE, ColumnsConfig
from fivefold_finance.transactions.readers.choose import Options, read_transactions, recognise
from fivefold_finance.transactions.schema import Transactions

MOST_BASELINE = 1_000_000
"""Training samples that each baseline sees, at most."""


class Fraud(Pipeline):
    """Which transactions are fraud, by what they are and what their account did before."""

    Config: ClassVar[type[PipelineConfig]] = FraudConfig
    Prediction: ClassVar[type[StrictModel]] = FraudPrediction
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = PRESETS
    search_space: ClassVar[Mapping[str, str]] = {
        "model.hidden": "64:512:log",
        "model.dropout": "0:0.5",
        "model.members": "8,16,32",
    }
    config: FraudConfig
    _doubts: tuple[str, ...] = ()
    _budget: tuple[str, ...] = ()
    _unit: str = "day"
    _splits: Splits | None = None
    _known: tuple[Transactions, Encoded, Histories | None] | None = None

    def recognise(self, source: Path) -> str | None:
        """Transactions, and the names of their columns."""
        return recognise(source, self._options())

    def read(self, source: Path) -> Table:
        """Read labelled transactions, or unlabelled ones for the autoencoder.

        Raises:
            DataError: the table is wrong, or its labels teach nothing.
        """
        table = self._read(source, self._columns(labelled=True))
        if self.facts is None and self._kind(_whole(table)) != "autoencoder":
            _check_labels(_whole(table))
        self._budget = endless_budget(_whole(table), self.config.costs.alerts_a_day)
        return table

    def read_inputs(self, source: Path) -> Table:
        """Read transactions to predict; labels are passed over."""
        return self._read(source, self._columns(labelled=False))

    def split(self, table: Table) -> Splits:
        """Past, then, latest; labels that were not known in time are not used."""
        whole = _whole(table)
        labelled = self._kind(whole) != "autoencoder"
        splits = split_by_time(table, whole, self.fractions, self.config.label_delay, labelled=labelled)
        judged = whole.take(splits.test["place"])
        self._unit = independent_units(judged.times, judged.accounts)[1]
        self._budget = endless_budget(judged, self.config.costs.alerts_a_day)
        self._splits = splits
        return splits

    def samples(self, table: Table) -> Dataset:
        """Transactions as tensors."""
        whole = _whole(table)
        facts = self.facts
        if facts is None:
            train = whole.take(table["place"])
            facts = measure(train, self.config, self._kind(whole), self._unit)
            learned = rare_names(train, facts, self.config.rare)
            telling = told_telltales(train) if facts.kind != "autoencoder" else []
            keep_doubts(facts, (*self._doubts, *telling, *learned))
            self._known = None
        if self._known is None or self._known[0] is not whole:
            histories = None
            if facts.lookback and whole.accounts is not None:
                histories = Histories.of(whole.accounts, whole.times, int(facts.lookback), float(facts.days))
            self._known = (whole, encode(whole, facts), histories)
        return TransactionSamples(table, *self._known, facts)

    def task(self, data: Facts) -> Task:
        """The question, or the autoencoder."""
        if data.kind == "autoencoder":
            return UnusualTransactions(data, self.config)
        return FraudQuestions(data, self.config)

    def baselines(self, data: Facts) -> Sequence[Baseline]:
        """Prevalence, logistic regression, random forest and gradient boosting; of the autoencoder mean and PCA."""
        if data.kind == "autoencoder":
            return [PrincipalComponents(0), PrincipalComponents(self.config.model.bottleneck)]
        of = "the transaction and sums of its history" if data.lookback else "the transaction"
        trees, lines = (baseline_features(data, filled=filled) for filled in (False, True))
        settings: dict[str, Any] = {"seed": self.config.seed, "max_samples": MOST_BASELINE}
        return [
            Prevalence(),
            QuestionRegression(lines, f"logistic regression on {of}", **settings),
            QuestionForest(trees, f"random forest on {of}", trees=100, **settings),
            QuestionBoosting(
                trees,
                f"gradient boosting on {of}",
                learning_rate=0.05,
                tail=0.15,
                regularisation=1.0,
                **settings,
            ),
        ]

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys of everything that a transaction says, its time among it, and its label and id aside."""
        return Fingerprints(exact=row_keys(_whole(table).take(table["place"])))

    def cautions(self, data: Facts) -> Sequence[str]:
        """What the data give reason to doubt: of training, and of what was read since; and a budget without an end."""
        return all_doubts(data, (*self._doubts, *self._budget))

    def sections(self, evaluation: Evaluation) -> list[Section]:
        """Alerts, costs, amounts, reasons and drift."""
        return report_sections(evaluation, self, self._splits)

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        """One record a transaction, its name as ``id`` first; names that training did not hold are counted and told."""
        records = []
        for source in request.sources:
            records += super().predict(task, replace(request, sources=(source,)))
            if self._known is not None:
                tell_unseen(source.name, self._known[1].unseen)
        return records

    def follow(
        self, task: Task, lines: Iterator[Sequence[tuple[int, str]]], request: Request
    ) -> Iterator[list[dict[str, Any]]]:
        """Scores of transactions as they come in; see `fivefold_finance.fraud.follow`."""
        facts = self.facts
        if facts is None:
            raise DataError("a stream can only be followed by a trained model; load one from a run")
        return follow(task, facts, self._columns(labelled=False), self.config.zone, lines, request)

    def _read(self, source: Path, columns: ColumnsConfig) -> Table:
        expected = None if self.facts is None else expected_of(self.facts)
        whole = read_transactions(source, self._options(columns), expected)
        self._doubts = whole.cautions
        unlabelled = whole.labels is None or self._kind(whole) == "autoencoder"
        codes = np.full(len(whole), UNKNOWN, dtype=np.int64)
        if whole.labels is not None:
            known = ~np.isnan(whole.labels)
            codes[known] = whole.labels[known].astype(np.int64)
        return TransactionTable(
            {"id": whole.names, "time": whole.times, "label": codes, "place": np.arange(len(whole))},
            source=str(source),
            label=None if unlabelled else "label",
            classes=() if unlabelled else CLASSES,
            time="time",
            whole=whole,
        )

    def _kind(self, whole: Transactions) -> str:
        """The network that is meant by ``auto``."""
        if self.facts is not None:
            return str(self.facts.kind)
        kind = self.config.model.kind
        if kind != "auto":
            return kind
        if whole.labels is None:
            return "autoencoder"
        return "mlp" if whole.accounts is None else "gru"

    def _columns(self, *, labelled: bool) -> ColumnsConfig:
        """The names of the columns: as they were found in training, so that those of other data are not guessed anew.

        What is given for other data comes before.
        """
        if self.facts is None:
            return self.config.columns
        roles = {**dict(self.facts.roles), **self.reading.get("columns", {})}
        return ColumnsConfig(**(roles if labelled else roles | {"label": NONE, "label_time": NONE}))

    def _options(self, columns: ColumnsConfig | None = None) -> Options:
        config, named = self.config, columns or self.config.columns
        trained = [] if self.facts is None else trained_roles(self.facts, named)
        return Options(named, config.zone, config.drop_duplicates, trained)


def _whole(table: Table) -> Transactions:
    if not isinstance(table, TransactionTable) or table.whole is None:
        raise DataError(
            f"{table.source}: expected transactions that this pipeline has read, found another table"
        )
    return table.whole


def _check_labels(whole: Transactions) -> None:
    """Refuse labels that teach nothing.

    Raises:
        DataError: there is no column of labels, or all known ones are alike.
    """
    if whole.labels is None:
        raise DataError(
            f"{whole.source}: expected a column of labels, found none; name it by --columns.label, or learn without "
            "labels by --model.kind autoencoder"
        )
    known = np.unique(whole.labels[~np.isnan(whole.labels)])
    if len(known) < len(CLASSES):
        found = "none" if not len(known) else f"only {known[0]:g} ({CLASSES[int(known[0])]})"
        raise DataError(
            f"{whole.source}: expected labels of both kinds in column '{whole.roles.label}', 1 for fraud and 0 for "
            f"genuine, found {found}; add the other, or learn without labels by --model.kind autoencoder"
        )
