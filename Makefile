# `make demo` and `make test` do all their own set-up in .venv (Python 3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

.PHONY: demo test check coverage bench lock train clean

demo: $(READY) ## the whole loop on this machine, no account
	$(BIN)/cuecard demo $(ARGS)

test: $(READY) check ## linters, types, the tree's rules, and every test
	$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: $(READY) ## which lines no test reaches
	$(BIN)/pytest -n 3 --dist worksteal --cov --cov-report=term $(ARGS)

bench: $(READY) ## speed and memory, as ratios within one run
	$(BIN)/python -m benchmarks $(ARGS)

train: $(READY) ## rebuild the shipped weights
	$(BIN)/cuecard train $(ARGS)

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Cuecard needs Python 3.11 or newer; say where it is: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

COMPILE := uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q

lock: ## refresh both locks: what runs Cuecard, and what builds it too (needs uv)
	$(COMPILE) --group dev -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock -o requirements.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
