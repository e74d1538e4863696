# shellcheck shell=bash disable=SC2154 # one script in several files
# outbox.sh - what the event costs a send: send_messages as shipped against the
# same library built without the event (tests/bench/silent.h)
#
# The writer's cost alone: the relay is stopped, or with the event two
# walsenders, the broker and Redis would take their part of the same cores.

bench_outbox()
{
	local conversations batch round lines with without
	service stop gateway
	service stop relay
	make_silent
	table "send_messages with its event and without, one connection (median of $((rounds * 3)), in turns)" \
		conversations batch 'without, sends/s (min..max)' 'with, sends/s (min..max)' \
		'the event takes of the rate' 'server CPU us a send, without / with' \
		'the event takes of the CPU'
	for conversations in 1 100; do
		for batch in 32 128; do
			lines=$(mktemp -d)
			for ((round = 0; round < rounds * 3; round++)); do
				seconds=1 sends_once silent >>"$lines/without"
				seconds=1 sends_once chat >>"$lines/with"
			done
			without=$(median 1 <"$lines/without")
			with=$(median 1 <"$lines/with")
			row "$conversations" "$batch" "$without ($(spread 1 <"$lines/without"))" \
				"$with ($(spread 1 <"$lines/with"))" "$(percent_less "$with" "$without")" \
				"$(median 2 <"$lines/without") / $(median 2 <"$lines/with")" \
				"$(percent_less "$(median 2 <"$lines/without")" "$(median 2 <"$lines/with")")"
			rm -r "$lines"
		done
	done
	service start relay
	service start gateway
}

# percent_less A B - by how much A is below B
percent_less()
{
	awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f %%", 100 * (1 - a / b)}'
}

# bench.send_messages_silent: defined as the original is, in the other library
make_silent()
{
	local library
	library=$(dirname "$(sql 'SHOW data_directory')")/chemchat_silent.so
	install -m 755 "$drivers/chemchat_silent.so" "$library"
	psql_admin -q <<-EOF
		SELECT replace(replace(pg_get_functiondef(oid), 'chemchat.send_messages',
			'bench.send_messages_silent'), '\$libdir/chemchat', '$library')
		  FROM pg_proc WHERE oid::regproc = 'chemchat.send_messages'::regproc
		\gexec
		ALTER FUNCTION bench.send_messages_silent OWNER TO chemchat_owner;
	EOF
}
