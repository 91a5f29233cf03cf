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

.PHONY: demo serve test test-all lint format hooks bench docs wheel release setup browser clean

demo: setup
	$(PY) manage.py demo $(if $(IMAGES),--images "$(IMAGES)") $(if $(EXIT),--exit)

serve: setup
	$(PY) -m marketplace.command_line serve

# The quick checks go first: what takes seconds to find should not be found after minutes.
test: setup lint browser
	cd frontend/elements && npm test
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup -m "not slow"

test-all: setup lint browser .venv/.docs
	cd frontend/elements && npm test
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy
	cd frontend/elements && npm run lint && npm run check

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
	$(PY) manage.py aws_compatibility docs/aws-compatibility.md
	$(PY) manage.py spectacular --file docs/openapi.yaml
	$(PY) -m website $(if $(PICTURES),--pictures)

wheel: setup
	$(PY) -m release --wheel

release: setup
	$(PY) -m release

setup: .venv/.installed frontend/static/dist/.built

.venv/.installed: requirements.txt
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --upgrade pip
	$(PY) -m pip install --quiet -r requirements.txt
	touch $@

.venv/.docs: requirements-docs.txt .venv/.installed
	$(PY) -m pip install --quiet -r requirements-docs.txt
	touch $@

ELEMENT_SOURCES := $(shell find frontend/elements -path frontend/elements/node_modules -prune -o -type f -print 2>/dev/null)

frontend/static/dist/.built: $(ELEMENT_SOURCES)
	cd frontend/elements && npm ci --no-audit --no-fund && npm run build
	touch $@

browser: .venv/.installed
	$(PY) tests/browser/install.py

clean:
	rm -rf .venv frontend/static/dist frontend/elements/node_modules
