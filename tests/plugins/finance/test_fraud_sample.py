"""The bundled payments: as their maker makes them, read, and what is known of them."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from importlib import resources
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fivefold.data.catalog import resolve
from fivefold.data.manifest import load_manifest
from fivefold.plugins.registry import load_registry
from fivefold_finance.fraud.config import FraudConfig
from fivefold_finance.fraud.pipeline import Fraud

MAKER = Path(__file__).parents[3] / "data" / "make_payments_sample.py"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_payments_sample", MAKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_sample_is_what_its_maker_makes(maker: ModuleType, tmp_path: Path) -> None:
    maker.TARGET = tmp_path / "payments.csv.gz"
    maker.main()
    bundled = resources.files("fivefold_data") / "samples" / "payments.csv.gz"
    assert gzip.decompress(maker.TARGET.read_bytes()) == gzip.decompress(bundled.read_bytes())


def test_the_sample_is_read_and_split_with_its_delays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path))
    path, _ = resolve("payments", load_registry().dataset_specs, notify=lambda _: None)
    pipeline = Fraud(FraudConfig())
    assert pipeline.recognise(path) is not None
    splits = pipeline.split(pipeline.read(path))
    sizes = [len(part) for part in (splits.train, splits.val, splits.test)]
    assert sum(sizes) < 30_141
    assert "labels of training were not known when validation begins" in splits.how
    whole = splits.test.whole  # type: ignore[attr-defined]  # of `TransactionTable`
    assert len(whole) == 30_141
    assert 0.007 < whole.labels.mean() < 0.013
    assert (whole.label_times - whole.times).max() == np.timedelta64(3, "D")
    assert len(np.unique(whole.accounts.astype(str))) == 300


def test_the_card_data_of_ulb_are_named_with_their_terms() -> None:
    manifest = load_manifest("fivefold_data:datasets/ulb-cards.yaml")
    assert manifest.bytes == 150_828_752
    assert "Dal Pozzolo" in manifest.citation
