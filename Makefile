SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

# Bytecode is compiled once, at the install: importing Great Expectations costs 3 s
# with it and 20 s without.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPATH := $(CURDIR)

# Trust the certificates that this machine trusts, where it has any of its own.
export UV_SYSTEM_CERTS := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)

VENV   := .venv
PYTHON := $(VENV)/bin/python
UV     := $(VENV)/bin/uv
CLI    := $(PYTHON) -m include.cli

.PHONY: help run test test-slow up down new-source accept backfill replay rollback backup restore airflow url psql bench audit lint lock install install-dev

help:  ## what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(VENV)/.runtime
install-dev: $(VENV)/.dev

# uv comes out of the same lock, hash checked, and installs the rest of it.
$(VENV)/.runtime: requirements.txt
	@bash bin/make-venv $(VENV)
	@$(UV) pip sync --quiet --python $(PYTHON) --require-hashes --compile-bytecode requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@$(UV) pip install --quiet --python $(PYTHON) --require-hashes --compile-bytecode -r requirements-dev.txt
	@touch $@

lock: $(VENV)/.runtime  ## compile requirements*.in into the hashed locks
	@for name in requirements requirements-dev; do \
	    $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	        --override requirements-overrides.txt --custom-compile-command "make lock" \
	        $$name.in --output-file $$name.txt || exit 1; \
	done

run: $(VENV)/.runtime  ## load exports, publish, print the scores; LANDING=<folder or s3 url> NIGHT=<date> for your own
	@$(CLI) run $(if $(LANDING),--landing '$(LANDING)') $(if $(NIGHT),--night '$(NIGHT)')

test: $(VENV)/.dev  ## every test, offline
	@$(PYTHON) -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(TESTS)

test-slow: $(VENV)/.dev  ## the long tests, which `make test` leaves out
	@$(PYTHON) -m pytest -n 2 --dist worksteal --timeout 3600 -m slow $(TESTS)

up: $(VENV)/.runtime  ## start Airflow with its pages and its timetable, and leave it up
	@$(CLI) up $(if $(LANDING),--landing '$(LANDING)')

down: $(VENV)/.runtime  ## stop Airflow and PostgreSQL
	@$(CLI) down

new-source: $(VENV)/.runtime  ## draft contract, staging view and test: SYSTEM=<name> FILE=<sample export>, FEED=<name> ROLE=crm|survey|ticket
	@$(CLI) new-source --system '$(SYSTEM)' --file '$(FILE)' --feed '$(FEED)' --role '$(ROLE)'

accept: $(VENV)/.runtime  ## overrule a gate: LOAD=<number> puts it in force, BUILD=<number> publishes it
	@$(CLI) accept $(if $(BUILD),--build '$(BUILD)',--load '$(LOAD)')

backfill: $(VENV)/.runtime  ## load nights (again) and publish once; FROM=<date> TO=<date>, SOURCES=<a,b> for some, DRY_RUN=1 only says what it would do
	@$(CLI) backfill $(if $(FROM),--from '$(FROM)') $(if $(TO),--to '$(TO)') \
	    $(if $(SOURCES),--sources '$(SOURCES)') $(if $(filter-out 0,$(DRY_RUN)),--dry-run)

replay: $(VENV)/.runtime  ## read rejected rows again after their contract was mended, and publish; FEED=<system.feed> or LOAD=<number> for some
	@$(CLI) replay $(if $(FEED),--feed '$(FEED)') $(if $(LOAD),--load '$(LOAD)')

backup: $(VENV)/.runtime  ## save the warehouse; TO=<folder that receives backups>
	@$(CLI) backup $(if $(TO),--to '$(TO)')

restore: $(VENV)/.runtime  ## bring a saved warehouse back: FROM=<backup>; REPLACE=yes drops the one that is there
	@$(CLI) restore --folder '$(FROM)' --replace '$(REPLACE)'

rollback: $(VENV)/.runtime  ## bring the version that was published before back into marts; the next publish catches up
	@$(CLI) rollback

airflow: $(VENV)/.runtime  ## a command of this clone's Airflow while it is up; ARGS="dags list"
	@$(CLI) airflow -- $(ARGS)

url: $(VENV)/.runtime  ## print the address that a BI tool reads marts at; ROLE=cx_agent or owner for theirs
	@$(CLI) url $(if $(ROLE),--role '$(ROLE)')

psql: $(VENV)/.runtime  ## open psql on the warehouse as its owner; ROLE=bi_reader to see what readers see
	@$(CLI) psql $(if $(ROLE),--role '$(ROLE)')

bench: $(VENV)/.dev  ## measure loads, and nights on a long history; CUSTOMERS=<number> for a smaller one, BENCH=<name ...> for some
	@$(PYTHON) -m bench $(if $(CUSTOMERS),--customers $(CUSTOMERS)) $(BENCH)

audit: $(VENV)/.dev  ## look the locked dependencies up among known weaknesses; says so where it cannot
	@$(PYTHON) bin/audit_dependencies.py

lint: $(VENV)/.dev audit  ## ruff, mypy and the audit of the dependencies
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
