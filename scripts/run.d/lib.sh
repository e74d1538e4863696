# shellcheck shell=bash
# lib.sh - what the scripts that start processes share; sourced, never run.
#
# A process is known by a pid file "PID STARTTIME".  The start time (field 22
# of /proc/PID/stat) is compared before anything is believed or signalled, so
# a number that the kernel gave to somebody else is never touched.
#
# Every wait has a deadline; what misses it ends with the tail of its log.

# die MESSAGE... - ends the script; the message is for a person
die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# say MESSAGE... - progress, on stderr, so that stdout stays for answers
say()
{
	printf '%s\n' "$*" >&2
}

# start_time PID - REPLY is when it began, in clock ticks since boot; false
# when there is no such process or only its zombie.  Forks nothing.
start_time()
{
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	# the name may hold blanks and brackets: cut after the last bracket
	read -ra stat <<<"${stat##*) }"
	[ "${stat[0]}" != Z ] || return 1
	REPLY=${stat[19]}
}

# write_file FILE - standard input becomes FILE, whole or not at all
write_file()
{
	if cat >"$1.new.$$" && mv -f "$1.new.$$" "$1"; then
		return
	fi
	rm -f "$1.new.$$"
	return 1
}

# pid_write FILE PID
pid_write()
{
	start_time "$2" || return 1
	echo "$2 $REPLY" | write_file "$1"
}

# pid_find FILE - REPLY is the pid when that very process is alive
pid_find()
{
	local pid began
	{ read -r pid began <"$1"; } 2>/dev/null || return 1
	start_time "$pid" && [ "$REPLY" = "$began" ] || return 1
	REPLY=$pid
}

# pid_read FILE - prints what pid_find finds
pid_read()
{
	pid_find "$1" && echo "$REPLY"
}

# pid_stop FILE SIGNAL SECONDS - SIGNAL, and SIGKILL after SECONDS
pid_stop()
{
	local pid
	if pid=$(pid_read "$1"); then
		kill -s "$2" "$pid" 2>/dev/null || true
		if ! wait_for "$3" pid_is_gone "$1"; then
			say "${0##*/}: process $pid did not end within $3 s: killed"
			kill -s KILL "$pid" 2>/dev/null || true
			wait_for 5 pid_is_gone "$1" || return 1
		fi
	fi
	rm -f "$1"
}

pid_is_gone()
{
	! pid_find "$1"
}

# now_ms - REPLY is a clock that only grows
now_ms()
{
	local up
	read -r up _ </proc/uptime
	REPLY=$((10#${up/./}0))
}

# wait_for SECONDS COMMAND... - until COMMAND is true; false at the deadline
wait_for()
{
	local deadline
	now_ms
	deadline=$((REPLY + $1 * 1000))
	shift
	until "$@"; do
		now_ms
		[ "$REPLY" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# show_tail FILE [LINES] - the end of a log, indented
show_tail()
{
	[ -s "$1" ] || return 0
	say "--- the end of $1"
	tail -n "${2:-15}" "$1" | sed 's/^/    /' >&2
}

# log_turn FILE - a log that has grown long becomes FILE.1
log_turn()
{
	[ ! -f "$1" ] || [ "$(stat -c %s "$1")" -lt 16777216 ] || mv -f "$1" "$1.1"
}

# free_port LOW HIGH - a port of the loopback interface on which nobody
# listens, outside the kernel's range for outgoing connections, so that it
# can be kept over restarts
free_port()
{
	perl -MIO::Socket::INET -e '
		my ($low, $high) = @ARGV;
		for (1 .. 500) {
			my $port = $low + int(rand($high - $low));
			my $socket = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
				LocalPort => $port, Listen => 1) or next;
			print "$port\n";
			exit 0;
		}
		exit 1;' "$1" "$2" || die "no free port"
}

# port_answers PORT
port_answers()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# cache_dir - where downloads are kept
cache_dir()
{
	if [ -n "${CHEMCHAT_CACHE_DIR:-}" ]; then
		echo "$CHEMCHAT_CACHE_DIR"
	elif [ "$(id -u)" = 0 ]; then
		# readable by the unprivileged users that tests run as
		echo /var/cache/chemchat
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/chemchat"
	fi
}
