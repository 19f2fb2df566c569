# Every target sets up what it needs; only python3 (3.11 or later, with venv), git and make must be there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
ARGS ?=
EXAMPLES ?= users conference conference_async report knowledge choose

.PHONY: demo examples notebooks lab test lint types pictures bench clean

demo: $(VENV)/ready-to-run
	@$(BIN)/streamops demo $(ARGS)

examples: $(VENV)/ready-to-run
	@for example in $(EXAMPLES); do \
		echo; echo "=== examples/$$example.py"; $(BIN)/python examples/$$example.py || exit; \
	done

notebooks: $(VENV)/ready-to-develop
	@$(BIN)/python notebooks/run.py $(ARGS)

lab: $(VENV)/ready-to-develop
	@$(BIN)/python -c 'import jupyterlab' 2>/dev/null || \
		{ echo "Installing jupyterlab into $(VENV) ..."; $(BIN)/python -m pip install --quiet jupyterlab; }
	@$(BIN)/python -m jupyterlab notebooks $(ARGS)

test: lint types
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 $(ARGS)

lint: $(VENV)/ready-to-develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready-to-develop
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

pictures: $(VENV)/ready-to-develop
	$(BIN)/python -m pictures $(ARGS)

bench: $(BENCH)/ready
	$(BENCH)/bin/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) $(BENCH) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python $(BENCH)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "streamops needs Python 3.11 or later; say which: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(@:/bin/python=)
	$@ -m pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/ready-to-run: $(VENV)/bin/python pyproject.toml
	@echo "Installing streamops into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --editable '.[cli]'
	@touch $@

$(VENV)/ready-to-develop: $(VENV)/ready-to-run
	@echo "Installing what the checks need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --editable '.[notebook]' --group dev
	@touch $@

# Those of bench-without-dependencies want older versions than we do, and work with ours.
$(BENCH)/ready: $(BENCH)/bin/python pyproject.toml
	@echo "Installing what is measured into $(BENCH) ..."
	@$(BENCH)/bin/python -m pip install --quiet --editable . --group bench
	@$(BENCH)/bin/python -m pip install --quiet --no-deps --group bench-without-dependencies
	@touch $@
