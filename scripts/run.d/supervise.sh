# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# supervise.sh - starts everything, keeps it up, stops it; sourced by scripts/run
#
# One supervisor an instance (a lock on $run/lock).  It starts what is not
# there, takes over what an earlier supervisor left running, starts our daemons
# and our PostgreSQL again when they die, and on SIGINT, SIGTERM or SIGHUP
# stops all it knows in the order gateway, relay, Redis, Kafka, PostgreSQL.
# Kafka and Redis that die stay away until `make start SERVICE=...`: the
# promise is that the rest lives on without them.

tick_s=0.2
backoff_first_ms=200
backoff_last_ms=5000

supervise()
{
	exec 7>>"$run/lock"
	flock -n 7 || die "is already running: scripts/run status"
	stopping=''
	is_removed=''
	env_is_old=''
	trap 'stopping=1' INT TERM HUP
	trap 'on_exit' EXIT
	layout_make
	pid_write "$run/pid/supervisor" $$
	rm -f "$run/state/ready"
	rm -f "$run/stopped/"*
	given_write
	start_all
	env_write
	env_signature
	env_of=$REPLY
	(umask 077 && links_print >"$run/state/links")
	echo $$ >"$run/state/ready"
	# detached, standard output is a log, and the links hold tokens
	[ -n "${detached:-}" ] || {
		cat "$run/state/links"
		printf '\n  Ctrl-C stops it.\n\n'
	}
	# a pipe to ourselves is a sleep that forks nothing
	exec 6<> <(:)
	while [ -z "$stopping" ]; do
		turn
		read -r -t "$tick_s" -u 6 || true
	done
}

given_write()
{
	local name
	for name in postgres kafka redis; do
		! "${name}_is_given" || echo "$name"
	done | write_file "$run/state/given"
}

start_all()
{
	local name
	for name in chemchat-relay chemchat-gateway chemchatctl; do
		[ -x "$bin/$name" ] || die "$bin/$name is missing: make build"
	done
	for name in postgres redis relay gateway; do
		log_turn "$run/log/$name.log"
	done
	given_check
	postgres_stage
	postgres_connection
	! postgres_is_given || postgres_check_given
	starting_say
	kafka_begin
	if ! postgres_is_given; then
		postgres_start
		postgres_prepare
	fi
	demo_make
	demo_accounts
	redis_start
	secret_make
	demo_tokens
	kafka_await
	unless_stopping
	say "starting relay and gateway ..."
	relay_configure
	gateway_configure
	daemon_start gateway
	daemon_start relay
	daemon_await gateway 30 || {
		unless_stopping
		show_tail "$run/log/gateway.log"
		die "the gateway did not start"
	}
	# without it messages still flow; they wait in the outbox
	daemon_await relay 60 || {
		unless_stopping
		show_tail "$run/log/relay.log"
		say "the relay is not ready ($(daemon_readiness relay)); going on, it" \
			"is tried again and again"
	}
	unless_stopping
}

# Of the servers, those that are ours.
starting_say()
{
	local names=''
	kafka_is_given || names+=', Kafka'
	postgres_is_given || names+=', PostgreSQL'
	redis_is_given || names+=', Redis'
	[ -z "$names" ] || say "starting ${names#, } ..."
}

unless_stopping()
{
	[ -z "$stopping" ] || exit 130
}

# A daemon that an earlier supervisor left may be of an older build.
daemon_start()
{
	pid_stop "$run/pid/$1" TERM 15 || die "an old $1 does not end"
	daemon_spawn "$1" || true
}

daemon_await()
{
	wait_for "$2" daemon_is_ready_or_down "$1" && daemon_is_ready "$1"
}

daemon_is_ready_or_down()
{
	[ -n "$stopping" ] || ! pid_find "$run/pid/$1" || daemon_is_ready "$1"
}

# One turn: who died is started again when its time has come.
turn()
{
	local name
	now_ms
	turn_ms=$REPLY
	if [ ! -e "$run/pid/supervisor" ]; then
		bring_pids_back
		is_removed=1
		die "$run was removed under it: stopping"
	fi
	postgres_is_given || keep_up postgres
	keep_up relay
	keep_up gateway
	for name in kafka redis; do
		"${name}_is_given" || notice_end "$name"
	done
	env_renew
	for name in "${services[@]}"; do
		! read -r pid_line["$name"] <"$run/pid/$name" || true
	done 2>/dev/null
}

# A disk that is full ends nothing: env is written when there is room again.
env_renew()
{
	local now
	env_signature
	now=$REPLY
	[ "$now" != "$env_of" ] || return 0
	if env_write 2>/dev/null; then
		env_of=$now
		env_is_old=''
	elif [ -z "$env_is_old" ]; then
		env_is_old=1
		say "$(date +%T) could not write $(relative "$run/env"): is the disk full?"
	fi
}

