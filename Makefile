# make run    installs what is missing and serves on http://127.0.0.1:8000
# make test   installs what the tests need besides and runs them all
# make lint   what the tests do not look at: style
# make clean  forgets what has been computed; `make spotless` the installation too

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

# A stamp is written when an installation is complete: the second `make` looks at its date and does nothing.
RUN_STAMP  := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test
NPM_STAMP  := tests/node_modules/.installed

.PHONY: run test lint clean spotless install
.DEFAULT_GOAL := run

run: $(RUN_STAMP)
	@exec $(BIN)/python -m server serve $(ARGS)

# (5: of what was asked for there is none.)
test: $(TEST_STAMP) $(if $(wildcard tests/package.json),$(NPM_STAMP))
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "not alone" $(ARGS) || test $$? = 5
	$(BIN)/python -m pytest -m alone $(ARGS) || test $$? = 5

lint: $(TEST_STAMP)
	$(BIN)/ruff check .

install: $(RUN_STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Elsewhere needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@touch $@

$(TEST_STAMP): requirements-dev.txt $(RUN_STAMP)
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

# Map libraries that the tests drive as their users would; their versions are in tests/package-lock.json.
$(NPM_STAMP): $(wildcard tests/package.json tests/package-lock.json)
	cd tests && npm $(if $(wildcard tests/package-lock.json),ci,install) --no-audit --no-fund --silent
	@touch $@

clean:
	find cache -mindepth 1 -not -name .gitkeep -delete
	rm -rf .pytest_cache .hypothesis .ruff_cache

spotless: clean
	rm -rf $(VENV) tests/node_modules
