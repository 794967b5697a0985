# Two commands for a fresh machine: `make demo` and `make test`. Both keep to .venv and out/.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
  $(shell $(name) -c 'import sys; sys.version_info < (3, 11) or print("$(name)")' 2>/dev/null)))
BIN := .venv/bin

.PHONY: demo test clean

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

.venv/%.installed: pyproject.toml | .venv
	$(BIN)/pip --cache-dir .venv/cache install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

.venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv out dist
