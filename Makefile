# Two commands for a fresh machine: `make demo` and `make test`. Both keep to .venv and out/.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
  $(shell $(name) -c 'import sys; sys.version_info < (3, 11) or print("$(name)")' 2>/dev/null)))
BIN := .venv/bin

.PHONY: demo test docs lock clean

demo: .venv/demo.installed
	@PYTHONPYCACHEPREFIX=.venv/pycache XDG_STATE_HOME=$(CURDIR)/out/state $(BIN)/chimeaudit scan --demo -o out/report.html -o out/report.json; code=$$?; \
	if [ $$code -eq 1 ]; then echo "The demo found what was planted in it (exit code 1 means: findings)."; \
	else exit $$code; fi

test: .venv/dev.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto

docs: .venv/docs.installed
	$(BIN)/mkdocs build --quiet --strict
	@echo "The documentation is in out/site. Its search needs a server: $(BIN)/python -m http.server --bind 127.0.0.1 --directory out/site"

# LOCKED=1 installs the versions of .ci/requirements.txt, whose hashes are checked, as CI does.
.venv/%.installed: pyproject.toml $(if $(LOCKED),.ci/requirements.txt) | .venv
	$(if $(LOCKED),PIP_CACHE_DIR=$(CURDIR)/.venv/cache .ci/install $(BIN)/python,$(BIN)/pip --cache-dir .venv/cache install --quiet --disable-pip-version-check --editable '.[$*]')
	@touch $@

# The locks hold for Python 3.11 and newer on every platform, and name no index. Versions in them stay as they are where they
# can; `make lock UPGRADE=--upgrade` takes the newest, and UPGRADE='--upgrade-package NAME' one.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command 'make lock' $(UPGRADE)

lock: .venv/dev.installed
	$(COMPILE) --extra dev --output-file .ci/requirements.txt pyproject.toml
	$(COMPILE) --constraint .ci/requirements.txt --output-file deploy/requirements.txt pyproject.toml
	echo hatchling | $(COMPILE) --constraint .ci/requirements.txt --output-file deploy/requirements-build.txt -

.venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv out dist
