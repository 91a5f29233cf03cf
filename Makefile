# Two commands do everything on a fresh machine with Python 3.11, Node 20 and make: `make demo` and `make test`.

PYTHON ?= python3
PY := .venv/bin/python
WORKERS ?= 2
NAME ?= main_job

.PHONY: demo serve test test-all lint format bench docs setup setup-web browser clean

demo: setup
	$(PY) manage.py demo $(if $(IMAGES),--images "$(IMAGES)") $(if $(EXIT),--exit)

serve: setup
	$(PY) manage.py bootstrap
	$(PY) -m honcho start

test: setup browser
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup -m "not slow"
	cd frontend/elements && npm test

test-all: setup browser
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup
	cd frontend/elements && npm test

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	cd frontend/elements && npm run check && npm run lint

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: setup
	$(PY) -m benchmarks.$(NAME)

docs: setup
	$(PY) -m marketplace.settings_reference > docs/settings.md
	$(PY) manage.py spectacular --file docs/openapi.yaml

setup: .venv/.installed frontend/static/dist/.built

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
