# Everything starts here; `make` alone says what there is. Needs Python 3.11–3.13 and nothing else.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all bench calibrate lint format generate clean

help:
	@echo "make demo      a fictional region from its suppliers' files to marts, run by Airflow"
	@echo "make test      the tests, in about ten minutes"
	@echo "make test-all  the slow ones too: kills, real extracts, services, every order and split of files"
	@echo "make bench     speed and memory against peers and physical limits (half an hour)"
	@echo "make calibrate objectivity signs on simulated regions with planted manipulations (half an hour)"
	@echo "make lint      style, types, floors of the house, SQL format"
	@echo "make format    rewrite files in that style"
	@echo "make generate  rewrite what follows from the contracts: staging, one-to-one facts, dictionary, templates"
	@echo "make install   only make $(VENV) with the locked dependencies"
	@echo "make clean     stop what runs, remove $(VENV) and caches; state under var/ stays"

install: $(VENV)/.installed

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# uv takes seconds, pip minutes; uv does not read pip's settings, so where only pip knows the way to an index, pip it is.
$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies…"
	@{ $(BIN)/python -m pip install --quiet uv && UV_NATIVE_TLS=true $(BIN)/uv pip install --quiet \
		--python $(BIN)/python --no-deps --require-hashes -r requirements.lock; } 2>/dev/null || \
		{ echo "without uv, by pip: a few minutes…" && \
		$(BIN)/python -m pip install --no-deps --require-hashes -r requirements.lock; }
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	@$(BIN)/rsoko demo

PYTEST := $(BIN)/pytest -n 2

test: install
	$(PYTEST) -m "not slow"

test-all: test
	$(PYTEST) -m slow

bench: install
	@$(BIN)/python -m bench

calibrate: install
	@$(BIN)/python -m bench.calibrate

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfmt --check --quiet dbt_project

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfmt --quiet dbt_project

generate: install
	$(BIN)/python -m rsoko.ops.generate

clean:
	-@test ! -x $(BIN)/rsoko || $(BIN)/rsoko down
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs
	find . -name __pycache__ -prune -exec rm -rf {} +
