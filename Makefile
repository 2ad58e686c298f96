# Everything a developer needs; `make help` lists it. Asks for Python 3.11 with venv, make and git, nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo image test test-long lint check bench soak lock clean promises audit faults faults-long

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements.lock -r requirements-build.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.installed ## install, serve on the embedded database, run an agent by its URL
	@$(BIN)/glovebox demo

image: $(VENV)/.installed ## build the docker tier's image, from a registry or, as root, from Debian's packages
	@$(BIN)/glovebox image build

lint: $(VENV)/.installed-dev ## ruff, format, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: $(VENV)/.installed-dev ## the tests alone
	$(BIN)/python -m pytest -m "not long"

test: lint check ## everything that CI runs

test-long: $(VENV)/.installed-dev ## the long forms of the checks
	$(BIN)/python -m pytest -m long

promises: $(VENV)/.installed-dev ## run the checks of the promises, write docs/promises.md; FORM=long runs them at full size
	$(BIN)/python -m pytest -q -p tests.support.promise_recorder --promises=docs/promises.json --promises-only -m "$(or $(FORM),not long)"

audit: $(VENV)/.installed-dev ## look for known holes in what the product is built of
	$(BIN)/uv tool run pip-audit@2.10.1 --requirement requirements.lock --require-hashes --disable-pip --strict

FAULTS := tests/faults tests/acceptance/test_two_servers.py tests/acceptance/test_docker_outages.py

faults: $(VENV)/.installed-dev ## do faults to running servers, and write docs/faults.md
	$(BIN)/python -m pytest -m "not long" $(FAULTS) --fault-report docs/faults.md

faults-long: $(VENV)/.installed-dev ## the same with the long forms
	$(BIN)/python -m pytest $(FAULTS) --fault-report docs/faults.md

bench: $(VENV)/.installed-dev ## measure latencies as multiples of a bare start
	$(BIN)/glovebox bench

SOAK_MINUTES ?= 15
soak: $(VENV)/.installed-dev ## everything at once with faults in it, SOAK_MINUTES long; writes docs/soak.md
	$(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES) --page docs/soak.md

lock: $(VENV)/.installed-dev ## resolve the dependencies anew, with hashes
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --group build -o requirements-build.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 -c requirements.lock pyproject.toml --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --only-binary :all: --python-version 3.11 sandbox/docker/image/requirements.in -o sandbox/docker/image/requirements.txt
	$(BIN)/python tests/unit/test_supply_chain.py # the bill of materials

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
