# The drivers of make bench.

BENCH := $(B)/bench

.PHONY: bench bench-drivers
bench: ## measure, beside limits and peers of the same run (docs/benchmarks.md)
	@scripts/install-packages
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" build stage bench-drivers
	@BENCH_BIN=$(BENCH) tests/bench/run $(ARGS)

bench-drivers: $(addprefix $(BENCH)/,bench_send bench_ws bench_sockets bench_drain bench_latency) $(BENCH)/chemchat_silent.so

bench_includes := -Itests/bench -Icommon/base -Icommon/wire -Icommon/jwt $(shell pkg-config --cflags libpq rdkafka 2>/dev/null)

$(BENCH)/%: tests/bench/%.c tests/bench/sample.h tests/bench/process.h $(call archive,common/jwt) $(call archive,common/base)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(bench_includes) $(LDFLAGS_ALL) -o $@ $< \
	  $(call archive,common/jwt) $(call archive,common/base) \
	  $(shell pkg-config --libs libpq rdkafka jansson openssl libsodium) -lm

# The extension's own sources, but send.c writes no event (tests/bench/silent.h).
silent_flags = $(shell pg_config --cflags) -fPIC -w -Ipg_extension -Icommon/wire \
  -I$(shell pg_config --includedir-server) -DCHEMCHAT_VERSION='"$(shell cat VERSION)"'

$(BENCH)/chemchat_silent.so: $(wildcard pg_extension/*.c pg_extension/*.h) tests/bench/silent.h
	@rm -rf $(BENCH)/silent && mkdir -p $(BENCH)/silent
	cd $(BENCH)/silent && for c in $(abspath $(wildcard pg_extension/*.c)); do \
	  extra=; [ "$${c##*/}" != send.c ] || extra="-include $(abspath tests/bench/silent.h)"; \
	  $(CC) $(subst -Ipg_ext,-I$(CURDIR)/pg_ext,$(subst -Icommon,-I$(CURDIR)/common,$(silent_flags))) $$extra -c "$$c" || exit 1; \
	done
	$(CC) -shared -o $@ $(BENCH)/silent/*.o -Wl,--version-script=pg_extension/exports.map
