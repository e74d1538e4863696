-- Everything again, as it now is: users first, then each conversation in ev
-- order, each entity once, marked as a replay.
CALL t.people();
SELECT count(*) FROM generate_series(1, 9) AS n,
	   chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k' || n), 'm' || n);
SELECT chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('bob')) IS NOT NULL AS removed;
SELECT chemchat.create_conversation(t.id('bob'), 'direct', NULL, ARRAY[t.id('carol')], t.id('tea')) IS NOT NULL AS made;
SELECT chemchat.create_conversation(t.id('bob'), 'channel', 'News', '{}', t.id('news')) IS NOT NULL AS made;
-- Of each kind, as it now is: edited, deleted, answered, reacted to and not any more.
SELECT ev FROM chemchat.edit_message(t.id('alice'), t.id('lab'), 2, 'm2, edited');
SELECT ev FROM chemchat.delete_message(t.id('alice'), t.id('lab'), 3);
SELECT ev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('answer'), 'to m2', 2);
SELECT ev FROM chemchat.react(t.id('alice'), t.id('lab'), 4, '🧪');
SELECT ev FROM chemchat.react(t.id('alice'), t.id('lab'), 4, '🔥');
SELECT ev FROM chemchat.react(t.id('alice'), t.id('lab'), 4, '🔥', false);
INSERT INTO chemchat.member_state (user_id, conversation_id, read_seq, cursor_rev, cursor_at, preference_rev, preference_at)
SELECT t.id(u), t.id(c), 1, n % 2, now(), n % 3, now()
  FROM (VALUES ('alice', 'lab', 1), ('bob', 'lab', 2), ('bob', 'tea', 5), ('carol', 'tea', 3)) AS s (u, c, n);
INSERT INTO chemchat.block SELECT t.id(u), t.id(b), u < b, 1, now()
  FROM unnest(ARRAY['alice', 'carol', 'carol'], ARRAY['bob', 'bob', 'dave']) AS s (u, b);
SELECT 'made' FROM pg_create_logical_replication_slot('again', 'chemchat');

CREATE PROCEDURE t.republish(size int, one_id uuid, OUT calls int, OUT events bigint, OUT last text)
LANGUAGE plpgsql AS $$
DECLARE
	at text;
	step record;
	before bigint := 0;
BEGIN
	calls := 0;
	events := 0;
	LOOP
		SELECT * INTO step FROM chemchat.republish(one_id, at, size);
		COMMIT;
		calls := calls + 1;
		events := events + step.events;
		ASSERT step.events <= size AND step.done >= before AND step.done <= step.total;
		ASSERT step.is_done = (step.cursor IS NULL);
		before := step.done;
		at := step.cursor;
		EXIT WHEN step.is_done;
	END LOOP;
	last := format('%s of %s', step.done, step.total);
END
$$;
CALL t.republish(1000, NULL, NULL, NULL, NULL);
CREATE TABLE told AS SELECT row_number() OVER () AS n, * FROM t.events('again');
SELECT kind, key, CASE kind WHEN 'message' THEN '' ELSE id END AS id, ev, seq, rev, replay
  FROM told WHERE key = 'lab' OR ev IS NULL ORDER BY ev NULLS FIRST, kind, key, id;
SELECT bool_and(replay) AS all_replayed, count(*) AS events,
	   count(*) FILTER (WHERE kind = 'user') = max(n) FILTER (WHERE kind = 'user') AS users_first,
	   count(*) FILTER (WHERE ev IS NULL) = max(n) FILTER (WHERE ev IS NULL) AS then_theirs
  FROM told;
SELECT count(*) AS out_of_order FROM told AS a JOIN told AS b ON a.key = b.key AND a.n < b.n AND a.ev >= b.ev;
-- As it is, and all of it.
SELECT count(*) AS differences FROM (
	(SELECT event::text FROM told WHERE ev IS NOT NULL EXCEPT SELECT event::text FROM chemchat._entity)
	UNION ALL
	(SELECT event::text FROM chemchat._entity EXCEPT SELECT event::text FROM told)) AS d;
