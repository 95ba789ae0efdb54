# Everything from nothing: a machine with Python 3.11 and make is enough.
#   make demo    train on data/demo.txt, score, write      (about two minutes after the downloads)
#   make test    the test suite
#   make docs    the documentation site, in build/site
#   make textbook  run all commands of the textbook pages in full, and check their numbers (half an hour)
#   make readme  renew what README says that commands print
#   make check   lint + types + docs + tests with their coverage, as CI runs them

PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
KENLM  := $(VENV)/.kenlm
RAY    := $(VENV)/.ray
SITE   := $(VENV)/.docs
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TESTS  := $(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: install demo test coverage docs readme textbook lint types check clean
.DELETE_ON_ERROR:

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[dev]"
	touch $@

demo: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh data/demo.sh

# KenLM, to compare with, is built from source: where that fails its one test is skipped.
$(KENLM): $(STAMP)
	$(PIP) -e ".[kenlm]" \
		|| echo "kenlm could not be built here: the test that compares with it will be skipped"
	touch $@

# Ray is large, and not to be had for every machine: likewise.
$(RAY): $(STAMP)
	$(PIP) -e ".[cluster]" \
		|| echo "Ray could not be installed here: the tests of charlm.cluster will be skipped"
	touch $@

$(SITE): $(STAMP)
	$(PIP) -e ".[docs]"
	touch $@

test: $(STAMP) $(KENLM) $(RAY)
	$(TESTS)

coverage: $(STAMP) $(KENLM) $(RAY) $(SITE)
	$(TESTS) --cov

# Strict: a link that leads nowhere is an error.
docs: $(SITE)
	$(BIN)/python docs/build.py
	$(BIN)/zensical build --strict --clean

readme: $(STAMP)
	$(BIN)/python tests/readme.py

textbook: $(STAMP)
	$(BIN)/python tests/textbook.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

check: lint types docs coverage

clean:
	rm -rf $(VENV) build dist *.egg-info .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
