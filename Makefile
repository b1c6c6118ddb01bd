.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
VENV := .venv/complete
WHEEL := .make/wheel.stamp
SOURCES := $(shell find src facts operations deploys -name '*.py' -o -name py.typed -o -path '*/templates/*')

# One line on what to install, where something is missing.
need = $(if $(shell $(PYTHON) -c '$(1)' 2>/dev/null && echo yes),,$(error $(2)))
RECENT := import sys; sys.exit(sys.version_info < (3, 11))
TOO_OLD = relogin needs Python 3.11 or newer, and $(PYTHON) is none: install it, then run make PYTHON=python3.11 $(MAKECMDGOALS)
NO_VENV = Python's venv module is missing: install it (Debian, Ubuntu: apt-get install python3-venv), then run make $(MAKECMDGOALS)

.PHONY: help demo test test-all lint docs bench bench-all lock clean

help:
	@echo "make demo      break a sample backend in a temporary folder, restore it, prove it"
	@echo "make test      lint, then every test; hosts in Docker too where a Docker daemon answers"
	@echo "make test-all  the same with every pair of faults and every kill point"
	@echo "make lint      ruff, and mypy on the built wheel"
	@echo "make docs      write the catalogue of faults into README.md and docs/faults.md"
	@echo "make bench     what a pass costs beside a raw SSH connection"
	@echo "make bench-all every figure and plot of benchmarks/ anew: some two idle hours"
	@echo "make lock      resolve requirements.lock anew"
	@echo "make clean     remove everything that make made"

demo: $(VENV)
	@$(BIN)/python -m tests.embedded.demo

test: lint
	$(BIN)/python -m tests

test-all: lint
	RELOGIN_TEST_ALL=1 $(BIN)/python -m tests

lint: $(VENV) $(WHEEL)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	MYPYPATH=.make/wheel $(BIN)/mypy -p relogin

docs: $(VENV)
	$(BIN)/python -m relogin.report.faults .

bench: $(VENV)
	$(BIN)/python -m benchmarks

$(VENV): requirements.lock pyproject.toml
	$(call need,$(RECENT),$(TOO_OLD))
	$(call need,import ensurepip; import venv,$(NO_VENV))
	@echo "Setting up .venv (once, about a minute)"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Static tools cannot follow an editable install, so mypy reads what a user gets: the wheel.
$(WHEEL): $(VENV) $(SOURCES)
	@rm -rf .make/wheel .make/dist build
	@$(BIN)/python -m pip wheel -qq --disable-pip-version-check --no-deps --no-build-isolation -w .make/dist .
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --target .make/wheel .make/dist/*.whl
	@rm -rf build
	@touch $@

bench-all: $(VENV)
	$(BIN)/python -m benchmarks --write
	$(BIN)/python -m benchmarks.side_by_side --write
	$(BIN)/python -m benchmarks.many --write
	$(BIN)/python -m benchmarks.database --write
	$(BIN)/python -m benchmarks.restore --write

lock:
	@mkdir -p .make && $(PYTHON) -m venv .make/lock && .make/lock/bin/python -m pip install --quiet uv
	@.make/lock/bin/uv pip compile --quiet pyproject.toml --group dev --group demo --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --custom-compile-command "make lock" --upgrade -o requirements.lock

clean:
	rm -rf .venv .make build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
