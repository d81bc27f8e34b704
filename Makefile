# make demo   set up, fetch real data, train, evaluate, predict, say where the report is
# make test   set up, then everything that CI runs
# make docs   build the documentation into docs/_build
# make bench  timings (not part of the tests)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint types imports docs pytest bench clean

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --quiet -c constraints.txt -e ".[all,dev]"
	touch $@

demo: $(STAMP)
	$(BIN)/fivefold demo

test: lint types imports docs pytest

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

pytest: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term --cov-fail-under=90

# The trainers that fivefold's is compared with live in an environment of their own.
BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed

$(BENCH_STAMP): pyproject.toml constraints.txt tests/benchmarks/peers.txt
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --disable-pip-version-check --progress-bar off --quiet -c constraints.txt \
		-e ".[all]" -r tests/benchmarks/peers.txt
	touch $@

bench: $(BENCH_STAMP)
	$(BENCH)/bin/python tests/benchmarks/startup.py
	$(BENCH)/bin/python tests/benchmarks/convolution_layout.py
	cd tests && ../$(BENCH)/bin/python -m benchmarks.trainers

clean:
	rm -rf $(VENV) $(BENCH) docs/_build
