# shellcheck shell=bash disable=SC2154 # one script in several files
# drain.sh - how fast a backlog reaches Kafka, against raw decode of the same
# WAL and against wal2json through pg_recvlogical into kcat

bench_drain()
{
	local per_tx round lines name relay_pid
	command -v kcat >/dev/null || { echo "kcat is missing" >&2; return 1; }
	service stop gateway
	service stop relay
	"$drivers/bench_drain" -B "$CHEMCHAT_KAFKA" -T bench.pipe -n 0 -C >/dev/null
	lines=$(mktemp -d)
	per_tx=10
	drain_pipe >>"$lines/pipe"
	drain_ours
	rm -r "$lines"
	for per_tx in ${BENCH_PER_TX:-1 10}; do
		lines=$(mktemp -d)
		for ((round = 0; round < rounds; round++)); do
			drain_pipe >>"$lines/pipe"
			drain_ours
		done
		table "drain of $events events of 256 B, $per_tx a transaction (median of $rounds)" \
			what 'events/s (min..max)' 'against raw decode' 'against the pipe' \
			'CPU us an event' 'peak RSS MB'
		for name in raw relay pipe; do
			drain_row "$name"
		done
		rm -r "$lines"
	done
	relay_begin
	wait_idle # a drain is measured up to nine tenths
	relay_end
	relay_begin
	wait_walsender "$relay_application" >/dev/null
	sleep 5
	printf '\nrelay, idle for 5 s: RSS %s MB\n' "$(awk '/VmRSS/ {printf "%.1f", $2 / 1024}' \
		"/proc/$relay_pid/status")"
	relay_end
	service start relay
	service start gateway
}

# The instance's relay, but into Kafka alone, as the peers: live delivery has
# a slot and a walsender of its own.
relay_begin()
{
	local keep=() one
	grep -v '^redis' "$CHEMCHAT_RUN_DIR/relay.conf" >"$CHEMCHAT_RUN_DIR/relay-bench.conf"
	while IFS= read -r one; do
		keep+=(-u "$one")
	done < <(compgen -e | grep '^CHEMCHAT_')
	# shellcheck disable=SC2086 # words
	env "${keep[@]}" "$root/build/release/bin/chemchat-relay" \
		--config-file "$CHEMCHAT_RUN_DIR/relay-bench.conf" ${BENCH_RELAY_ARGS:-} \
		2>>"$CHEMCHAT_RUN_DIR/log/relay-bench.log" &
	relay_pid=$!
}

relay_end()
{
	kill "$relay_pid"
	wait "$relay_pid" || true
}

drain_row()
{
	local name=$1 rate field cpu='' rss=''
	rate=$(median 1 <"$lines/$name")
	for field in $(head -n 1 "$lines/$name" | tr ' ' '\n' | sed -n 's/=.*//p'); do
		cpu+="$field $(grep -o "$field=[0-9.]*" "$lines/$name" | cut -d= -f2 | median 1), "
		rss+="$field $(grep -o "$field=[0-9./]*" "$lines/$name" | cut -d/ -f2 | median 1), "
	done
	row "$name" "$rate ($(spread 1 <"$lines/$name"))" \
		"$(ratio "$rate" "$(median 1 <"$lines/raw")")" \
		"$(ratio "$rate" "$(median 1 <"$lines/pipe")")" "${cpu%, }" "${rss%, }"
}

walsender_of()
{
	sql "SELECT pid FROM pg_stat_replication WHERE application_name = '$1'"
}

wait_walsender()
{
	local pid='' tries=0
	until [ -n "$pid" ]; do
		pid=$(walsender_of "$1")
		[ $((tries += 1)) -lt 200 ] || { echo "no walsender for $1" >&2; return 1; }
	done
	echo "$pid"
}

