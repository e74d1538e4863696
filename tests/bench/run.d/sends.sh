# shellcheck shell=bash disable=SC2154 # one script in several files
# sends.sh - chemchat.send_messages against the plain insert of the same batch
#
# Once while nobody reads the events, as the plain rows are read by nobody, and
# once with the relay running: on the same cores, what it takes is the sends'.

bench_sends()
{
	service stop gateway
	service stop relay
	sends_table 'nobody reads the events'
	service start relay
	BENCH_SENDS_BATCHES=${BENCH_SENDS_BATCHES:-32 128} sends_table 'the relay running'
	service start gateway
}

# sends_table BESIDE
sends_table()
{
	local conversations batch round lines plain chat held
	table "send_messages, one connection, $1: sends a second (median of $rounds, min..max)" \
		conversations batch 'plain insert, same batch' send_messages ratio \
		'with a snapshot held' 'held / not held' 'server CPU us a send'
	for conversations in 1 100; do
		for batch in ${BENCH_SENDS_BATCHES:-1 32 128}; do
			lines=$(mktemp -d)
			for ((round = 0; round < rounds; round++)); do
				sends_once plain >>"$lines/plain"
				sends_once chat >>"$lines/chat"
				sends_once chat -s >>"$lines/held"
			done
			plain=$(median 1 <"$lines/plain")
			chat=$(median 1 <"$lines/chat")
			held=$(median 1 <"$lines/held")
			row "$conversations" "$batch" "$plain ($(spread 1 <"$lines/plain"))" \
				"$chat ($(spread 1 <"$lines/chat"))" "$(ratio "$chat" "$plain")" \
				"$held ($(spread 1 <"$lines/held"))" "$(ratio "$held" "$chat")" \
				"$(median 2 <"$lines/chat")"
			rm -r "$lines"
		done
	done
}

sends_once()
{
	"$drivers/bench_send" -m "$1" -c "$conversations" -b "$batch" -t "$seconds" "${@:2}"
}
