# Two commands do everything by themselves from a fresh clone:
#   make demo   sets up a private environment and runs the main job on the embedded sandbox
#   make test   sets up the same environment and runs the tests
# Nothing is installed outside this folder.

VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
PYTHON  ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
             command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null \
             && { echo $$p; break; }; done)
UV      := $(shell command -v uv 2>/dev/null)

.PHONY: help setup demo test check format lint types contracts cover bench lock clean

help:            ## what there is to call
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

setup: $(READY)  ## the private environment, locked

# A half-made environment never counts: the stamp is written last, and without it the folder is made anew.
$(READY): requirements.lock pyproject.toml
	@test -n "$(UV)$(PYTHON)" || { echo "error: Python 3.11, 3.12 or 3.13 is needed (none found on PATH)" >&2; exit 1; }
	@rm -rf $(VENV)
ifneq ($(UV),)
	@echo "setting up $(VENV) with uv"
	@uv venv --quiet $(if $(PYTHON),--python $(PYTHON),--python 3.11) $(VENV)
	@VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(VENV) uv pip install --quiet --no-deps --no-build-isolation -e .
else
	@echo "setting up $(VENV) with $(PYTHON) -m venv and pip"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@

demo: $(READY)   ## the main job on the embedded sandbox, twice: the second run writes nothing
	@$(BIN)/warranty demo

test: $(READY)   ## all tests
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -q -n 2 --dist loadfile

check: $(READY)  ## format, lint, types, import contracts, tests
	@$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory lint types test

format: $(READY) ## rewrite in the house style
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: $(READY)   ## ruff
	@$(BIN)/ruff check .

types: $(READY)  ## mypy, strict
	@$(BIN)/mypy

contracts: $(READY) ## who may import whom
	@$(BIN)/lint-imports

cover: $(READY)  ## every branch of policies/ is tested, or listed in pyproject.toml with its reason
	@$(BIN)/coverage run -m pytest -q tests/policies && $(BIN)/coverage report

bench: $(READY)  ## speed, as ratios within one run
	@$(BIN)/python -m tests.bench

lock:            ## requirements.lock from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --group dev \
	  --custom-compile-command "make lock" pyproject.toml -o requirements.lock

clean:           ## remove what was set up and produced here
	rm -rf $(VENV) .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
