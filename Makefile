# AutoSpot. `make` lists what there is to do.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYSTEM_PACKAGES := libcurl4
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test check format bench lock

help: ## List these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(VENV)/installed ## Set up .venv with everything, from hash-locked requirements

$(VENV)/installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tools/system-packages python3-venv
	@tools/system-packages $(SYSTEM_PACKAGES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@echo "setting up $(VENV) (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## Run everything here: database, broker, hub, API, simulator; prints pages and logins
	@$(BIN)/autospot demo --data var/demo $(ARGS)

test: install ## Run all tests (ARGS="-k name" for some)
	@$(BIN)/pytest -n 2 --dist loadfile -q $(ARGS)

check: install ## Linters, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install ## Format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: install ## Measure sensor-to-screen against its peers (ARGS="--quick" for a minute)
	@$(BIN)/autospot bench live $(ARGS)

lock: ## Compile requirements/*.txt anew (needs uv)
	@for set in run: demo:demo dev:dev; do \
	  extra="--extra reports"; [ "$${set#*:}" = "" ] || extra="$$extra --extra $${set#*:}"; \
	  uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
	    $$extra pyproject.toml -o requirements/$${set%%:*}.txt; done
