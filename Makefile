# The office node. `make` alone lists what can be asked for.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Demo and tests start hundreds of processes: compile the node once, whatever the surroundings say.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test faults bench run lint format types lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run.ready ## a priority document travels: simulated WIPO and node as real processes
	@$(BIN)/office-node rehearsal demo

test: $(VENV)/dev.ready ## the whole suite, on SQLite and on a PostgreSQL it starts itself (T=path for a part)
	@$(BIN)/python -m pytest -n auto --dist loadfile $(T)

faults: $(VENV)/dev.ready ## kills, cuts, full disks, lies, and all that is too long for `make test`; a table by row (T=path for a part)
	@$(BIN)/python -m tests.faults $(T)

bench: $(VENV)/dev.ready ## ratios and rates, measured in one run: refusals, 1,000 registrations, encryption
	@$(BIN)/python -m tests.bench.wrong_credentials
	@$(BIN)/python -m tests.bench.registrations_by_csv
	@$(BIN)/python -m tests.bench.sealed_downloads

run: $(VENV)/run.ready ## the node with config/office.toml (keys are made if missing)
	@$(BIN)/office-node keys generate
	@$(BIN)/office-node serve

lint: $(VENV)/dev.ready ## ruff, mypy and the import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/dev.ready ## let ruff put the code in order
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

lock: $(VENV)/dev.ready ## resolve requirements/*.in anew, with hashes
	@for part in run s3 dev; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate requirements/$$part.in -o requirements/$$part.txt || exit 1; done

clean: ## remove what was installed and built
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("office-node needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# No project code is built in isolation: its build needs only what run.txt pins.
$(VENV)/run.ready: requirements/run.txt setup.cfg | $(VENV)/bin/python
	@echo "installing what the node needs to run"
	@$(PIP) install --quiet --require-hashes -r requirements/run.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.ready: requirements/dev.txt $(VENV)/run.ready
	@echo "installing what working on the node needs"
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@
