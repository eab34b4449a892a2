# make grade          grade exercises/ (makes the environment first, once)
# make test           solutions/ against all checks, and the kit's own tests
# make reset STAGE=3  a fresh stub; your old file is kept beside it

PYTHON ?= python3
BIN := .venv/bin

.PHONY: grade test reset stubs matrix
.DEFAULT_GOAL := grade

# pytest says 1 when checks fail: that is the normal state of a kata, not an error of make's.
grade: .venv/grading
	@$(BIN)/pytest exercises/ || [ $$? -eq 1 ]

test: .venv/testing
	$(BIN)/pytest

reset: .venv/grading
	@$(BIN)/python -m token_journey.stubs --reset "$(STAGE)"

stubs: .venv/grading
	@$(BIN)/python -m token_journey.stubs

# Which check stops which known mistake, by how wide a margin.
matrix: .venv/grading
	$(BIN)/python -m token_journey.matrix > docs/kill-matrix.md

.venv/grading: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "token-journey needs Python 3.11 or later: name one, as in `make PYTHON=python3.12`.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/testing: .venv/grading
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
