# `make run` and what belongs to it: scripts/run does the work.

.PHONY: run stop start status clean-data packages

run: ## build, start everything, print two links (DETACH=1: in the background)
	@scripts/install-packages run
	@echo "building ..."
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" build stage
	@scripts/run up $(if $(DETACH),--detach)

stop: ## stop it all, or one: SERVICE=postgres|kafka|redis|relay|gateway
	@scripts/run stop $(SERVICE)

start: ## start one again: SERVICE=...
	@scripts/run start $(or $(SERVICE),$(error SERVICE=postgres|kafka|redis|relay|gateway))

status: ## what runs, and how it is
	@scripts/run status

clean-data: ## remove the development data in build/run
	@scripts/run clean-data

packages: ## install the Debian packages that are missing
	@scripts/install-packages

# Tests: make test-SUITE runs one; test-unit is in mk/tests.mk.
.PHONY: test test-all test-bare check soak fuzz dist

test: ## all tests that need no Docker, Kubernetes or second PostgreSQL
	@tests/run

test-all: ## and on Debian 12, 13 and testing from nothing (root, over an hour)
	@tests/run --all

test-%:
	@tests/run $*

test-bare: ## make run on a bare Debian 12, made for it (root, minutes)
	@tests/bare/run

check: ## the quick ones: lint, unit, regress
	@tests/run lint unit regress

soak: ## kill and freeze things under load for long (SECONDS=600)
	@tests/fault/run --seconds $(or $(SECONDS),600) \
		--kill gateway,relay,postgres,redis,backend,walsender,kafka
	@tests/property/run --seconds $(or $(SECONDS),600)

fuzz: ## every fuzzer for long (SECONDS=600 each)
	@tests/fuzz/run $(or $(SECONDS),600)
	@tests/fuzz/hammer --count 1000000

dist: ## a source archive of HEAD in build/
	@mkdir -p build
	@git archive --prefix=chemchat-$(VERSION)/ -o build/chemchat-$(VERSION).tar.gz HEAD
	@echo build/chemchat-$(VERSION).tar.gz
