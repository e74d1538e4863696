# shellcheck shell=bash disable=SC2154 # one script in several files
# kafka.sh - from an acknowledged commit to Kafka's acknowledgement
#
# First as the peers were measured, by Kafka alone; then with all that goes on
# beside it: live delivery through Redis, the gateway, a consumer reading along.

bench_kafka()
{
	local relay_pid
	table "commit acknowledged to Kafka, ms (p50 / p99, median of $rounds), 32 writers" \
		'beside it' 'rate/s' 'reached' commit 'to append (whole ms)' 'to a consumer' \
		'relay CPU us an event' 'events lost'
	service stop gateway
	service stop relay
	relay_begin
	wait_idle
	kafka_rates nothing "$relay_pid" 3
	relay_end
	service start relay
	service start gateway
	wait_idle
	# what a reading consumer makes hot, the broker compiles then
	kafka_rates 'live delivery, gateway, a consumer' "$CHEMCHAT_PID_RELAY" "${BENCH_READ_WARM:-25}" -l
}

# kafka_rates BESIDE RELAY-PID SECONDS-OF-WARMING-UP [OPTION...]
kafka_rates()
{
	local beside=$1 pid=$2 warm=$3 rate round lines before after written
	shift 3
	"$drivers/bench_latency" -B "$CHEMCHAT_KAFKA" -r 5000 -t "$warm" "$@" >/dev/null
	settle
	for rate in 1000 5000; do
		lines=$(mktemp)
		for ((round = 0; round < rounds; round++)); do
			before=$(cpu_us "$pid")
			"$drivers/bench_latency" -B "$CHEMCHAT_KAFKA" -r "$rate" -t $((seconds * 2)) \
				"$@" >"$lines.one"
			after=$(cpu_us "$pid")
			written=$(awk '{print $8}' "$lines.one")
			echo "$(<"$lines.one") $(ratio $((after - before)) "$written")" >>"$lines"
		done
		row "$beside" "$rate" "$(median 1 <"$lines")" \
			"$(median 2 <"$lines") / $(median 3 <"$lines")" \
			"$(median 4 <"$lines") / $(median 5 <"$lines")" \
			"$(awk '{print $6, $7}' "$lines" | consumed)" "$(median 10 <"$lines")" \
			"$(awk '{lost += $8 - $9} END {print lost}' "$lines")"
		rm "$lines" "$lines.one"
	done
}

# "p50 p99" lines; no consumer, no figure
consumed()
{
	local lines
	lines=$(cat)
	if [ "$(median 2 <<<"$lines")" = 0.00 ]; then
		echo -
	else
		echo "$(median 1 <<<"$lines") / $(median 2 <<<"$lines")"
	fi
}

cpu_us()
{
	awk '{ns += $1} END {print ns / 1000}' "/proc/$1/task/"*/schedstat
}
