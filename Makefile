PYTHON ?= python3
BIN := .venv/bin
$(if $(filter-out cpu,$(TORCH)),$(error TORCH=$(TORCH) is not known: TORCH=cpu takes the \
CPU build of PyTorch, and without TORCH pip takes the usual one))

# PyTorch's own index of CPU builds. Its versions end in +cpu, which pip takes for newer ones.
INDEX := $(if $(TORCH),--extra-index-url https://download.pytorch.org/whl/cpu)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check $(INDEX) \
	-c constraints.txt

# What the tests of the page need. Where it can't be had they skip, so nothing here may fail.
BROWSER := command -v chromium || command -v chromium-browser || command -v google-chrome \
	|| command -v chrome || { [ "$$(id -u)" = 0 ] && command -v apt-get && { \
	apt-get install -y chromium || { apt-get update && apt-get install -y chromium; }; }; }
AXE := npm install --silent --no-audit --no-fund --prefix .venv/npm axe-core@4.14.1

# Two processes with a thread each: four threads on two cores wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

.PHONY: help grade reset test exam test-fast check lint format types stubs matrix
.DEFAULT_GOAL := grade

help: ## these lines
	@awk -F ' *## *' '/^[a-z-]+:.* ## / { sub(/:.*/, "", $$1); printf "make %-12s%s\n", $$1, $$2 }' \
		$(firstword $(MAKEFILE_LIST))

# -- to learn -----------------------------------------------------------------

# pytest says 1 when checks fail: that is the normal state of a kata, not an error of make's.
grade: .venv/grading ## grade exercises/; TORCH=cpu takes PyTorch's CPU build the first time
	@$(BIN)/pytest exercises/ || [ $$? -eq 1 ]

reset: .venv/grading ## a fresh stub, with STAGE=3 of stage 3; your old file is kept beside it
	@$(BIN)/token-journey reset "$(STAGE)"

# -- to work on the kit -------------------------------------------------------

check: lint types test-fast ## before each commit: lint, types and test-fast

lint: .venv/testing ## ruff, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: .venv/testing ## bring all files into ruff's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/testing ## mypy
	$(BIN)/mypy

test-fast: .venv/testing ## solutions/, and the kit's tests that are quick: within a minute
	$(PYTEST) -m "not slow and not exam"

test: .venv/testing ## solutions/, and the kit's tests; of what takes long, one case a kind
	$(PYTEST) -m "not exam"

exam: .venv/testing ## all of it, every case
	$(PYTEST)

stubs: .venv/grading ## exercises/ anew from solutions/; what is written in is left alone
	@$(BIN)/token-journey stubs

matrix: .venv/grading ## which check stops which mistake: build/kill-matrix.md, in short in docs/
	@$(BIN)/token-journey matrix

# -- the environment ----------------------------------------------------------

.venv/grading: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "token-journey needs Python 3.11 or later: name one, as in `make PYTHON=python3.12`.")'
ifneq ($(wildcard $(BIN)),)
else ifeq ($(TORCH)$(shell uname),Linux)
	@echo 'Python packages are installed into .venv, once. PyTorch for Linux brings the libraries of'
	@echo 'NVIDIA with it, several GB. Without an NVIDIA GPU, stop here (Ctrl-C) and type'
	@echo '`make grade TORCH=cpu`: 250 MB to download, 1.1 GB on disk.'
else
	@echo 'Python packages are installed into .venv, once: about 250 MB to download (PyTorch is 200'
	@echo 'of them), 1.1 GB on disk.'
endif
	$(PYTHON) -m venv .venv
	$(INSTALL) -e '.[class,show]' pytest-benchmark psutil
	@touch $@

.venv/testing: .venv/grading
	@echo 'The packages that tests need are installed, too: about 150 MB to download.'
	$(INSTALL) -e '.[dev]'
	@{ $(BROWSER); } >/dev/null 2>&1 \
		|| echo 'No Chromium here, and no way to install it: the tests of the page will skip.'
	@$(AXE) >/dev/null 2>&1 \
		|| echo 'axe-core could not be fetched: the test that uses it will skip.'
	@touch $@
