# `make run` and what belongs to it: scripts/run does the work.

.PHONY: run stop start status clean-data packages

run: ## build, start everything, print two links (DETACH=1: in the background)
	@scripts/install-packages run
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
