#!/usr/bin/env bash
# shellcheck shell=bash
# A plain pg_dump, restored into an empty server: every row is there, in a new
# epoch, and no event was written by it.
set -euo pipefail

other=$PWD/out/dump_restore/other
fail() { echo "dump_restore: $*" >&2; exit 1; }
here() { psql -X -At -v ON_ERROR_STOP=1 "$@"; }
there() { PGHOST=$other/socket PGDATABASE=restored here "$@"; }

# The same for both servers: every row of every table, as text, as one hash.
checksum=$(cat <<-'END'
	SELECT relation, count(*), md5(string_agg(line, chr(10) ORDER BY line))
	  FROM (SELECT 'app_user' AS relation, r::text AS line FROM chemchat.app_user AS r
			UNION ALL SELECT 'conversation', r::text FROM chemchat.conversation AS r
			UNION ALL SELECT 'member', r::text FROM chemchat.member AS r
			UNION ALL SELECT 'member_state', r::text FROM chemchat.member_state AS r
			UNION ALL SELECT 'message', r::text FROM chemchat.message AS r
			UNION ALL SELECT 'message_revision', r::text FROM chemchat.message_revision AS r
			UNION ALL SELECT 'reaction', r::text FROM chemchat.reaction AS r
			UNION ALL SELECT 'mention', r::text FROM chemchat.mention AS r
			UNION ALL SELECT 'block', r::text FROM chemchat.block AS r
			UNION ALL SELECT 'direct', r::text FROM chemchat.direct AS r
			UNION ALL SELECT 'account', r::text FROM chemchat.account AS r
			UNION ALL SELECT 'session_revocation', r::text FROM chemchat.session_revocation AS r
			UNION ALL SELECT 'bot_token', r::text FROM chemchat.bot_token AS r
			UNION ALL SELECT 'login_role', r::text FROM chemchat.login_role AS r
			UNION ALL SELECT 'change', r::text FROM chemchat.change AS r
			UNION ALL SELECT 'epoch', r::text FROM chemchat.epoch AS r
			UNION ALL SELECT 'permission', r::text FROM chemchat.permission AS r
			UNION ALL SELECT 'stream', r::text FROM chemchat.stream AS r) AS rows
	 GROUP BY relation ORDER BY relation
END
)

here -q -c 'CREATE EXTENSION chemchat' -f scripts/fixture.sql
here -q <<-'END'
	CALL t.people();
	SELECT count(*) FROM generate_series(1, 200) AS n,
		   chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k' || n), E'line\n\\. tab\t' || n || '😀');
	SELECT chemchat.send_message(t.id('bob'), t.id('lab'), t.id('large'), repeat('x', 16384));
	SELECT chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('bob'));
	SELECT chemchat.create_conversation(t.id('carol'), 'direct', NULL, ARRAY[t.id('dave')], t.id('tea'));
	INSERT INTO chemchat.member_state (user_id, conversation_id, read_seq, cursor_rev, is_muted, preference_rev)
	VALUES (t.id('alice'), t.id('lab'), 7, 7, true, 3);
	INSERT INTO chemchat.message_revision VALUES (t.id('lab'), 1, 1, 'before', now());
	INSERT INTO chemchat.reaction VALUES (t.id('r'), t.id('lab'), 1, t.id('bob'), '🧪', true, 300, 1, now());
	INSERT INTO chemchat.mention VALUES (t.id('bob'), t.id('lab'), 1, now());
	INSERT INTO chemchat.block VALUES (t.id('carol'), t.id('dave'), true, 1, now());
	INSERT INTO chemchat.direct SELECT least(a, b), greatest(a, b), t.id('tea')
	  FROM (SELECT t.id('carol') AS a, t.id('dave') AS b) AS pair ON CONFLICT DO NOTHING;
	INSERT INTO chemchat.account VALUES (t.id('alice'), 'hash', true, now());
	INSERT INTO chemchat.session_revocation VALUES (t.id('j'), t.id('alice'), now(), now());
	INSERT INTO chemchat.bot_token VALUES (t.id('t'), t.id('bob'), sha256('t'), '{read}', t.id('alice'), now());
	INSERT INTO chemchat.login_role VALUES ('somebody', t.id('dave'));
	SELECT chemchat.report_stream(chemchat.slot_name(), '1', 1, 1, '{}', '0/0', 5, NULL, true);
