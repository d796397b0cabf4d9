# Plain `make` prints the commands. All of them work from a fresh clone: the first one makes the environment in .venv
# (PYTHON3=python3.13 VENV=.venv-3.13 makes and uses another).

PYTHON3 ?= python3
VENV ?= .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
# one more than there are processors, since tests wait too
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)
APART := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
STAGE ?= dev
CLIENT ?= build/client

.DEFAULT_GOAL := help
.PHONY: help run demo test coverage chaos model fuzz mutation lint style audit format openapi client bench package
.PHONY: deploy destroy clean

help:
	@awk 'BEGIN { FS = ":.*## " } \
		/^## / { printf "\n%s\n", substr($$0, 4) } \
		/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

## On this machine
run: $(READY) ## start the whole stack, data in DATA=.local (PORT=8000 ENGINE=dynoxide|moto VERBOSE=1)
	@$(PYTHON) -m local

demo: $(READY) ## show what Passel does, against the running stack
	@$(PYTHON) -m local.demo

## While working
test: $(READY) ## run the tests (T=path narrows; in WORKERS=3 processes, or one more than there are processors)
	@$(PYTHON) -m local.engine --install build/engine >/dev/null || true
ifdef T
	@$(PYTHON) -m pytest $(T)
else
# apart: the second start, stop and mock engines, and moto's queues are one for all of a process; the last judge the
# others; in each, what takes longest goes first, so that no processor waits for it in the end
	@$(PYTHON) -m pytest $(APART) tests/model tests/fuzz tests/integration tests/drills tests/contract
	@$(PYTHON) -m pytest $(APART) tests/deployment tests/e2e tests/infra
	@$(PYTHON) -m pytest $(APART) --recorded tests/chaos tests/unit tests/whole_run
endif

coverage: $(READY) ## run the tests and say which lines and branches of chalicelib/ none of them takes (a quarter slower)
	@rm -rf build/coverage
	@$(MAKE) --no-print-directory test PYTHON="$(PYTHON) -m coverage run"
	@$(PYTHON) -m coverage combine --quiet
	@$(PYTHON) -m coverage report

chaos: $(READY) ## 20,000 operations amid faults and kills (CHAOS_SEED= repeats a run, CHAOS_OPERATIONS= for more)
	@$(PYTHON) -m local.engine --install build/engine >/dev/null
	@$(PYTHON) -m tests.chaos

model: $(READY) ## random histories against a model of the whole system (MODEL_EXAMPLES=200, MODEL_SEED= repeats a run)
	@$(PYTHON) -m local.engine --install build/engine >/dev/null || true
	@MODEL_EXAMPLES=$(or $(MODEL_EXAMPLES),200) $(PYTHON) -m pytest tests/model -s --timeout=0 --show-capture=no \
		$(if $(MODEL_SEED),--hypothesis-seed=$(MODEL_SEED))

fuzz: $(READY) ## requests of all kinds against the description of the API (FUZZ_EXAMPLES=30, FUZZ_SYSTEMATIC=20: shorter)
	@$(PYTHON) -m local.engine --install build/engine >/dev/null || true
	@$(PYTHON) -m tests.fuzz

mutation: $(READY) ## change the rules and see whether tests notice (SAMPLE=640|all, SEED=1; about an hour)
	@$(PYTHON) -m local.engine --install build/engine >/dev/null
	@test -x $(VENV)-mutation/bin/python || $(PYTHON3) -m venv $(VENV)-mutation
	@$(VENV)-mutation/bin/python -m pip install -qq --disable-pip-version-check -r requirements-mutation.txt
	@SAMPLE=$(or $(SAMPLE),640) SEED=$(or $(SEED),1) $(VENV)-mutation/bin/python -m tests.mutation

lint: $(READY) ## check format, style and types, the template and the dependencies
	@$(MAKE) --no-print-directory -j2 style audit # side by side: both keep one processor busy for a minute

style: $(READY)
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy

audit: $(READY) # remembers what passed, and says what could not be asked
	@$(PYTHON) -m infra.audit

format: $(READY) ## rewrite the sources in the house format
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

openapi: $(READY) ## write the description of the API from routes and models
	@$(PYTHON) -m openapi

client: $(READY) ## make a typed Python client from the description, in CLIENT=build/client
	@PATH="$(dir $(abspath $(PYTHON))):$$PATH" $(PYTHON) -m openapi_python_client generate --path chalicelib/api/description/openapi.json \
		--config docs/client.yaml --output-path $(CLIENT) --overwrite --fail-on-warning

bench: $(READY) ## measure latency, cost and scale (SCALE=100000 passes; PARTS=scale narrows)
	@$(PYTHON) -m benchmarks $(PARTS)

## On AWS
package: $(READY) ## build the deployment package of STAGE=dev
	@$(PYTHON) -m infra.package --stage $(STAGE)

deploy: $(READY) ## create or update STAGE=dev in your AWS account
	@$(PYTHON) -m infra.deploy --stage $(STAGE)

destroy: $(READY) ## remove STAGE=dev with all its data; asks first, and refuses protected stages
	@$(PYTHON) -m infra.destroy --stage $(STAGE)

## Housekeeping
clean: ## remove everything that is built; data in .local stays
	@rm -rf $(VENV) $(VENV)-mutation build .chalice/deployments .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Lambda runs the version that packages. infra/stages.py says the same, but only once the environment is made.
define CHECK_PACKAGER
@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 13)))' || \
	{ echo "Passel is packaged with Python 3.11 or 3.13; name one with PYTHON3= (docs/deploying.md)" >&2; exit 1; }
endef

$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON3) -c 'print()' >/dev/null || \
		{ echo "$(PYTHON3) does not start; name another with PYTHON3=, for example: make PYTHON3=python3.13" >&2; exit 1; }
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Passel needs Python 3.11 or later; name one with PYTHON3=, for example: make PYTHON3=python3.13" >&2; exit 1; }
	$(if $(filter package deploy,$(MAKECMDGOALS)),$(CHECK_PACKAGER))
	@echo "Making the environment in $(VENV) (about a minute, once)" >&2
	@$(PYTHON3) -m venv $(VENV)
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --no-compile -r requirements-dev.txt
	@touch $@
