# `make app` serves the page and `make test` runs the tests, both from a bare clone.
HOST ?= 127.0.0.1
PORT ?= 7860
VENV := .venv
PYTHON := $(VENV)/bin/python
export HOST PORT

.DELETE_ON_ERROR:
.PHONY: app test bench format clean

app: $(VENV)/requirements.installed
	$(PYTHON) app.py

test: $(VENV)/requirements-dev.installed
	sh tests/install_chromium.sh $(PYTHON)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

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
