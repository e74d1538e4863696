#!/usr/bin/env bash
# A standby answers reads and says `behind` where it is; promoted, it still
# knows the positions that clients saw before, and says reset only to those
# that saw what never came to be.  Its first write begins a new epoch.
set -euo pipefail

home=$PWD/out/switchover_resets_nobody
old=$home/old
new=$home/new
fail() { echo "switchover_resets_nobody: $*" >&2; exit 1; }
on() { PGHOST=$1/socket psql -X -At -v ON_ERROR_STOP=1 -d chat "${@:2}"; }
# waits up to 30 s until a query answers t
await() {
	for _ in $(seq 300); do
		[ "$(on "$1" -c "$2" 2>/dev/null)" = t ] && return
		sleep 0.1
	done
	fail "never came: $2"
}
# start NAME - a server in its folder, with a socket of its own
start() {
	mkdir -p "$1/socket"
	sed -i '/^unix_socket_directories/d' "$1/data/postgresql.conf"
	echo "unix_socket_directories = '$1/socket'" >> "$1/data/postgresql.conf"
	pg_ctl -D "$1/data" -l "$1/log" -w start > /dev/null
}
stop_both() {
	pg_ctl -D "$old/data" -m immediate stop > /dev/null 2>&1 || true
	pg_ctl -D "$new/data" -m immediate stop > /dev/null 2>&1 || true
}
trap stop_both EXIT

mkdir -p "$old" "$new"
initdb -D "$old/data" -U "$PGUSER" -A trust -E UTF8 --locale=C.UTF-8 --no-sync > "$home/initdb.log"
grep -v '^#' server/postgresql.conf > "$old/data/postgresql.conf"
start "$old"
PGHOST=$old/socket createdb chat
on "$old" -q -c 'CREATE EXTENSION chemchat' -f scripts/fixture.sql -c 'CALL t.people()'
PGHOST=$old/socket pg_basebackup -D "$new/data" -R --checkpoint=fast --no-sync > "$home/backup.log" 2>&1
start "$new"

send() { on "$1" -c "SELECT ev, rev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('$2'), 'x')"; }
position() { on "$1" -c "SELECT system_id || ':' || timeline || ':' || lsn FROM chemchat.position()"; }
status() {
	on "$1" -c "SELECT chemchat.position_status(p[1], p[2]::int, p[3]::pg_lsn)
				  FROM regexp_match('$2', '^(\d+):(\d+):(.*)\$') AS p"
}
changes() { on "$1" -c "SELECT status, upto, head FROM chemchat.changes_since(t.id('bob'), t.id('lab'), $2, $3)"; }

[ "$(send "$old" a)" = '4|1' ] || fail "the first send"
seen=$(position "$old")
await "$new" "SELECT lsn >= '${seen##*:}' FROM chemchat.position()"

# The standby reads, is behind where it is, and says reset to nobody.
[ "$(changes "$new" 0 4)" = 'ok|4|4' ] || fail "the standby reads: $(changes "$new" 0 4)"
[ "$(on "$new" -c "SELECT count(*) FROM chemchat.heads(t.id('bob'))")" = 1 ] || fail "heads"
[ "$(on "$new" -c "SELECT count(*) FROM chemchat.history(t.id('bob'), t.id('lab'))")" = 1 ] || fail "history"
[ "$(on "$new" -c "SELECT count(*) FROM chemchat.live_heads(ARRAY[t.id('bob')])")" = 1 ] || fail "live_heads"
[ "$(changes "$new" 0 5)" = 'behind|0|4' ] || fail "behind by at_least"
[ "$(changes "$new" 9 0)" = 'behind|4|4' ] || fail "behind by after_ev: $(changes "$new" 9 0)"
[ "$(status "$new" "$seen")" = same ] || fail "a position it has replayed"
[ "$(status "$new" "${seen%:*}:FFFF/0")" = same ] || fail "a position it cannot know"
[ "$(status "$new" "1:${seen#*:}")" = reset ] || fail "another system"
refusal=$(send "$new" b 2>&1 || true)
[[ $refusal == *'read-only transaction'* || $refusal == *'during recovery'* ]] || fail "a send to the standby: $refusal"

# A clean switchover: the old one ends, and what it had is on the new one.
[ "$(send "$old" b)" = '5|1' ] || fail "the second send"
last=$(position "$old")
pg_ctl -D "$old/data" -m fast -w stop > /dev/null
pg_ctl -D "$new/data" -w promote > /dev/null
await "$new" 'SELECT NOT pg_is_in_recovery()'
[ "$(status "$new" "$seen")" = same ] || fail "a position of long before: $(status "$new" "$seen")"
[ "$(status "$new" "$last")" = same ] || fail "the last position of the old server: $(status "$new" "$last")"
[ "$(status "$new" "${last%:*}:FFFF/0")" = reset ] || fail "a position that never came to be"
[ "$(position "$new" | cut -d: -f1)" = "${seen%%:*}" ] || fail "the system id"
[ "$(position "$new" | cut -d: -f2)" = 2 ] || fail "the timeline: $(position "$new")"
[ "$(status "$new" "$(position "$new")")" = same ] || fail "its own position"

# The primary it now is says reset, numbers go on, revs are above all before.
[ "$(changes "$new" 9 0)" = 'reset|5|5' ] || fail "reset: $(changes "$new" 9 0)"
[ "$(send "$new" b)" = '5|1' ] || fail "a retry across the switchover"
[ "$(send "$new" c)" = "6|$((1 << 40))" ] || fail "the first send on the new server"
[ "$(on "$new" -c 'SELECT count(*) FROM t.hole')" = 0 ] || fail "holes"

# It stands back and is promoted once more, while timeline 3 was another
# server's: what was seen there is no part of this history.
here=$(position "$new")
pg_ctl -D "$new/data" -m fast -w stop > /dev/null
printf '2\t%s\tanother server\n' "${here##*:}" > "$new/data/pg_wal/00000003.history"
echo "recovery_target_timeline = 'current'" >> "$new/data/postgresql.conf"
touch "$new/data/standby.signal"
start "$new"
pg_ctl -D "$new/data" -w promote > /dev/null
await "$new" 'SELECT NOT pg_is_in_recovery()'
[ "$(position "$new" | cut -d: -f2)" = 4 ] || fail "the next timeline: $(position "$new")"
for known in "$seen" "$last" "$here"; do
	[ "$(status "$new" "$known")" = same ] || fail "a position of two switchovers ago: $known"
done
[ "$(status "$new" "${here%%:*}:3:${here##*:}")" = reset ] || fail "a position on another server's timeline"
echo "nobody was reset"
