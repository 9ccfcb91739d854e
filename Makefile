# The commands of this project. `make` alone lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV = $(shell command -v uv || echo .venv/bin/uv)
CODE = hybrid indexer tests benchmarks mutation

# uv installs in a fraction of pip's time; if it is missing, pip installs it into the environment.
define ENVIRONMENT
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")' \
	&& { test -x .venv/bin/python || $(PYTHON) -m venv .venv; } \
	&& { command -v uv > /dev/null || test -x .venv/bin/uv \
		|| .venv/bin/python -m pip install --quiet --require-hashes -r requirements-build.txt; }
endef
INSTALL = $(UV) pip install --python .venv/bin/python

.PHONY: help install install-search demo test coverage mutants mutants-sample check check-scripts format lock audit sbom peers clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/installed ## make the environment in .venv

.venv/installed: requirements-dev.txt pyproject.toml
	@$(ENVIRONMENT)
	$(INSTALL) -r requirements-dev.txt
	$(INSTALL) --no-deps --build-constraints requirements-build.txt --editable .
	@touch $@

install-search: ## make the environment in .venv without what building an index takes
	@$(ENVIRONMENT)
	$(INSTALL) --require-hashes -r requirements-search.txt
	$(INSTALL) --no-deps --build-constraints requirements-build.txt --editable .

demo: install ## index the bundled films, unless that was done before, and serve them
	@.venv/bin/python -m indexer demo

test: install ## run the tests on all cores; some need Java and Maven, or Chromium, and say so
	.venv/bin/python -m pytest -n auto --maxprocesses 4

coverage: install ## run the tests and list the lines and branches that they miss, but for processes that they start
	.venv/bin/python -m pytest -n auto --maxprocesses 4 --cov --cov-report=term-missing

mutants: install ## put small faults into the code and list those that no test notices (MODULES="..." to select modules)
	.venv/bin/python -m mutation all $(MODULES)

mutants-sample: install ## the same with 60 faults, drawn by the commit; fails if too few are noticed
	.venv/bin/python -m mutation sample

check: install check-scripts ## check format, lint, layers and types
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/ruff check $(CODE)
	.venv/bin/lint-imports --no-cache
	.venv/bin/mypy

ifneq ($(shell command -v node > /dev/null && command -v npm),)
check-scripts: node_modules/.package-lock.json ## check format, lint and types of the scripts that pages run
	npm run --silent check
else ifeq ($(CI),true)
check-scripts:
	$(error CI must check the scripts of the pages: install Node.js and npm)
else
check-scripts:
	@echo "No Node.js and npm: the scripts of the pages are not checked."
endif

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --silent
	@touch $@

format: install ## format the code and fix what can be fixed automatically
	.venv/bin/ruff check --fix $(CODE)
	.venv/bin/ruff format $(CODE)
	test ! -d node_modules || npm run --silent format

# Each package is locked with the digests of its files, which the installers verify; but for torch,
# whose wheels without GPU support are in an index of PyTorch's own and have other digests. Packages
# for GPUs are left to torch's own requirements, so that UV_TORCH_BACKEND=cpu leaves them out.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	--generate-hashes --upgrade
WITHOUT_GPU = awk '/^[^ ]/ { gpu = /^(cuda|nvidia|triton)/; torch = /^torch==/ } \
	gpu || torch && /^ / { next } torch { sub(/ \\$$/, "") } { print }'
lock: ## pin the newest packages that pyproject.toml allows
	$(LOCK) --group build > requirements-build.txt
	$(LOCK) --group audit > requirements-audit.txt
	$(LOCK) --extra index --extra evaluate --extra otel --extra dev pyproject.toml \
		| $(WITHOUT_GPU) > requirements-dev.txt
	$(LOCK) --constraints requirements-dev.txt pyproject.toml > requirements-search.txt
	$(LOCK) --constraints requirements-dev.txt --extra index --extra evaluate pyproject.toml \
		| $(WITHOUT_GPU) > requirements.txt
	$(LOCK) --constraints requirements-dev.txt --group peers \
		| $(WITHOUT_GPU) > benchmarks/peers/requirements.txt

audit: install .cache/audit/installed ## look the locked packages up in a database of vulnerabilities (ADVISORIES=offline to skip it)
	.ci/audit

sbom: install .cache/audit/installed ## write sbom.cdx.json, which lists the packages of the service (CycloneDX)
	$(UV) venv --quiet --clear --python .venv/bin/python .cache/service
	$(UV) pip install --quiet --python .cache/service/bin/python --require-hashes -r requirements-search.txt
	$(UV) pip install --quiet --python .cache/service/bin/python --no-deps \
		--build-constraints requirements-build.txt .
	.cache/audit/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file sbom.cdx.json .cache/service/bin/python

.cache/audit/installed: requirements-audit.txt # `uv run` would not verify digests
	$(UV) venv --quiet --clear --python .venv/bin/python .cache/audit
	$(UV) pip install --quiet --python .cache/audit/bin/python --require-hashes -r requirements-audit.txt
	@touch $@

peers: .cache/peers/installed ## make the environment of `python -m benchmarks.peers`

.cache/peers/installed: benchmarks/peers/requirements.txt .venv/installed
	$(UV) venv --quiet --clear --python .venv/bin/python .cache/peers/environment
	$(UV) pip install --python .cache/peers/environment/bin/python -r benchmarks/peers/requirements.txt
	@touch $@

clean: ## remove the environment and all caches, but no data
	rm -rf .venv node_modules .cache sbom.cdx.json .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .mutants *.egg-info
