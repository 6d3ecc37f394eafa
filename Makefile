# `make demo` and `make test` each set up all they need: see scripts/setup.
BIN := .venv/bin
# Tests run in this many processes; they are chosen so that two cores finish in a few minutes.
JOBS ?= 2

.PHONY: demo test test-all check lock format bench clean
.SILENT:

demo:
	sh scripts/setup demo
	sh scripts/demo

test:
	sh scripts/setup test
	$(BIN)/python -m pytest -n $(JOBS) -q -m "not slow"

test-all:
	sh scripts/setup test
	$(BIN)/python -m pytest -n $(JOBS) -q

check:
	sh scripts/setup check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pins every dependency with its hashes, for all platforms. Needs `uv` (pip install uv).
lock:
	uv pip compile -q --universal --generate-hashes --no-annotate --no-header --group build pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --generate-hashes --no-annotate --no-header --group build --group dev --extra containerd --extra postgresql pyproject.toml -o requirements/dev.txt

bench:
	sh scripts/setup test
	$(BIN)/python -m bench

clean:
	rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
