# make run        start a chat on port 1234 with its console      (PORT=12345, ARGS="--plain")
# make test       run the quick tests                             (ARGS="-k nick")
# make check      everything that must hold: make lint, and make cover
# make lint       format, lint and types
# make cover      all tests, and that the quick ones cover the product
# make bench      measure against other servers                   (ARGS="--quick")
# make bench-cluster  measure what a cluster costs                (ARGS="--quick")
# make fuzz       throw garbage at a live server for a minute     (ARGS="--seconds 300")
# make measure    what attacks cost everybody else, and what they may (ARGS="--quick")
# make soak       500 users come, talk and go for ten minutes     (ARGS="--seconds 60")
# make soak-cluster  faults around real nodes for ten minutes     (ARGS="--seconds 60", ARGS=--table)
# make docs       write the options into docs/options.md, as the program has them
# make man        make the man page and the shells' completions, in share/
# make release    build the sdist and the wheel in dist/, and try the wheel
# Each installs what it needs into .venv the first time.

PYTHON ?= python3
PORT ?= 1234
ARGS ?=
# How many tests run at a time.
JOBS ?= auto

BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet install
PYTEST := -m pytest -q --durations=10

# Without bytecode each worker compiles all tests, and each program that a test starts all of the product.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check lint cover format bench bench-cluster fuzz measure soak soak-cluster docs man release clean

run: .venv/.run
	@$(BIN)/chat-console --port $(PORT) $(ARGS)

test: .venv/.dev
	@$(BIN)/python $(PYTEST) -n $(JOBS) --dist worksteal -m 'not slow' --hypothesis-profile quick $(ARGS)

check: lint cover

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright

# To count the lines takes Python 3.11 two to three times as long, so it is done only where it tells something.
cover: .venv/.dev
	$(BIN)/coverage erase
	$(BIN)/coverage run $(PYTEST) -n $(JOBS) --dist worksteal -m 'not uncounted'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include 'server/*' --fail-under 100
	$(BIN)/coverage report --fail-under 90
	$(BIN)/python $(PYTEST) -n $(JOBS) --dist worksteal -m 'uncounted and not alone'
	$(BIN)/python $(PYTEST) -m alone

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-cluster: .venv/.dev
	@PYTHONPATH=tests $(BIN)/python -m tests.benchmarks.cluster $(ARGS)

fuzz: .venv/.dev
	@PYTHONPATH=tests $(BIN)/python -m tests.hostile.fuzz $(ARGS)

measure: .venv/.dev
	@PYTHONPATH=tests $(BIN)/python -m tests.hostile.measure $(ARGS)

soak: .venv/.dev
	@PYTHONPATH=tests $(BIN)/python -m tests.hostile.soak $(ARGS)

soak-cluster: .venv/.dev
	@PYTHONPATH=tests $(BIN)/python -m tests.hostile.cluster_soak $(ARGS)

docs: .venv/.dev
	$(BIN)/python docs/reference.py

man: .venv/.dev
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || date +%s) $(BIN)/python docs/reference.py share

release: man
	rm -rf build dist
	$(BIN)/python -m build
	$(PYTHON) -m venv build/try
	build/try/bin/pip --disable-pip-version-check --quiet install dist/*.whl
	build/try/bin/python .ci/smoke.py build/try/bin/chat-console
	cd build/try/share && ls man/man1/chat-console.1 bash-completion/completions/chat-console \
		zsh/site-functions/_chat-console fish/vendor_completions.d/chat-console.fish
	@ls -l dist

clean:
	rm -rf .venv build dist share *.egg-info .coverage* .pytest_cache .ruff_cache .hypothesis

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'chat-console needs Python 3.11 or newer; name one: make run PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: .venv/.python pyproject.toml
	@echo 'Installing what chat-console needs into .venv (once) ...'
	@$(PIP) --editable .
	@touch $@

.venv/.dev: .venv/.python pyproject.toml
	@echo 'Installing what the tests need into .venv (once) ...'
	@$(PIP) --editable '.[cluster,dev,release]'
	@mkdir -p .venv/typed/chat_console
	@ln -sf $(foreach each,app server widgets $(wildcard package/*.*),../../../$(each)) .venv/typed/chat_console/
	@touch $@ .venv/.run
