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
# An installation without the learning app has no learner.
PROCESSES := database web queue $(if $(filter no 0 false off,$(shell echo "$(WAGGLE_LEARNING)" | tr A-Z a-z)),,learner) \
	$(if $(filter 1 yes true on,$(shell echo "$(WAGGLE_LOCAL_S3)" | tr A-Z a-z)),s3)

# Without it each process of the tests, and each that they start, would compile the portal and the tests again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo serve test test-all ray lint format hooks bench docs setup browser clean

demo: setup
	$(PY) manage.py demo $(if $(IMAGES),--images "$(IMAGES)") $(if $(EXIT),--exit)

serve: setup
	$(PY) manage.py bootstrap
	$(PY) -m marketplace.supervise $(PROCESSES)

# The quick checks go first: what takes seconds to find should not be found after minutes.
test: setup lint browser
	cd frontend/elements && npm test
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup -m "not slow"

test-all: setup lint browser ray
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

docs: setup
	$(PY) -m marketplace.settings_reference docs/settings.md
	$(PY) manage.py aws_compatibility docs/aws-compatibility.md
	$(PY) manage.py spectacular --file docs/openapi.yaml

setup: .venv/.installed frontend/static/dist/.built

ray: .venv/.ray

.venv/.ray: requirements-ray.txt .venv/.installed
	$(PY) -m pip install --quiet -r requirements-ray.txt
	touch $@

.venv/.installed: requirements.txt
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --upgrade pip
	$(PY) -m pip install --quiet -r requirements.txt
	touch $@

ELEMENT_SOURCES := $(shell find frontend/elements -path frontend/elements/node_modules -prune -o -type f -print 2>/dev/null)

frontend/static/dist/.built: $(ELEMENT_SOURCES)
	cd frontend/elements && npm ci --no-audit --no-fund && npm run build
	touch $@

browser: .venv/.installed
	$(PY) tests/browser/install.py

clean:
	rm -rf .venv frontend/static/dist frontend/elements/node_modules