# The peer: rows, wal2json, a pipe, kcat.  Its topic has as many partitions, no
# keys, no headers and no guarantee: it is the ceiling of the naive design.
drain_pipe()
{
	local base pipe walsender
	sql "SELECT pg_create_logical_replication_slot('bench_pipe', 'wal2json')" >/dev/null
	sql "TRUNCATE bench.outbox_row"
	base=$("$drivers/bench_drain" -B "$CHEMCHAT_KAFKA" -T bench.pipe -n 0)
	psql_admin -q -c 'SET synchronous_commit = off' \
		-c "CALL bench.make_rows($events, $per_tx)" -c 'CHECKPOINT' >/dev/null
	PGAPPNAME=bench_pipe "$server_bin/pg_recvlogical" -d "$CHEMCHAT_PG" -S bench_pipe \
		--start -f - -F 0 -s 1 -o format-version=2 -o include-transaction=false \
		-o include-types=false -o filter-tables='chemchat.*' --no-loop 2>/dev/null |
		kcat -P -b "$CHEMCHAT_KAFKA" -t bench.pipe -X enable.idempotence=true \
			-X acks=all -X linger.ms=2 >/dev/null 2>&1 &
	pipe=$!
	walsender=$(wait_walsender bench_pipe)
	"$drivers/bench_drain" -B "$CHEMCHAT_KAFKA" -T bench.pipe -o "$base" -n "$events" \
		-p "walsender=$walsender" -p "recv=$(pgrep -f 'pg_recvlogical.*bench_pipe' | head -n 1)" \
		-p "kcat=$(pgrep -f 'kcat.*bench.pipe' | head -n 1)" -p "broker=$CHEMCHAT_PID_KAFKA"
	pkill -f 'pg_recvlogical.*bench_pipe' || true
	wait "$pipe" || true
	drop_slot bench_pipe
}

# The same backlog, once decoded to /dev/null and once through the relay.
drain_ours()
{
	local from to base recv walsender
	relay_begin
	wait_idle
	relay_end
	sql "SELECT pg_create_logical_replication_slot('bench_raw', 'chemchat')" >/dev/null
	from=$(sql 'SELECT pg_current_wal_insert_lsn()')
	psql_admin -q -c 'SET synchronous_commit = off' \
		-c "CALL bench.make_events($events, $per_tx)" -c 'CHECKPOINT' >/dev/null
	to=$(sql 'SELECT pg_current_wal_insert_lsn()')

	PGAPPNAME=bench_raw "$server_bin/pg_recvlogical" -d "$CHEMCHAT_PG" -S bench_raw \
		--start -f /dev/null -F 0 -s 1 -o proto=1 --no-loop 2>/dev/null &
	recv=$!
	walsender=$(wait_walsender bench_raw)
	"$drivers/bench_drain" -a bench_raw -s "$from" -e "$to" -n "$events" \
		-p "walsender=$walsender" -p "recv=$recv" >>"$lines/raw"
	kill "$recv"
	wait "$recv" || true
	drop_slot bench_raw

	base=$("$drivers/bench_drain" -B "$CHEMCHAT_KAFKA" -T chat.messages.v1 -n 0)
	relay_begin
	walsender=$(wait_walsender "$relay_application")
	"$drivers/bench_drain" -B "$CHEMCHAT_KAFKA" -T chat.messages.v1 -o "$base" -n "$events" \
		-p "walsender=$walsender" -p "relay=$relay_pid" \
		-p "broker=$CHEMCHAT_PID_KAFKA" >>"$lines/relay"
	relay_end
}

relay_application=chemchat-relay

wait_idle()
{
	local tries=0
	until [ "$(sql "SELECT coalesce(sum(events), 1) FROM chemchat.outbox_status()
		WHERE sink = 'kafka'")" = 0 ]; do
		[ $((tries += 1)) -lt 600 ] || { echo "the outbox does not empty" >&2; return 1; }
		sleep 0.1
	done
}

drop_slot()
{
	local tries=0
	until sql "SELECT pg_drop_replication_slot('$1')" >/dev/null 2>&1; do
		[ $((tries += 1)) -lt 100 ] || { echo "slot $1 stays in use" >&2; return 1; }
		sleep 0.1
	done
}
