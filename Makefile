# make grade          grade exercises/ (makes the environment first, once)
# make test           solutions/ against all checks, and the kit's own tests
# make reset STAGE=3  a fresh stub; your old file is kept beside it

PYTHON ?= python3
BIN := .venv/bin

# What the tests of the page need. Where it can't be had they skip, so nothing here may fail.
BROWSER := command -v chromium || command -v chromium-browser || command -v google-chrome \
	|| command -v chrome || { [ "$$(id -u)" = 0 ] && command -v apt-get && { \
	apt-get install -y chromium || { apt-get update && apt-get install -y chromium; }; }; }
AXE := npm install --silent --no-audit --no-fund --prefix .venv/npm axe-core@4.14.1

.PHONY: grade test reset stubs matrix
.DEFAULT_GOAL := grade

# pytest says 1 when checks fail: that is the normal state of a kata, not an error of make's.
grade: .venv/grading
	@$(BIN)/pytest exercises/ || [ $$? -eq 1 ]

# Two processes with a thread each: four threads on two cores wait for each other.
test: .venv/testing
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

reset: .venv/grading
	@$(BIN)/python -m token_journey.course.stubs --reset "$(STAGE)"

stubs: .venv/grading
	@$(BIN)/python -m token_journey.course.stubs

# Which check stops which known mistake, by how wide a margin: build/, and its summary in docs/.
matrix: .venv/grading
	@$(BIN)/python -m token_journey.grading.kill_matrix

.venv/grading: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "token-journey needs Python 3.11 or later: name one, as in `make PYTHON=python3.12`.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/testing: .venv/grading
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@{ $(BROWSER); } >/dev/null 2>&1 \
		|| echo 'No Chromium here, and no way to install it: the tests of the page will skip.'
	@$(AXE) >/dev/null 2>&1 \
		|| echo 'axe-core could not be fetched: the test that uses it will skip.'
	@touch $@
