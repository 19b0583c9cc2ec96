# `make app` serves the page, `make test` runs all tests, `make quick` the fast ones, `make check` the static checks;
# each from a bare clone. `make test ARGS="-k saliency"` runs the tests that match.
HOST ?= 127.0.0.1
PORT ?= 7860
VENV := .venv
PYTHON := $(VENV)/bin/python
ARGS ?=
TYPESCRIPT := 5.9.3
TSC := $(VENV)/typescript/node_modules/.bin/tsc
export HOST PORT

.DELETE_ON_ERROR:
.PHONY: app test quick check bench format clean

app: $(VENV)/requirements.installed
	$(PYTHON) app.py

test: $(VENV)/requirements-dev.installed
	sh tests/install_chromium.sh $(PYTHON)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

quick: $(VENV)/requirements-dev.installed
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not browser and not data" tests/library tests/page $(ARGS)

check: $(VENV)/requirements-dev.installed $(VENV)/typescript.installed
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(TSC) -p assets/tsconfig.json

bench: $(VENV)/requirements-dev.installed
	sh tests/install_chromium.sh $(PYTHON)
	$(PYTHON) -m benchmarks

format: $(VENV)/requirements-dev.installed
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# the stamp is newer than the list that was installed, so that an unchanged list costs nothing
$(VENV)/%.installed: %.txt | $(PYTHON)
	$(PYTHON) -m pip install --disable-pip-version-check -r $<
	@touch $@

$(VENV)/typescript.installed: Makefile | $(PYTHON)
	@command -v npm >/dev/null || { echo "make check needs npm for TypeScript, which checks the browser modules." >&2; exit 1; }
	npm install --silent --no-save --no-package-lock --prefix $(VENV)/typescript typescript@$(TYPESCRIPT)
	@touch $@

$(VENV)/requirements-dev.installed: requirements.txt requirements-export.txt requirements-ray.txt requirements-mcp.txt

# a name on the PATH is not yet a Python that runs (pyenv's shims), so each is asked for its version and for venv
$(PYTHON):
	@for name in python3.12 python3.11 python3.13 python3 python; do \
		if $$name -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
			echo "making $(VENV) with $$($$name --version)"; exec $$name -m venv --clear $(VENV); \
		fi; \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 with venv is on the PATH. Install one (on Debian and Ubuntu: python3 and python3-venv)." >&2; \
	exit 1
