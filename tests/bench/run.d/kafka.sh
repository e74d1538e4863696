# shellcheck shell=bash disable=SC2154 # one script in several files
# kafka.sh - from an acknowledged commit to Kafka's acknowledgement

bench_kafka()
{
	local rate round lines before after written
	table "commit acknowledged to Kafka, ms (p50 / p99, median of $rounds), 32 writers" \
		'rate/s' 'reached' commit 'to append (whole ms)' 'to a consumer' \
		'relay CPU us an event' 'events lost'
	for rate in 1000 5000; do
		lines=$(mktemp)
		for ((round = 0; round < rounds; round++)); do
			before=$(cpu_us "$CHEMCHAT_PID_RELAY")
			"$drivers/bench_latency" -B "$CHEMCHAT_KAFKA" -r "$rate" -t $((seconds * 2)) >"$lines.one"
			after=$(cpu_us "$CHEMCHAT_PID_RELAY")
			written=$(awk '{print $8}' "$lines.one")
			echo "$(<"$lines.one") $(ratio $((after - before)) "$written")" >>"$lines"
		done
		row "$rate" "$(median 1 <"$lines")" "$(median 2 <"$lines") / $(median 3 <"$lines")" \
			"$(median 4 <"$lines") / $(median 5 <"$lines")" \
			"$(median 6 <"$lines") / $(median 7 <"$lines")" "$(median 10 <"$lines")" \
			"$(awk '{lost += $8 - $9} END {print lost}' "$lines")"
		rm "$lines" "$lines.one"
	done
}

cpu_us()
{
	awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); print ($12 + $13) * 1000000 / hz}' "/proc/$1/stat"
}
