#!/usr/bin/env bash
# shellcheck shell=bash
# Eight sessions send, answer, edit, delete, react, batch, join, leave, roll back
# and retry in a few conversations at once.  Afterwards: no hole, no double, every event in the
# slot and in ev order, and what was answered ok is there.
set -euo pipefail

fail() { echo "numbers_under_load: $*" >&2; exit 1; }
sql() { psql -X -At -v ON_ERROR_STOP=1 "$@"; }

sql -q -c 'CREATE EXTENSION chemchat' -f scripts/fixture.sql
sql -q <<-'SQL'
	CALL t.people();
	SELECT chemchat.create_conversation(t.id('alice'), 'group', NULL,
		ARRAY[t.id('bob'), t.id('carol')], t.id('c' || n)) FROM generate_series(1, 4) AS n;
	-- What another session has deleted meanwhile, or a message that is not there
	-- yet, is no failure.
	CREATE FUNCTION t.change(what int, c text, n bigint) RETURNS bigint LANGUAGE plpgsql AS $$
	BEGIN
		CASE what
		WHEN 1 THEN RETURN (SELECT ev FROM chemchat.edit_message(t.id('alice'), t.id(c), n, '@bob edited ' || random()));
		WHEN 2 THEN RETURN (SELECT ev FROM chemchat.delete_message(t.id('alice'), t.id(c), n));
		WHEN 3 THEN RETURN (SELECT ev FROM chemchat.react(t.id('bob'), t.id(c), n, '+1', random() < 0.6));
		ELSE RETURN (SELECT ev FROM chemchat.send_message(t.id('bob'), t.id(c), gen_random_uuid(), '@alice hm', n));
		END CASE;
	EXCEPTION WHEN SQLSTATE 'QC001' OR SQLSTATE 'QC002' OR SQLSTATE 'QC013' THEN
		RETURN NULL;
	END
	$$;
	CREATE TABLE t.acknowledged (id uuid, conversation_id uuid, seq bigint, ev bigint);
SQL
sql -q -c "SELECT pg_create_logical_replication_slot('load', 'chemchat')" > /dev/null
before=$(sql -c "SELECT count(*) FROM chemchat.change")

cat > out/numbers_under_load/single.sql <<-'END'
	\set c random(1, 4)
	\set k random(1, 2000)
	INSERT INTO t.acknowledged SELECT id, t.id('c' || :c), seq, ev
	  FROM chemchat.send_message(t.id('alice'), t.id('c' || :c), t.id('k' || :k), 'body ' || :k);
END
cat > out/numbers_under_load/batch.sql <<-'END'
	\set k random(1, 1000000)
	INSERT INTO t.acknowledged SELECT r.id, t.id('c' || 1 + (r.item - 1) % 4), r.seq, r.ev
	  FROM chemchat.send_messages(array_fill(t.id('bob'), ARRAY[12]),
		(SELECT array_agg(t.id('c' || 1 + n % 4) ORDER BY n) FROM generate_series(0, 11) AS n),
		(SELECT array_agg(t.id('b' || (:k + n) % 5000) ORDER BY n) FROM generate_series(0, 11) AS n),
		(SELECT array_agg('body ' || (:k + n) % 5000 ORDER BY n) FROM generate_series(0, 11) AS n)) AS r
	 WHERE r.code = 'ok';
END
cat > out/numbers_under_load/rollback.sql <<-'END'
	\set c random(1, 4)
	\set k random(1, 1000000)
	BEGIN;
	SELECT seq FROM chemchat.send_message(t.id('carol'), t.id('c' || :c), t.id('r' || :k), 'gone');
	SAVEPOINT a;
	SELECT seq FROM chemchat.send_message(t.id('carol'), t.id('c' || :c), t.id('s' || :k), 'gone');
	ROLLBACK TO a;
	SELECT seq FROM chemchat.send_message(t.id('carol'), t.id('c' || :c), t.id('t' || :k), 'gone');
	ROLLBACK;
END
cat > out/numbers_under_load/savepoint.sql <<-'END'
	\set c random(1, 4)
	\set k random(1, 1000000)
	BEGIN;
	SAVEPOINT a;
	SELECT seq FROM chemchat.send_message(t.id('carol'), t.id('c' || :c), t.id('u' || :k), 'gone');
	ROLLBACK TO a;
	INSERT INTO t.acknowledged SELECT id, t.id('c' || :c), seq, ev
	  FROM chemchat.send_message(t.id('carol'), t.id('c' || :c), t.id('v' || :k), 'kept');
	COMMIT;
