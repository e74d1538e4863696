-- What a gateway that heard nothing reads since a mark: each user's own rows,
-- what the members of small conversations see of each other, invitations.
CALL t.people();
CREATE FUNCTION t.states(since text, users text[], conversations text[], members_max int DEFAULT 200)
RETURNS TABLE (target "char", name text, kind "char", key text, id text, rev bigint, same boolean)
LANGUAGE sql STABLE AS $$
	SELECT s.target, t.name(s.target_id), s.kind, t.name(s.key), t.name(s.id), s.rev & ((1::bigint << 40) - 1),
		   s.event IS NULL OR (s.event->>'rev')::bigint = s.rev
	  FROM chemchat.live_states((SELECT coalesce(array_agg(t.id(u)), '{}') FROM unnest(users) AS u),
			(SELECT coalesce(array_agg(t.id(c)), '{}') FROM unnest(conversations) AS c), since, NULL, members_max) AS s
	 ORDER BY 1, 2, 3, 4, 5
$$;
-- A mark is exact when no transaction is open; the server's own come and go.
CREATE PROCEDURE t.alone() LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		COMMIT;
		EXIT WHEN (SELECT pg_snapshot_xmin(s) = pg_snapshot_xmax(s) FROM pg_current_snapshot() AS s);
		PERFORM pg_sleep(0.01);
	END LOOP;
END
$$;
-- Without a mark: everything there is.
SELECT * FROM t.states(NULL, '{alice,bob}', '{lab}');
CALL t.alone();
SELECT mark AS before FROM chemchat.live_mark() \gset
SELECT * FROM t.states(:'before', '{alice,bob}', '{lab}');

-- A cursor, a preference, a block, a profile, an invitation.
INSERT INTO chemchat.member_state (user_id, conversation_id, read_seq, cursor_rev, cursor_at)
VALUES (t.id('bob'), t.id('lab'), 1, 1, now());
INSERT INTO chemchat.member_state (user_id, conversation_id, is_muted, preference_rev, preference_at)
VALUES (t.id('alice'), t.id('lab'), true, 1, now());
INSERT INTO chemchat.block (user_id, blocked_id, is_on, rev, changed_at)
VALUES (t.id('alice'), t.id('dave'), true, 1, now());
UPDATE chemchat.app_user SET display_name = 'Bob', rev = rev + 1, changed_at = now() WHERE id = t.id('bob');
INSERT INTO chemchat.member (conversation_id, user_id, role, state, ev, rev, changed_by, changed_at)
VALUES (t.id('lab'), t.id('carol'), 'member', 'invited', 99, 1, t.id('alice'), now());
SELECT * FROM t.states(:'before', '{alice,bob,carol,dave}', '{lab}');
-- Of a large conversation nobody is told what others read; an invited one has no seat in it.
SELECT * FROM t.states(:'before', '{}', '{lab}', 1);
SELECT * FROM t.states(:'before', '{}', '{lab}', 2);

-- By channel: the user's for what is hers, the conversation's for an invitation; together everything.
SELECT count(*) AS rows, count(DISTINCT (s.target, s.target_id, s.kind, s.key, s.id)) AS different
  FROM generate_series(0, 63) AS channel,
	   chemchat.live_states(ARRAY[t.id('alice'), t.id('bob'), t.id('carol'), t.id('dave')], ARRAY[t.id('lab')],
							:'before', channel) AS s;
SELECT s.target, t.name(s.target_id) AS name, s.kind
  FROM chemchat.live_states(ARRAY[t.id('bob'), t.id('carol')], ARRAY[t.id('lab')], :'before',
							chemchat._live_channel(t.id('bob'))) AS s
 ORDER BY 1, 2, 3;
SELECT s.target, t.name(s.target_id) AS name, s.kind
  FROM chemchat.live_states(ARRAY[t.id('carol')], '{}', :'before', chemchat._live_channel(t.id('lab'))) AS s;

-- A later mark: nothing again.  A mark of another history: everything.
CALL t.alone();
SELECT mark AS after FROM chemchat.live_mark() \gset
SELECT count(*) FROM t.states(:'after', '{alice,bob,carol,dave}', '{lab}');
SELECT count(*) FROM t.states('1' || :'after', '{alice,bob,carol,dave}', '{lab}');
-- A mark is as good after a billion transactions as the rows are old: what was frozen is not new.
VACUUM FREEZE chemchat.app_user, chemchat.member_state, chemchat.block, chemchat.member;
SELECT count(*) FROM t.states(:'after', '{alice,bob,carol,dave}', '{lab}');

-- Who is to be told of alice, and which conversations are small.
SELECT t.name(user_id) AS name, t.name(conversation_id) AS conversation
  FROM chemchat.live_audience(ARRAY[t.id('alice'), t.id('carol')], ARRAY[t.id('lab'), t.id('attic')], 2);
SELECT count(*) FROM chemchat.live_audience(ARRAY[t.id('alice')], ARRAY[t.id('lab')], 1);
SELECT lsn >= pg_current_wal_flush_lsn() AS is_later FROM chemchat.live_mark();
