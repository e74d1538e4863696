# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# lib.sh - the instance under measurement, medians, tables

instance_up()
{
	CHEMCHAT_RUN_DIR=$(mktemp -d "${TMPDIR:-/var/tmp}/chemchat-bench.XXXXXX")
	export CHEMCHAT_RUN_DIR
	# as many sends as it can take, from few users of one address
	export CHEMCHAT_GATEWAY_ARGS=${BENCH_GATEWAY_ARGS:---send-rate 0 --request-rate 0 --address-connections 0 --address-requests 0}
	"$root/scripts/run" up --detach >"$CHEMCHAT_RUN_DIR.log" 2>&1 ||
		{ tail -n 40 "$CHEMCHAT_RUN_DIR.log" >&2; exit 1; }
	load_env
	# the peer's plugin; a server that does not know the setting needs none
	psql_admin -q -c 'ALTER SYSTEM SET output_plugin_libraries = pgoutput, test_decoding, chemchat, wal2json' \
		-c 'SELECT pg_reload_conf()' >/dev/null || true
	psql_admin -q -f "$here/setup.sql"
	server_bin=$(dirname "$(<"$root/build/pg/pg_config.path")")
}

# The broker's code is compiled while it runs: what comes first counts for nobody.
warm_broker()
{
	"$drivers/bench_drain" -B "$CHEMCHAT_KAFKA" -T bench.warm -n 0 -C >/dev/null
	"$drivers/bench_drain" -B "$CHEMCHAT_KAFKA" -T bench.warm -W "${BENCH_WARM:-4000000}"
}

# What was written before is on disk: a writeback of gigabytes makes commits wait.
settle()
{
	psql_admin -q -c CHECKPOINT
	sync -f "$CHEMCHAT_RUN_DIR"
}

instance_down()
{
	"$root/scripts/run" stop >/dev/null 2>&1 || true
	"$root/scripts/run" clean-data >/dev/null 2>&1 || true
	rm -rf "$CHEMCHAT_RUN_DIR" "$CHEMCHAT_RUN_DIR.log"
}

load_env()
{
	set -a
	# shellcheck source=/dev/null
	. "$CHEMCHAT_RUN_DIR/env"
	set +a
}

service()
{
	"$root/scripts/run" "$1" "$2" >/dev/null
	load_env
}

psql_admin()
{
	psql -X -v ON_ERROR_STOP=1 "$CHEMCHAT_PG" "$@"
}

sql()
{
	psql_admin -qAt -c "$1"
}

describe_machine()
{
	printf '# make bench, ChemChat %s\n\n' "$(<"$root/VERSION")"
	printf '%s; %s cores, %s; PostgreSQL %s, fsync and synchronous_commit on; load %s\n' \
		"$(date -u +%F)" "$(nproc)" \
		"$(awk '/MemTotal/ {printf "%d GiB", $2 / 1048576 + .5}' /proc/meminfo)" \
		"$(sql 'SHOW server_version' | cut -d' ' -f1)" "$(cut -d' ' -f1-3 /proc/loadavg)"
}

# median FIELD < lines - of one column of the drivers' lines
median()
{
	awk -v f="$1" '{print $f}' | sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}

# spread FIELD < lines - "min..max"
spread()
{
	awk -v f="$1" '{print $f}' | sort -g | awk 'NR == 1 {a = $1} {b = $1} END {print a ".." b}'
}

# ratio A B - A / B with two digits
ratio()
{
	awk -v a="$1" -v b="$2" 'BEGIN {if (b > 0) printf "%.2f", a / b; else print "-"}'
}

table()
{
	printf '\n## %s\n\n' "$1"
	shift
	printf '| %s ' "$@"
	printf '|\n'
	printf '|---%.0s' "$@"
	printf '|\n'
}

row()
{
	printf '| %s ' "$@"
	printf '|\n'
}
