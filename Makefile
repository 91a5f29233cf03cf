# Two commands do everything on a fresh machine with Python 3.11, Node 20 and make: `make demo` and `make test`.

PYTHON ?= python3
PY := .venv/bin/python
# One more than the two cores that the suite is made for: its tests wait for servers, browsers and trainings.
WORKERS ?= 3
NAME ?= main_job
# `make demo S3=1`: also an S3 server over the local store (docs/local-s3.md).
ifeq ($(origin S3),command line)
export WAGGLE_LOCAL_S3 := $(S3)
endif

# Without it each process of the tests, and each that they start, would compile the portal and the tests again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo serve test test-all ray lint check-types check-elements check-style check-imports compiled-tests format hooks bench docs \
	release-dump wheel release setup browser clean

demo: setup
	$(PY) manage.py demo $(if $(IMAGES),--images "$(IMAGES)") $(if $(EXIT),--exit)

serve: setup
	$(PY) -m marketplace.command_line serve

# The quick checks go first: what takes seconds to find should not be found after minutes. Reading all tests once before
# leaves their compiled form for the processes that run them, which would each make it anew.
test: setup browser
	$(MAKE) --jobs=2 $(CHECKS) compiled-tests
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup -m "not slow"

test-all: setup browser ray .venv/.docs
	$(MAKE) --jobs=2 $(CHECKS) compiled-tests
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup

# The longest first.
CHECKS := check-types check-elements check-style check-imports

lint: setup
	$(MAKE) --jobs=2 $(CHECKS)

check-types:
	.venv/bin/mypy

check-elements:
	cd frontend/elements && npm run lint && npm run check && npm test

check-style:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

check-imports:
	.venv/bin/lint-imports

# What is wrong with them is said when they run.
compiled-tests:
	-@$(PY) -m pytest --collect-only --quiet >/dev/null

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

hooks: setup
	.venv/bin/pre-commit install

bench: setup
	$(PY) -m benchmarks.$(NAME)

# The pages that are made from the code and committed, then the site: var/docs/site/index.html.
docs: setup browser .venv/.docs
	$(PY) -m marketplace.settings_reference docs/settings.md
	$(PY) -m marketplace.metrics_reference docs/metrics.md
	$(PY) manage.py aws_compatibility docs/aws-compatibility.md
	$(PY) manage.py spectacular --file docs/openapi.yaml
	$(PY) -m docs.website $(if $(PICTURES),--pictures)

wheel: setup
	$(PY) -m docs.release --wheel

release: setup
	$(PY) -m docs.release

# A part of each release: what tests of the next versions upgrade from (docs/upgrading.md).
release-dump: setup
	$(PY) -m tests.upgrade.make

setup: .venv/.installed frontend/static/dist/.built frontend/locale/.compiled

ray: .venv/.ray

.venv/.ray: requirements-ray.txt .venv/.installed
	$(PY) -m pip install --quiet -r requirements-ray.txt
	touch $@

.venv/.installed: requirements.txt
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --upgrade pip
	$(PY) -m pip install --quiet -r requirements.txt
	touch $@

.venv/.docs: requirements-docs.txt .venv/.installed
	$(PY) -m pip install --quiet -r requirements-docs.txt
	touch $@

frontend/locale/.compiled: .venv/.installed $(wildcard frontend/locale/*/LC_MESSAGES/*.po)
	$(PY) -m frontend.catalogs compile
	touch $@

ELEMENT_SOURCES := $(shell find frontend/elements -path frontend/elements/node_modules -prune -o -type f -print 2>/dev/null)

frontend/static/dist/.built: $(ELEMENT_SOURCES)
	cd frontend/elements && npm ci --no-audit --no-fund && npm run build
	touch $@

browser: .venv/.installed
	$(PY) tests/browser/install.py

clean:
	rm -rf .venv frontend/static/dist frontend/elements/node_modules
