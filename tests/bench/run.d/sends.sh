# shellcheck shell=bash disable=SC2154 # one script in several files
# sends.sh - chemchat.send_messages against the plain insert of the same batch

bench_sends()
{
	local conversations batch round lines plain chat held
	service stop gateway
	table "send_messages, one connection: sends a second (median of $rounds, min..max)" \
		conversations batch 'plain insert, same batch' send_messages ratio \
		'with a snapshot held' 'held / not held' 'server CPU us a send'
	for conversations in 1 100; do
		for batch in 1 32 128; do
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
	service start gateway
}

sends_once()
{
	"$drivers/bench_send" -m "$1" -c "$conversations" -b "$batch" -t "$seconds" "${@:2}"
}
