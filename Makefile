# ChemChat - bare `make` prints help.
#
# Each folder's module.mk says what it is and what it USES; that gives it both
# its include path and its archives, so a forbidden include does not compile.

.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules

include mk/flags.mk
include mk/modules.mk
include mk/extension.mk
include mk/tests.mk
include mk/lint.mk
include mk/bench.mk
include mk/run.mk

.PHONY: help build all clean
help: ## this text
	@echo "ChemChat $(VERSION) - make TARGET"
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 20

build: $(BINARIES) extension ## compile the daemons and the extension

all: build

clean: ## remove what was built; the development data stays (make clean-data)
	rm -rf build/release build/asan build/kill build/pg
	$(MAKE) -s -C pg_extension clean >/dev/null 2>&1 || true