# Somebody removed the folder and with it the pid files.  What they said comes
# back, so that the processes end in the usual way.
bring_pids_back()
{
	local name
	mkdir -p "$run"/{pid,state,kafka}
	for name in "${!pid_line[@]}"; do
		case $name in
			kafka) echo "${pid_line[$name]}" >"$run/kafka/pid" ;;
			*) echo "${pid_line[$name]}" >"$run/pid/$name" ;;
		esac
	done
	ln -sfn ../kafka/pid "$run/pid/kafka"
	echo "$$ 0" >"$run/pid/supervisor"
}

declare -A failures=() next_try_ms=() up_since_ms=() was_there=() pid_line=()

keep_up()
{
	local name=$1 status='' delay
	if pid_find "$run/pid/$name"; then
		if [ "${was_there[$name]:-}" != "$REPLY" ]; then
			was_there[$name]=$REPLY
			up_since_ms[$name]=$turn_ms
		elif [ $((turn_ms - up_since_ms[$name])) -ge 10000 ]; then
			failures[$name]=0
		fi
		return
	fi
	[ ! -e "$run/stopped/$name" ] || return 0
	if [ -n "${was_there[$name]:-}" ]; then
		# its exit status, when it was our child
		wait "${was_there[$name]}" 2>/dev/null && status=0 || status=$?
		[ "$status" != 127 ] || status='?'
		was_there[$name]=''
		failures[$name]=$((${failures[$name]:-0} + 1))
		delay=$((backoff_first_ms << (failures[$name] > 6 ? 6 : failures[$name] - 1)))
		[ "$delay" -le "$backoff_last_ms" ] || delay=$backoff_last_ms
		next_try_ms[$name]=$((turn_ms + delay))
		notice_failure "$name" "$status"
	fi
	[ "$turn_ms" -ge "${next_try_ms[$name]:-0}" ] || return 0
	case $name in
		postgres) postgres_spawn ;;
		*) daemon_spawn "$name" ;;
	esac || true
	# known from here on, even when it is gone before the next turn
	{ read -r was_there["$name"] _ <"$run/pid/$name"; } 2>/dev/null || true
	up_since_ms[$name]=$turn_ms
}

notice_failure()
{
	local name=$1 status=$2 how
	# one that keeps dying need not fill the screen
	[ "${failures[$name]}" -le 3 ] || [ $((failures[$name] % 12)) = 0 ] || return 0
	how="exit status $status"
	if [ "$status" != '?' ] && [ "$status" -gt 128 ]; then
		how="signal $(kill -l "$((status - 128))")"
	fi
	say "$(date +%T) $name ended ($how), starting it again;" \
		"log: $(relative "$run/log/$name.log")"
	case $status in
		78 | 80) tail -n 1 "$run/log/$name.log" | sed 's/^/    /' >&2 ;;
	esac
}

notice_end()
{
	local name=$1
	if pid_find "$run/pid/$name"; then
		was_there[$name]=$REPLY
	elif [ -n "${was_there[$name]:-}" ]; then
		was_there[$name]=''
		[ -e "$run/stopped/$name" ] ||
			say "$(date +%T) $name ended; make start SERVICE=$name"
	fi
}

on_exit()
{
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	say "stopping ..."
	if [ -n "${kafka_starter:-}" ]; then
		kill -s TERM "$kafka_starter" 2>/dev/null || true
		wait "$kafka_starter" || true
	fi
	stop_all
	[ ! -e "$run/state/ready" ] || ! postgres_is_given || slots_note
	rm -f "$run/state/ready" "$run/pid/supervisor"
	if [ -n "$is_removed" ]; then
		rm -rf --one-file-system "$run"/{pid,state,kafka}
		rmdir "$run" 2>/dev/null || true
	fi
	[ -z "$stopping" ] || status=0
	exit "$status"
}

# By pid files alone, so it also ends what a killed supervisor left.
stop_all()
{
	stop_service gateway
	stop_service relay
	stop_service redis
	stop_service kafka
	stop_service postgres
	env_forget_pids
}

stop_service()
{
	[ -e "$run/pid/$1" ] || [ -L "$run/pid/$1" ] || return 0
	case $1 in
		kafka) [ ! -d "$run/kafka" ] || "$scripts/kafka" stop "$run/kafka" ;;
		# fast shutdown: it ends its sessions
		postgres) pid_stop "$run/pid/postgres" INT 60 ;;
		*) pid_stop "$run/pid/$1" TERM 15 ;;
	esac || say "$1 did not end"
}
