# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# layout.sh - where an instance keeps its things; sourced by scripts/run
#
#   $run/env                what scripts source; rewritten when a process changes
#   $run/ports              NAME=PORT, chosen once, so that links stay valid
#   $run/secret/            0700: the token key, the given servers' passwords
#   $run/log/NAME.log       one per process
#   $run/pid/NAME           "PID STARTTIME"
#   $run/stopped/NAME       exists: stopped by hand, leave it alone
#   $run/state/             what a later command must know of this start
#   $run/kafka, $run/redis  their data
#   $place/postgres         the cluster;  $place/stage  PostgreSQL's binaries
#
# $place is $run itself, unless PostgreSQL has to run as another user who
# cannot reach that: then it is a folder in the temporary one.

services=(postgres kafka redis relay gateway)

layout_init()
{
	root=$(cd "$scripts/.." && pwd -P)
	run=${CHEMCHAT_RUN_DIR:-$root/build/run}
	mkdir -p "$run"
	run=$(cd "$run" && pwd -P)
	bin=${CHEMCHAT_BIN_DIR:-$root/build/release/bin}
	[ ! -r "$run/state/place" ] || place=$(<"$run/state/place")
}

# The folders, and the choice of $place; once per start.
layout_make()
{
	mkdir -p "$run"/{log,pid,stopped,state,redis}
	mkdir -p "$run/secret"
	chmod 700 "$run/secret"
	pg_user=$(id -un)
	# every word of it execs the next, so that a pid stays the command's
	as_pg=(env)
	if [ "$(id -u)" = 0 ]; then
		pg_user=postgres
		id postgres >/dev/null 2>&1 || pg_user=nobody
		as_pg=(setpriv --reuid "$pg_user" --regid "$(id -g "$pg_user")"
			--init-groups env HOME=/)
	fi
	if [ ! -d "${place:-/nonexistent}" ]; then
		place=$run
		if ! as_pg_user test -x "$run"; then
			place=$(mktemp -d "${TMPDIR:-/var/tmp}/chemchat.XXXXXX")
			chmod 711 "$place"
			as_pg_user test -x "$place" ||
				die "user $pg_user can reach neither $run nor $place"
		fi
		echo "$place" | write_file "$run/state/place"
	fi
	[ "$place" = "$run" ] ||
		say "user $pg_user cannot reach $run: the database's data is in $place"
	sockets_make
}

# A socket's path has room for 107 bytes, and PostgreSQL reads it as a list,
# so a long or odd $place needs a plain folder elsewhere; one that a reboot
# removed is made again.
sockets_make()
{
	sockets=''
	[ ! -r "$run/state/sockets" ] || sockets=$(<"$run/state/sockets")
	if [ -z "$sockets" ] || ! own_folder "$sockets"; then
		sockets=$place/sockets
		if [[ ${#sockets} -le 80 && $sockets =~ ^[A-Za-z0-9_./-]+$ ]]; then
			mkdir -p "$sockets"
		else
			sockets=$(mktemp -d /tmp/chemchat.XXXXXX)
		fi
		chown "$pg_user" "$sockets"
		chmod 700 "$sockets"
		echo "$sockets" | write_file "$run/state/sockets"
	fi
}

own_folder()
{
	[ -d "$1" ] && [ ! -L "$1" ] && [ "$(stat -c %U "$1")" = "$pg_user" ]
}

# as_pg_user COMMAND... - as the user PostgreSQL runs as
as_pg_user()
{
	"${as_pg[@]}" "$@"
}

# port_of NAME - the kept one, or a new one when somebody else took that
port_of()
{
	local port
	touch "$run/ports"
	port=$(sed -n "s/^$1=//p" "$run/ports")
	if [ -n "$port" ] && ! pid_find "$run/pid/${1%_ops}" &&
		port_answers "$port"; then
		say "port $port of $1 is taken by another process: choosing a new one"
		port=''
	fi
	if [ -z "$port" ]; then
		port=$(free_port 20000 32000)
		{
			sed "/^$1=/d" "$run/ports"
			echo "$1=$port"
		} | write_file "$run/ports"
	fi
	echo "$port"
}

# url_encode TEXT - percent-encodes all but unreserved characters
url_encode()
{
	perl -e '$_ = shift; s/([^A-Za-z0-9_.~-])/sprintf "%%%02X", ord $1/ge;
		print' "$1"
}

url_decode()
{
	perl -e '$_ = shift; s/%([0-9A-Fa-f]{2})/chr hex $1/ge; print' "$1"
}

# http_get PORT PATH - "STATUS BODY-FIRST-LINE" of a loopback port, 2 s
http_get()
{
	perl -MIO::Socket::INET -e '
		my ($port, $path) = @ARGV;
		alarm 2;
		my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
			PeerPort => $port, Timeout => 2) or exit 1;
		print $s "GET $path HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n" .
			"Connection: close\r\n\r\n";
		local $/;
		my $answer = <$s> // "";
		$answer =~ m{^HTTP/1\.[01] (\d+)} or exit 1;
		my $status = $1;
		my ($body) = $answer =~ /\r?\n\r?\n([^\n]*)/;
		print "$status ", $body // "", "\n";' "$1" "$2" 2>/dev/null
}

# spawn NAME COMMAND... - starts a process in a session of its own (Ctrl-C in
# the terminal is not for it), with its log and its pid file.  One that cannot
# be written down (a full disk) is ended: nobody would know of it.
spawn()
{
	local name=$1 pid
	shift
	setsid "$@" >>"$run/log/$name.log" 2>&1 </dev/null 6>&- 7>&- &
	pid=$!
	pid_write "$run/pid/$name" "$pid" || {
		kill -s KILL "$pid" 2>/dev/null
		return 1
	}
}
