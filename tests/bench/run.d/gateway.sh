# shellcheck shell=bash disable=SC2154 # one script in several files
# gateway.sh - acknowledged sends, and from a send to the other client's frame

bench_gateway()
{
	wait_idle
	gateway_sends
	gateway_latency
}

rooms()
{
	local file=$CHEMCHAT_RUN_DIR/rooms.$1
	sql "SELECT user_id || ' ' || id FROM bench.room WHERE $2 ORDER BY n, member" >"$file"
	echo "$file"
}

ws()
{
	"$drivers/bench_ws" -p "${CHEMCHAT_URL##*:}" -k "$CHEMCHAT_RUN_DIR/secret/jwt" "$@"
}

gateway_sends()
{
	local name file window lines pid before after rate
	table "acknowledged sends through the gateway, servers on core 0, clients on core 1 (median of $rounds)" \
		conversations clients 'unanswered each' 'sends/s (min..max)' 'send to ok, ms p50 / p99' \
		'gateway CPU us a send' errors
	for pid in $(server_pids); do
		taskset -acp 0 "$pid" >/dev/null 2>&1 || true
	done
	for name in one hundred; do
		if [ "$name" = one ]; then
			file=$(rooms one 'n = 101') window=16
		else
			file=$(rooms hundred 'n <= 100 AND member = 1') window=4
		fi
		lines=$(mktemp)
		for ((round = 0; round < rounds; round++)); do
			before=$(cpu_us "$CHEMCHAT_PID_GATEWAY")
			taskset -c 1 "$drivers/bench_ws" -p "${CHEMCHAT_URL##*:}" \
				-k "$CHEMCHAT_RUN_DIR/secret/jwt" -f "$file" -m sends -w "$window" \
				-t "$seconds" >"$lines.one"
			after=$(cpu_us "$CHEMCHAT_PID_GATEWAY")
			rate=$(cut -d' ' -f1 "$lines.one")
			echo "$(<"$lines.one") $(ratio $((after - before)) $((rate * seconds)))" >>"$lines"
		done
		row "$([ "$name" = one ] && echo 1 || echo 100)" "$(wc -l <"$file")" "$window" \
			"$(median 1 <"$lines") ($(spread 1 <"$lines"))" \
			"$(median 2 <"$lines") / $(median 3 <"$lines")" "$(median 8 <"$lines")" \
			"$(awk '{e += $7} END {print e}' "$lines")"
		rm "$lines" "$lines.one"
	done
	for pid in $(server_pids); do
		taskset -acp "0-$(($(nproc) - 1))" "$pid" >/dev/null 2>&1 || true
	done
}

server_pids()
{
	pgrep -P "$CHEMCHAT_PID_POSTGRES"
	printf '%s\n' "$CHEMCHAT_PID_POSTGRES" "$CHEMCHAT_PID_KAFKA" "$CHEMCHAT_PID_REDIS" \
		"$CHEMCHAT_PID_RELAY" "$CHEMCHAT_PID_GATEWAY"
}

gateway_latency()
{
	local rate lines commits file
	table "send to the other client's frame, ms (p50 / p99, median of $rounds), both cores" \
		'rate/s' 'send_message over libpq, same rate' 'send to ok' 'send to frame' \
		'frame p50 - commit p50' 'frame p99 / commit p99' frames
	wait_idle
	settle
	file=$(rooms pairs 'n <= 100')
	for rate in 200 1000; do
		lines=$(mktemp)
		commits=$(mktemp)
		for ((round = 0; round < rounds; round++)); do
			"$drivers/bench_send" -m chat -c 100 -b 1 -r "$rate" -t "$seconds" >>"$commits"
			ws -f "$file" -m latency -r "$rate" -t "$seconds" >>"$lines"
		done
		row "$rate" "$(median 3 <"$commits") / $(median 4 <"$commits")" \
			"$(median 2 <"$lines") / $(median 3 <"$lines")" \
			"$(median 4 <"$lines") / $(median 5 <"$lines")" \
			"$(awk -v a="$(median 4 <"$lines")" -v b="$(median 3 <"$commits")" 'BEGIN {printf "%.3f", a - b}')" \
			"$(ratio "$(median 5 <"$lines")" "$(median 4 <"$commits")")" \
			"$(awk '{n += $6} END {print n}' "$lines")"
		rm "$lines" "$commits"
	done
}
