# Everything a fresh clone needs: Python 3.11 to 3.13, git and make.
#   PYTHON=python3.12   the interpreter for a new .venv; default: the newest supported one that runs
#   VENV=.venv312       another virtual environment
#   ARGS="-k syntax"    more arguments for pytest, or for the benchmarks
VENV ?= .venv
ARGS ?=

bin := $(abspath $(VENV))/bin
installed := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test outside soak lint bench growth lock clean
.DELETE_ON_ERROR:

help: ## list these targets
	@awk -F ':[^#]*## ' '/^[a-z.]+:.*## / { printf "  make %-7s  %s\n", $$1, $$2 }' Makefile

.venv: $(installed) ## the virtual environment with the locked dependencies

# The stamp comes last: an installation that was interrupted is taken up again.
$(installed): requirements.lock pyproject.toml scripts/make-venv
	@PYTHON="$(PYTHON)" scripts/make-venv "$(VENV)"
	@touch $@

# The jobs' commands say `python`, and mean the one beside `sweep`.
demo: export PATH := $(bin):$(PATH)
demo: $(installed) ## run the job `train`, show its results, and where to look at them
	$(bin)/sweep run train
	$(bin)/sweep results train
	$(bin)/sweep up

# Most tests wait for other processes most of the time; a module's tests share their servers.
test: $(installed) ## run the tests: a quarter of an hour on two processors
	$(bin)/python -m pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder $(ARGS)

outside: $(installed) ## the tests that need other tools, to compare with, or an index of packages
	scripts/test-outside $(bin)/python $(ARGS)

soak: $(installed) ## the tests that take minutes: ten thousand combinations and more, servers that are away
	$(bin)/python -m pytest -m soak tests/soak $(ARGS)

lint: $(installed) ## ruff and mypy, changing nothing
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy

bench: $(installed) ## compare speed and memory with other tools
	@scripts/install-test-packages
	$(bin)/python -m benchmarks --json build/bench.json $(ARGS)

growth: $(installed) ## measure 100 to 100,000 combinations, and draw docs/growth.svg
	$(bin)/python -m benchmarks.growth $(ARGS)

lock: ## write requirements.lock from pyproject.toml (scripts/lock --upgrade: newest of all)
	scripts/lock

clean: ## remove the virtual environment and caches; results (.sweep, mlflow.db) stay
	rm -rf "$(VENV)" build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
