# The extension, built by PGXS into a private copy of PostgreSQL under
# build/pg, so that nothing of the system changes.  `make install` puts it
# into the server that PG_CONFIG names (as root).

PG_CONFIG ?= pg_config

.PHONY: extension stage install
extension: ## build chemchat.so and its SQL
	$(MAKE) -s -C pg_extension PG_CONFIG="$$(command -v $(PG_CONFIG))" all

stage: extension ## install the extension into build/pg, a private copy of PostgreSQL
	@config=$$(scripts/pgstage build/pg "$$(command -v $(PG_CONFIG))") && \
	$(MAKE) -s -C pg_extension PG_CONFIG="$$config" install >/dev/null && \
	echo "$$config" > build/pg/pg_config.path

install: extension ## install the extension into the server of PG_CONFIG (root)
	$(MAKE) -s -C pg_extension PG_CONFIG="$$(command -v $(PG_CONFIG))" install