END
here -c "$checksum" > out/dump_restore/before
pg_dump > out/dump_restore/dump.sql

# An empty server with none of our roles.
mkdir -p "$other/socket"
initdb -D "$other/data" -U "$PGUSER" -A trust -E UTF8 --locale=C.UTF-8 --no-sync > "$other/initdb.log"
grep -v unix_socket_directories server/postgresql.conf | grep -v '^#' > "$other/data/postgresql.conf"
echo "unix_socket_directories = '$other/socket'" >> "$other/data/postgresql.conf"
trap 'pg_ctl -D "$other/data" -m immediate stop > /dev/null' EXIT
pg_ctl -D "$other/data" -l "$other/log" -w start > /dev/null
PGHOST=$other/socket createdb restored
there -q -c "SELECT pg_create_logical_replication_slot('listens', 'test_decoding')" > /dev/null
there -q -f out/dump_restore/dump.sql > /dev/null

there -c "$checksum" > out/dump_restore/after
diff out/dump_restore/before out/dump_restore/after || fail "rows differ"
[ "$(wc -l < out/dump_restore/after)" = 18 ] || fail "a table came back empty"

told=$(there -c "SELECT count(*) FROM pg_logical_slot_get_changes('listens', NULL, NULL)
				  WHERE data LIKE 'message:%'")
[ "$told" = 0 ] || fail "the restore wrote $told events"

# The wall stands there too.
[ "$(there -c "SELECT count(*) FROM pg_class AS c
				WHERE relnamespace = 'chemchat'::regnamespace AND relkind = 'r'
				  AND relowner <> 'chemchat_owner'::regrole")" = 0 ] || fail "a table is not the owner's"
there -c "SET ROLE chemchat_gateway" -c "SELECT seq FROM chemchat.history('$(there -c "SELECT t.id('alice')")', '$(there -c "SELECT t.id('lab')")') LIMIT 1" |
	grep -x 201 > /dev/null || fail "the gateway's role cannot read history"
forged=$(there -c "SET ROLE chemchat_gateway" -c "SELECT pg_logical_emit_message(true, 'chemchat', 'x')" 2>&1 || true)
[[ $forged == *'permission denied'* ]] || fail "an event can be forged after the restore: $forged"

# Retries find their originals; new writes go on, in a new epoch.
there -c "SELECT seq, is_duplicate FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k7'), E'line\n\\\\. tab\t7😀')" |
	grep -x '7|t' > /dev/null || fail "a retry of before the dump made a new message"
there -c "SELECT seq, ev, rev = 1::bigint << 40 FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('new'), 'new')" |
	grep -x '202|206|t' > /dev/null || fail "the first write after the restore is not what it should be"
[ "$(there -c "SELECT string_agg(no::text, ' ' ORDER BY no) FROM chemchat.epoch")" = '0 1' ] || fail "no new epoch"
[ "$(there -c "SELECT count(*) FROM t.hole")" = 0 ] || fail "numbers have holes"
told=$(there -c "SELECT count(*) FROM pg_logical_slot_get_changes('listens', NULL, NULL)
				  WHERE data LIKE 'message:%prefix: chemchat%'")
[ "$told" = 1 ] || fail "one new message, $told events"

# Beside the original, on the same server, it is another history too.
createdb beside
PGDATABASE=beside here -q -f out/dump_restore/dump.sql > /dev/null
[ "$(PGDATABASE=beside here -c "SELECT rev >> 40 FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('new'), 'new')")" = 1 ] ||
	fail "a copy on the same server goes on in the original's epoch"
[ "$(here -c "SELECT rev >> 40 FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('new'), 'new')")" = 0 ] ||
	fail "the original began a new epoch"
# The original's slot is none of the copy's, which awaits a relay of its own.
[ "$(PGDATABASE=beside here -c "SELECT slot = chemchat.slot_name(), state FROM chemchat.outbox_status()")" = 't|missing' ] ||
	fail "outbox_status() of a copy tells of the original's slot"
[ "$(PGDATABASE=beside here -c "SELECT subject FROM chemchat.doctor() WHERE subject ~ '^slot'")" = slots ] ||
	fail "doctor() of a copy tells of the original's slot"
echo "every row restored"