END
cat > out/numbers_under_load/member.sql <<-'END'
	\set c random(1, 4)
	SELECT ev FROM chemchat.add_member(t.id('alice'), t.id('c' || :c), t.id('dave'));
	SELECT ev FROM chemchat.remove_member(t.id('dave'), t.id('c' || :c), t.id('dave'));
END
cat > out/numbers_under_load/change.sql <<-'END'
	\set c random(1, 4)
	\set n random(1, 400)
	\set what random(1, 20)
	SELECT t.change(CASE WHEN :what <= 8 THEN 1 WHEN :what = 9 THEN 2 WHEN :what <= 15 THEN 3 ELSE 4 END, 'c' || :c, :n);
END
cd out/numbers_under_load
# A member who leaves twice at once may find herself gone: not an error here.
pgbench -n -c 8 -j 2 -T 4 --random-seed="${CHEMCHAT_TEST_SEED:-$RANDOM}" \
	-f single.sql@5 -f batch.sql@3 -f rollback.sql@2 -f savepoint.sql@2 \
	-f member.sql@1 -f change.sql@5 > bench.log 2>&1 ||
	fail "pgbench: $(tail -5 bench.log)"
grep 'random seed' bench.log || true
grep -q 'number of failed transactions: 0 ' bench.log || fail "failed transactions: $(tail -20 bench.log)"

[ "$(sql -c "SELECT count(*) FROM t.hole")" = 0 ] || fail "numbers have holes: $(sql -c "SELECT * FROM t.hole")"
[ "$(sql -c "SELECT count(*) FROM chemchat.message WHERE body = 'gone'")" = 0 ] || fail "a rolled-back message is there"
lost=$(sql -c "SELECT count(*) FROM t.acknowledged AS a LEFT JOIN chemchat.message AS m
				USING (conversation_id, seq) WHERE m.id IS DISTINCT FROM a.id OR m.ev < a.ev")
[ "$lost" = 0 ] || fail "$lost acknowledged messages are not what was answered"
written=$(sql -c "SELECT count(*) - $before FROM chemchat.change")
[ "$written" -gt 500 ] || fail "only $written changes: this was no load"

sql -q -c "CREATE TABLE t.told AS SELECT row_number() OVER () AS n, * FROM t.events('load')"
told=$(sql -c "SELECT count(*) FROM t.told")
[ "$told" = "$written" ] || fail "$written changes, $told events"
disorder=$(sql -c "SELECT count(*) FROM (SELECT ev - lag(ev) OVER (PARTITION BY key ORDER BY n) AS step
					FROM (SELECT n, ev, event->>'conversationId' AS key FROM t.told) AS e) AS s WHERE step <> 1")
[ "$disorder" = 0 ] || fail "$disorder events out of ev order"
stray=$(sql -c "SELECT count(*) FROM t.told AS e LEFT JOIN chemchat.change AS ch
				  ON ch.conversation_id = (e.event->>'conversationId')::uuid AND ch.ev = e.ev
				WHERE ch.ev IS NULL")
[ "$stray" = 0 ] || fail "$stray events without a change"
# The last that was told of each is what it now is, and numbers what is there.
state=$(sql -c "SELECT count(*) FROM (
				 SELECT DISTINCT ON (event->>'conversationId', kind, coalesce(event->>'id', event->>'userId')) event::text AS event
				   FROM t.told ORDER BY event->>'conversationId', kind, coalesce(event->>'id', event->>'userId'), n DESC) AS last
				 FULL JOIN (SELECT event::text AS event FROM chemchat._entity
							 WHERE conversation_id IN (SELECT t.id('c' || n) FROM generate_series(1, 4) AS n)
							   AND (conversation_id, ev) IN (SELECT (event->>'conversationId')::uuid, ev FROM t.told)) AS now
				 USING (event) WHERE last IS NULL OR now IS NULL")
[ "$state" = 0 ] || fail "$state entities are not what was told last"
kinds=$(sql -c "SELECT count(DISTINCT kind) FROM chemchat.change WHERE kind IN ('m', 'e', 'r')")
[ "$kinds" = 3 ] || fail "the load had only $kinds kinds of change"
told_twice=$(sql -c "SELECT count(*) FROM chemchat.mention AS w JOIN chemchat.message AS m USING (conversation_id, seq)
					WHERE m.deleted_at IS NOT NULL OR NOT w.user_id = ANY (m.mentions)")
[ "$told_twice" = 0 ] || fail "$told_twice mentions of what is not there"
sql -q -c "SELECT pg_drop_replication_slot('load')" > /dev/null
echo "$written changes, $told events"
