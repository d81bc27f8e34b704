import subprocess
import sys

import fivefold.nn


def test_exports_are_there_and_documented() -> None:
    assert sorted(fivefold.nn.__all__) == sorted(set(fivefold.nn.__all__))
    for name in fivefold.nn.__all__:
        assert (getattr(fivefold.nn, name).__doc__ or "").strip(), name


def test_import_leaves_transformers_alone() -> None:
    code = "import sys, fivefold.nn; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
