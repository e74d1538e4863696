# shellcheck shell=bash disable=SC2154 # one script in several files
# takeover.sh - from the end of the relay that streams to the first record that
# the other one has appended
#
# Two relays (Kafka alone), 500 events/s all the while.  BENCH_TAKEOVERS (7)
# rounds each: killed, and frozen until the other one has taken over.

bench_takeover()
{
	local how round count=${BENCH_TAKEOVERS:-7} lines load leader=a standby=b relay_pids=()
	service stop gateway
	service stop relay
	lines=$(mktemp -d)
	declare -A pid port
	takeover_relay a
	wait_walsender "$relay_application" >/dev/null
	takeover_relay b
	# longer than all of it; ended when that is over
	"$drivers/bench_latency" -B "$CHEMCHAT_KAFKA" -r 500 -t $((count * 20 + 20)) >"$lines/load" &
	load=$!
	sleep 3
	table "take-over of the slot at 500 events/s, $(sql 'SHOW wal_sender_timeout') of wal_sender_timeout" \
		'the relay that streams is' rounds 'first record of the other, ms: median (min..max)'
	for how in KILL STOP; do
		for ((round = 0; round < count; round++)); do
			takeover_once "$how" >>"$lines/$how"
			sleep 2
		done
		row "$([ "$how" = KILL ] && echo 'killed (SIGKILL)' || echo 'frozen (SIGSTOP)')" \
			"$count" "$(median 1 <"$lines/$how") ($(spread 1 <"$lines/$how"))"
	done
	wait "$load"
	printf '\nevents written: %s; not found in the topic: %s\n' \
		"$(awk '{print $8}' "$lines/load")" "$(awk '{print $8 - $9}' "$lines/load")"
	kill "${relay_pids[@]}" 2>/dev/null || true
	wait "${relay_pids[@]}" 2>/dev/null || true
	rm -r "$lines"
	service start relay
	service start gateway
}

# takeover_relay NAME - starts one and waits until it streams or stands by
takeover_relay()
{
	local name=$1 relay_pid log=$CHEMCHAT_RUN_DIR/log/relay-bench.log from
	touch "$log"
	from=$(wc -l <"$log")
	rm -f "$lines/port.$name"
	BENCH_RELAY_ARGS="--ops-port=0 --ops-port-file=$lines/port.$name" relay_begin
	pid[$name]=$relay_pid
	relay_pids+=("$relay_pid")
	until [ -s "$lines/port.$name" ] &&
		tail -n +$((from + 1)) "$log" | grep -E 'stream started|standing by' >/dev/null; do
		kill -0 "$relay_pid"
		sleep 0.05
	done
	port[$name]=$(<"$lines/port.$name")
}

# takeover_once KILL|STOP - the milliseconds; then the two have changed places
takeover_once()
{
	local how=$1 old=$leader
	perl "$here/takeover.pl" "$how" "${pid[$leader]}" "${port[$standby]}"
	leader=$standby
	standby=$old
	if [ "$how" = KILL ]; then
		wait "${pid[$old]}" 2>/dev/null || true
		takeover_relay "$old" >/dev/null
	else
		kill -CONT "${pid[$old]}"
	fi
}