SELECT count(*) AS differences FROM (
	(SELECT event::text FROM told WHERE kind = 'cursor' EXCEPT
	 SELECT chemchat._cursor_json(s)::text FROM chemchat.member_state AS s WHERE cursor_rev > 0)
	UNION ALL
	(SELECT chemchat._cursor_json(s)::text FROM chemchat.member_state AS s WHERE cursor_rev > 0 EXCEPT
	 SELECT event::text FROM told)
	UNION ALL
	(SELECT chemchat._preference_json(s)::text FROM chemchat.member_state AS s WHERE preference_rev > 0 EXCEPT
	 SELECT event::text FROM told)
	UNION ALL
	(SELECT chemchat._block_json(b)::text FROM chemchat.block AS b EXCEPT SELECT event::text FROM told)) AS d;

-- In pieces of any size it is the same.
CREATE TABLE round (size int, events bigint, differences bigint);
CREATE PROCEDURE t.rounds() LANGUAGE plpgsql AS $$
DECLARE
	calls int;
	events bigint;
	last text;
BEGIN
	FOR size IN 1 .. 32 LOOP
		CALL t.republish(size, NULL, calls, events, last);
		CREATE TEMP TABLE piece AS SELECT row_number() OVER () AS n, e.* FROM t.events('again') AS e;
		INSERT INTO round SELECT size, events, count(*) FROM (
			(SELECT p.event::text FROM piece AS p EXCEPT SELECT t.event::text FROM told AS t)
			UNION ALL
			(SELECT t.event::text FROM told AS t EXCEPT SELECT p.event::text FROM piece AS p)
			UNION ALL
			SELECT a.key FROM piece AS a JOIN piece AS b ON a.key = b.key AND a.n < b.n AND a.ev >= b.ev) AS d;
		DROP TABLE piece;
		COMMIT;
	END LOOP;
END
$$;
CALL t.rounds();
SELECT count(*) AS rounds, count(DISTINCT events) AS sizes_of_answer, sum(differences) AS differences FROM round;

-- One conversation alone.
CALL t.republish(3, t.id('lab'), NULL, NULL, NULL);
SELECT count(*) AS events, count(*) FILTER (WHERE key = 'lab') AS of_lab FROM t.events('again');
-- What happens between two calls comes with the rest, or by itself.
SELECT events, is_done, done, total FROM chemchat.republish(t.id('lab'), NULL, 5);
SELECT seq, ev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k10'), 'between');
SELECT events, is_done, done, total FROM chemchat.republish(t.id('lab'), format('c/%s/%s/0/1', t.id('lab'), 8), 50);
SELECT ev, replay, coalesce(event->>'body', event->>'emoji', event->>'title', event->>'state',
	   CASE WHEN event->>'deletedAt' IS NOT NULL THEN 'deleted' END) AS of FROM t.events('again');
-- Also who has the lowest id there is.
SELECT id FROM chemchat.create_user('nil', NULL, '00000000-0000-0000-0000-000000000000');
SELECT count(*) AS emitted FROM t.events('again') WHERE kind = 'user';
SELECT events > 0 AS some FROM chemchat.republish();
SELECT count(*) = (SELECT count(*) FROM chemchat.app_user) AS all_users FROM t.events('again') WHERE kind = 'user';
-- It changes no row and takes no number.
SELECT * FROM t.hole;
SELECT 'dropped' FROM pg_drop_replication_slot('again');
-- Nothing there: done at once.
DELETE FROM chemchat.direct;
DELETE FROM chemchat.block;
DELETE FROM chemchat.member_state;
DELETE FROM chemchat.member;
DELETE FROM chemchat.conversation;
DELETE FROM chemchat.app_user;
SELECT * FROM chemchat.republish();
