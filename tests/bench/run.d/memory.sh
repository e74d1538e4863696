# shellcheck shell=bash disable=SC2154 # one script in several files
# memory.sh - the relay's memory when there is far more than it can hold
#
# Not among the default sections: it writes tens of gigabytes.
#   BENCH_OUTAGE_EVENTS (18000000: an hour at 5,000/s)   committed, ten at a
#       time, while the broker is away
#   BENCH_LARGE_GB (10)   of one transaction, in events of 8 KB
#   BENCH_MEMORY (outage large)   which of the two

bench_memory()
{
	local case
	service stop gateway
	service stop relay
	psql_admin -q -c 'ALTER SYSTEM SET max_slot_wal_keep_size = -1' \
		-c 'SELECT pg_reload_conf()' >/dev/null
	psql_admin -q -f "$here/memory.sql"
	table 'the relay (Kafka alone) with more than it can hold' case events 'WAL, GB' \
		'written in, s' 'drained in, s' 'events/s' 'RSS before, MB' 'peak RSS, MB'
	for case in ${BENCH_MEMORY:-outage large}; do
		"memory_$case"
	done
}

# The broker goes away under the running relay, and comes back an hour's events later.
memory_outage()
{
	local count=${BENCH_OUTAGE_EVENTS:-18000000} base before from began written
	base=$(topic_count)
	relay_begin
	wait_walsender "$relay_application" >/dev/null
	service stop kafka
	before=$(rss_mb VmRSS)
	from=$(sql 'SELECT pg_current_wal_insert_lsn()')
	began=$SECONDS
	psql_admin -q -c 'SET synchronous_commit = off' -c "CALL bench.make_many($count, 10, 256)"
	written=$((SECONDS - began))
	service start kafka
	memory_row "an hour's outage of the broker" "$count" "$base" "$before" "$from" "$written"
	relay_end
}

# The events are committed at once; until then nothing of them is sent.
memory_large()
{
	local count=$((${BENCH_LARGE_GB:-10} * 122000)) base before from began written
	base=$(topic_count)
	relay_begin
	wait_walsender "$relay_application" >/dev/null
	before=$(rss_mb VmRSS)
	from=$(sql 'SELECT pg_current_wal_insert_lsn()')
	began=$SECONDS
	psql_admin -q -c "CALL bench.make_many($count, $count, 8192)"
	written=$((SECONDS - began))
	memory_row 'one transaction' "$count" "$base" "$before" "$from" "$written"
	relay_end
}

# memory_row CASE EVENTS BASE RSS FROM-LSN WRITTEN-S - waits until all is in the topic
memory_row()
{
	local case=$1 count=$2 base=$3 before=$4 from=$5 written=$6 began=$SECONDS wal took
	wal=$(sql "SELECT round((pg_current_wal_insert_lsn() - '$from') / 1e9, 1)")
	until [ "$(topic_count)" -ge $((base + count)) ]; do
		kill -0 "$relay_pid" || { echo "the relay has ended" >&2; return 1; }
		[ $((SECONDS - began)) -lt 1800 ] || { echo "not drained in 30 minutes" >&2; return 1; }
		sleep 1
	done
	took=$((SECONDS - began > 0 ? SECONDS - began : 1))
	row "$case" "$count" "$wal" "$written" "$took" "$((count / took))" "$before" "$(rss_mb VmHWM)"
}

topic_count()
{
	"$drivers/bench_drain" -B "$CHEMCHAT_KAFKA" -T chat.messages.v1 -n 0
}

rss_mb()
{
	awk -v what="$1:" '$1 == what {printf "%.1f", $2 / 1024}' "/proc/$relay_pid/status"
}
