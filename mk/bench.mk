# The drivers of make bench.

BENCH := $(B)/bench

.PHONY: bench bench-drivers
bench: ## measure, beside limits and peers of the same run (docs/benchmarks.md)
	@scripts/install-packages
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" build stage bench-drivers
	@BENCH_BIN=$(BENCH) tests/bench/run $(ARGS)

bench-drivers: $(addprefix $(BENCH)/,bench_send bench_ws bench_drain bench_latency)

bench_includes := -Itests/bench -Icommon/base -Icommon/wire -Icommon/jwt $(shell pkg-config --cflags libpq rdkafka 2>/dev/null)

$(BENCH)/%: tests/bench/%.c tests/bench/sample.h tests/bench/process.h $(call archive,common/jwt) $(call archive,common/base)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(bench_includes) $(LDFLAGS_ALL) -o $@ $< \
	  $(call archive,common/jwt) $(call archive,common/base) \
	  $(shell pkg-config --libs libpq rdkafka jansson openssl libsodium) -lm
