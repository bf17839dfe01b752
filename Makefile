# Every target sets up what it needs: the first run takes minutes, later ones seconds.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
SCENARIO ?= cpu
SANDBOX ?= .sandbox
CDK ?=
UV := .tools/bin/uv
UV_VERSION := 0.13.9
VENV := .venv/bin/python
# The patient's own packages and the Pulumi CLI live outside the checkout and serve every clone.
export BACKBURN_CACHE ?= $(HOME)/.cache/backburn
export PYTHONPATH := $(CURDIR):$(CURDIR)/lambdas
export PYTHONDONTWRITEBYTECODE :=
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION := 1
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 1

.PHONY: help
help: ## what can be done here
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: demo
demo: setup ## one incident, from the first slow request to proven recovery (SCENARIO=cpu|throttled|worse)
	@$(VENV) -m sandbox.demo --scenario $(SCENARIO) --directory $(SANDBOX) $(if $(CDK),--cdk)

.PHONY: scenarios
scenarios: setup ## every scenario of the demo, one after the other
	@for name in $$($(VENV) -m sandbox.demo --list); do \
	  echo; AUTO_APPROVE=1 $(VENV) -m sandbox.demo --scenario $$name --directory $(SANDBOX)-$$name; done

.PHONY: sandbox
sandbox: setup ## the whole world on this machine, until Ctrl-C; addresses in .sandbox/addresses.json
	@$(VENV) -m sandbox --directory $(SANDBOX)

.PHONY: test
test: setup ## every test, the played incidents included
	@$(VENV) -m pytest $(ARGS)

.PHONY: check
check: .venv/.ready ## format, lint and types, as before each commit
	@$(VENV) -m ruff format --check .
	@$(VENV) -m ruff check .
	@$(VENV) -m mypy lambdas/backburn stacks app.py

.PHONY: format
format: .venv/.ready ## put the code into its canonical form
	@$(VENV) -m ruff format . && $(VENV) -m ruff check --fix .

.PHONY: package
package: .venv/.ready ## the asset for Lambda and CodeBuild: the declared one, and one for this machine
	@UV=$(CURDIR)/$(UV) $(VENV) -m stacks.asset

.PHONY: lock
lock: $(UV) ## resolve the requirements anew, with hashes
	@$(UV) pip compile -q pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header -o requirements.txt
	@$(UV) pip compile -q pyproject.toml --extra dev --universal --generate-hashes --python-version 3.11 --no-header -o requirements-dev.txt
	@for f in sandbox/cloud chatbot/infra; do \
	  $(UV) pip compile -q $$f/requirements.in --universal --generate-hashes --python-version 3.11 --no-header -o $$f/requirements.txt; done

.PHONY: clean
clean: ## forget what was built here (the cache outside the checkout stays)
	@rm -rf .venv .venv-cloud .tools .build .sandbox* cdk.out

# ---------------------------------------------------------------- set-up, independent steps side by side
.PHONY: setup parts
setup:
	@$(MAKE) -j4 parts

parts: .venv/.ready .venv-cloud/.ready pulumi-cli patient-packages .build/asset/host.ready

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Backburn needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.13 …")'
	@command -v node >/dev/null || { echo "Backburn's stacks are synthesised by the AWS CDK, which needs Node.js 20 or newer: install it, then run make again."; exit 1; }
	@echo "set-up: package installer"
	@$(PYTHON) -m venv .tools && .tools/bin/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)

.venv/.ready: requirements-dev.txt | $(UV)
	@echo "set-up: Python packages of the product and its sandbox"
	@$(UV) venv -q --allow-existing --python $(PYTHON) --no-python-downloads .venv
	@VIRTUAL_ENV=.venv $(UV) pip install -q --require-hashes -r requirements-dev.txt
	@touch $@

.venv-cloud/.ready: sandbox/cloud/requirements.txt | $(UV)
	@echo "set-up: local AWS"
	@$(UV) venv -q --allow-existing --python $(PYTHON) --no-python-downloads .venv-cloud
	@VIRTUAL_ENV=.venv-cloud $(UV) pip install -q --require-hashes -r sandbox/cloud/requirements.txt
	@touch $@

.PHONY: pulumi-cli patient-packages
pulumi-cli: .venv/.ready
	@$(VENV) -m sandbox.pulumi.cli >/dev/null

patient-packages: .venv/.ready
	@PATH=$(CURDIR)/.tools/bin:$$PATH $(VENV) -m sandbox.pulumi.packages chatbot/infra >/dev/null

.build/asset/host.ready: requirements.txt $(shell find lambdas -type f -not -name '*.pyc') | .venv/.ready
	@UV=$(CURDIR)/$(UV) $(VENV) -m stacks.asset host
	@touch $@
