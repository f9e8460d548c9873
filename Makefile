# Every command of a developer and of CI. `make help` lists them.
PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
BIN := .venv/bin
CHECK_PYTHON := $(PYTHON) config/up/python_check.py
INSTALL := $(CHECK_PYTHON) && $(PYTHON) -I config/up/bootstrap.py
INSTALL_DEV := $(INSTALL) --dev
# No settings of a deployment are needed to look at models and types.
TOOL_ENV := ENVIRONMENT=test SECRET_KEY=only-for-checks-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx \
	FIELD_ENCRYPTION_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= API_KEY_PEPPER=only-for-checks \
	DATABASE_URL=postgresql://nobody@127.0.0.1:9/none DJANGO_SETTINGS_MODULE=config.settings
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
# Each of the ten processes would compile every module anew: a second start would take twice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up test lint format bench bench-render bench-anomaly bench-metrics bench-intelligence migrations-check messages lock clean-data

help: ## List the commands.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'
	@echo "  PORT=9000 moves every port of 'make up'; PYTHON=python3.12 chooses the interpreter; ARGS='-k name' goes to pytest."

up: ## Install, start everything on this machine, and print where it is (Ctrl-C stops it).
	@$(INSTALL) && exec $(BIN)/python -m config.up

test: ## Run the whole suite against servers of its own, with coverage.
	@$(INSTALL_DEV)
	@$(BIN)/python -m config.up.browser
	@$(BIN)/python -m config.up.prometheus
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term $(ARGS)

lint: ## Check style, types and the direction of imports.
	@$(INSTALL_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(TOOL_ENV) $(BIN)/mypy .
	$(BIN)/lint-imports

format: ## Format the code.
	@$(INSTALL_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

migrations-check: ## Fail when a model changed without its migration.
	@$(INSTALL_DEV)
	$(TOOL_ENV) $(BIN)/python -W ignore manage.py makemigrations --check --dry-run

bench: ## Measure throughput on a stack of its own (ARGS goes to benchmarks/load.py).
	@$(INSTALL_DEV)
	$(BIN)/python benchmarks/load.py $(ARGS)

bench-render: ## Measure how many messages a second one core writes (ARGS goes to benchmarks/render.py).
	@$(INSTALL_DEV)
	$(BIN)/python -m benchmarks.render $(ARGS)

bench-intelligence: ## Judge change points, forecasts, bands and causes on known truth (ARGS goes to benchmarks/intelligence.py).
	@$(INSTALL_DEV)
	$(BIN)/python -m benchmarks.intelligence $(ARGS)

bench-metrics: ## Measure how many samples a second are taken in, rolled up and judged, and how long backtests take (ARGS goes to benchmarks/metrics.py).
	@$(INSTALL_DEV)
	$(BIN)/python -m benchmarks.metrics $(ARGS)
	$(BIN)/python -m benchmarks.judging
	$(BIN)/python -m benchmarks.backtest

bench-anomaly: ## Score the shipped detector on labelled anomalies (ARGS goes to benchmarks/anomaly.py).
	@$(INSTALL_DEV)
	$(BIN)/python benchmarks/anomaly.py $(ARGS)

messages: ## Bring the translations of pages and errors in step with the source.
	@$(INSTALL_DEV)
	$(TOOL_ENV) $(BIN)/python -W ignore manage.py messages

lock: ## Resolve requirements*.in into the pinned requirements*.txt.
	@$(INSTALL_DEV)
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-header --quiet requirements.in -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-header --quiet requirements-dev.in -o requirements-dev.txt

clean-data: ## Remove the data of `make up` (var/): databases, secrets, logs.
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m config.up.cleaning; else rm -rf var; fi
