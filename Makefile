# `make` alone lists what can be made. Everything lands in .venv and var, and nothing outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
INTO := --quiet --python $(BIN)/python
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

WORKERS ?= 4

export CONSOLE_PORT ?= 8000
export CONSOLE_VAR ?= $(CURDIR)/var
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help run test check bench lock messages clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run ## start the console and measure this machine; Ctrl-C stops it
	@console start || [ $$? -eq 130 ] # 130: Ctrl-C

test: $(VENV)/.test ## run every check and test whose tool is there; REQUIRE=chromium,postgres refuses to skip
	@ruff check --quiet .
	@ruff format --quiet --check .
	@mypy --no-error-summary
	@pytest --numprocesses=$(WORKERS) --dist=worksteal

bench: $(VENV)/.test ## measure what the documentation states (minutes)
	@python -m tests.bench

messages: $(VENV)/.test ## bring the English catalogues up to date with the French texts
	@python -m tests.messages

lock: $(UV) ## pin and hash the requirements again
	$(COMPILE) pyproject.toml --extra test -o .requirements/test.txt
	$(COMPILE) pyproject.toml --extra run -c .requirements/test.txt -o .requirements/run.txt
	echo uv | $(COMPILE) - -o .requirements/uv.txt

clean: ## remove what was installed and measured here
	rm -rf $(VENV) var

$(UV): .requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Set PYTHON=/path/to/python3." >&2; exit 1; }
	@test -w . || { echo "$(CURDIR) cannot be written: clone the project where you may write." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .requirements/uv.txt
	@touch $@

# The test set holds the run set: making a folder ready to run takes nothing away from one ready for tests.
$(VENV)/.run: $(UV) .requirements/run.txt pyproject.toml
	@$(UV) pip install $(INTO) --require-hashes -r .requirements/run.txt
	@$(UV) pip install $(INTO) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(UV) .requirements/test.txt pyproject.toml
	@$(UV) pip sync $(INTO) --require-hashes .requirements/test.txt
	@$(UV) pip install $(INTO) --no-deps --no-build-isolation -e .
	@touch $(VENV)/.run $@
