# Everything is made from here: the environment, the checks, the tests, the demo, the benchmark, the screenshots.
# `make demo` and `make test` each do all their own set-up; they need Python 3.11 or newer, git and make.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
STAMP := $(VENV)/.installed
# Half as many again as there are cores: a quarter of the time a test waits for processes, disks and servers.
WORKERS ?= $(shell expr 3 \* $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) / 2)

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types contracts tests test-loaders test-model bench bench-engine month screenshots simulate keys faults chaos soak clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "apm needs Python 3.11 or newer on the PATH." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once)..." >&2
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

demo: $(STAMP) ## a sample project from request to release: the app in a terminal, otherwise without a screen
	@$(BIN)/apm demo

test: check tests ## format, lint, types, import contracts, all tests

check: format lint types contracts

format: $(STAMP)
	@$(BIN)/ruff format --check .

lint: $(STAMP)
	@$(BIN)/ruff check .

types: $(STAMP)
	@$(BIN)/mypy

contracts: $(STAMP)
	@$(BIN)/lint-imports

# Compiled modules are kept whatever the environment says: tests start a thousand programs.
tests: $(STAMP)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-loaders: $(STAMP) ## every provider's files, listed by the real tools (installs them into .loaders, about 2 GB)
	@$(BIN)/python -m pytest tests/loaders -p no:cacheprovider -rs

test-model: $(STAMP) ## agents on a real model that is served on this machine (fetches half a gigabyte into .models)
	@$(BIN)/python -m pytest tests/model -p no:cacheprovider -rs

chaos: $(STAMP) ## killed at every transition and at 200 random moments: nothing lost, nothing done twice (ten minutes)
	@$(BIN)/python -m tests.chaos

bench: $(STAMP) ## the figures, measured in one run, as a table
	@$(BIN)/python -m tests.bench

bench-engine: $(STAMP) ## the journal's speed against raw SQLite and other durable engines (ARGS="--only ours,raw")
	@$(BIN)/python -m tests.bench_engine $(ARGS)

month: $(STAMP) ## thirty simulated days of decisions and answers, and the scope reviews they lead to
	@$(BIN)/python -m tests.month

SEEDS ?= 200
simulate: $(STAMP) ## simulated runs with kills, full disks and put clocks, one a seed: what held, as a table (SEEDS=200)
	@$(BIN)/python -m tests.simulation $(SEEDS)

keys: $(STAMP) ## random keys, mouse, sizes and news on the app while its readings are slow: what went wrong (SEEDS=200)
	@$(BIN)/python -m tests.app.random_keys $(SEEDS)

ITEMS ?= 1000
soak: $(STAMP) ## a thousand work items in one process, 20 at once, with faults: what it takes, as a table (ITEMS=1000)
	@$(BIN)/python -m tests.soak $(ITEMS)

faults: $(STAMP) ## full disks, read-only folders, damaged and cut files, held locks, jumping clocks: real processes meet them
	@$(BIN)/python -m pytest tests/faults/machine.py -p no:cacheprovider -rs

screenshots: $(STAMP) ## screenshots/*.svg from a seeded database and a frozen clock
	@$(BIN)/python -m tests.app.screenshots

clean: ## remove what was made, the environment included
	rm -rf $(VENV) .engines .loaders .models build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis state/demo
