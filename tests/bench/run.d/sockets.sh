# shellcheck shell=bash disable=SC2154 # one script in several files
# sockets.sh - ten thousand of them: what an idle one costs, how soon all are
# in again, and what a channel's message costs each of a thousand subscribers

bench_sockets()
{
	local users=$CHEMCHAT_RUN_DIR/socket.users room who lines round pid
	sql "CREATE TABLE bench.socket AS SELECT n, c.id FROM generate_series(1, 1000) AS n,
	     chemchat.create_user('socket' || n) AS c" >/dev/null
	room=$(sql "SELECT id FROM chemchat.create_conversation(
	     (SELECT id FROM bench.socket WHERE n = 1), 'group', 'sockets',
	     (SELECT array_agg(id) FROM bench.socket WHERE n BETWEEN 2 AND 100))")
	sql 'SELECT id FROM bench.socket ORDER BY n' >"$users"
	table "10,000 sockets of 1,000 users; a message of 300 B to 1,000 of them, 8 messages under way (median of $rounds)" \
		server 'all welcome, s' 'user memory each, B' 'kernel each, B' 'idle CPU, us a socket and s' \
		'deliveries/s' 'CPU us a delivery' 'message to socket, ms p50 / p99'
	for who in gateway raw; do
		lines=$(mktemp)
		for ((round = 0; round < rounds; round++)); do
			if [ "$who" = raw ]; then
				"$drivers/bench_sockets" -m raw -f "$users" -x 10 -s 1000 -t "$seconds"
			else
				pid=$CHEMCHAT_PID_GATEWAY
				"$drivers/bench_sockets" -p "${CHEMCHAT_URL##*:}" -k "$CHEMCHAT_RUN_DIR/secret/jwt" \
					-g "$pid" -f "$users" -x 10 -s 1000 -c "$room" -t "$seconds"
				# memory that was ever used stays resident: each round a fresh one
				service stop gateway
				service start gateway
			fi >>"$lines"
		done
		row "$([ "$who" = raw ] && echo 'raw epoll, one send() each' || echo gateway)" \
			"$(median 2 <"$lines")" "$(median 3 <"$lines")" "$(median 4 <"$lines")" "$(median 5 <"$lines")" \
			"$(median 7 <"$lines") ($(spread 7 <"$lines"))" "$(median 8 <"$lines")" \
			"$([ "$who" = raw ] && echo '-' || echo "$(median 9 <"$lines") / $(median 10 <"$lines")")"
		rm "$lines"
	done
}
