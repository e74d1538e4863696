-- A cursor only advances, up to the last message; its rev grows with it; each
-- advance is one event, anything else none.  heads() counts what is unread.
CALL t.people();
SELECT count(s.seq) FROM generate_series(1, 5) AS n,
	   LATERAL chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k' || n), CASE n WHEN 5 THEN 'hi @bob' ELSE '@bob, @all' END) AS s;
SELECT pg_create_logical_replication_slot('s', 'chemchat') IS NOT NULL AS made;
SELECT seq, read_seq, delivered_seq, mentions, is_muted, notify FROM chemchat.heads(t.id('bob'));
SELECT * FROM chemchat.mark(t.id('bob'), t.id('lab'), NULL, 4);
SELECT * FROM chemchat.mark(t.id('bob'), t.id('lab'), 2);
SELECT * FROM chemchat.mark(t.id('bob'), t.id('lab'), 2, 3);
SELECT * FROM chemchat.mark(t.id('bob'), t.id('lab'), 1, 1);
SELECT * FROM chemchat.mark(t.id('bob'), t.id('lab'), 0, NULL);
SELECT * FROM chemchat.mark(t.id('alice'), t.id('lab'), 0);
SELECT seq, read_seq, delivered_seq, mentions FROM chemchat.heads(t.id('bob'));
SELECT * FROM chemchat.mark(t.id('bob'), t.id('lab'), 5);
SELECT seq, read_seq, delivered_seq, mentions FROM chemchat.heads(t.id('bob'));
SELECT u.c, r.* FROM (VALUES (1, '6'), (2, '-1'), (3, 'NULL'), (4, '2, 6'), (5, '2, -1'), (6, 'NULL, NULL'), (7, '9223372036854775807')) AS u (n, c),
	   t.refusal(format('SELECT chemchat.mark(t.id(''bob''), t.id(''lab''), %s)', c)) AS r ORDER BY n;
SELECT state, message FROM t.refusal($$ SELECT chemchat.mark(t.id('carol'), t.id('lab'), 1) $$);
SELECT state, message FROM t.refusal($$ SELECT chemchat.mark(t.id('carol'), t.id('attic'), 1) $$);
SELECT kind, key, id, ev, seq, rev, event->>'readSeq' AS read, event->>'deliveredSeq' AS delivered FROM t.events('s');

-- A batch: each item its answer, one event per cursor.
SELECT ev FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'));
SELECT count(*) FROM t.events('s');
SELECT * FROM chemchat.marks(
	ARRAY[t.id('alice'), t.id('carol'), t.id('alice'), t.id('dave'), t.id('carol'), NULL, t.id('bob'), t.id('carol'), t.id('bob')],
	ARRAY[t.id('lab'), t.id('lab'), t.id('lab'), t.id('lab'), t.id('lab'), t.id('lab'), NULL, t.id('attic'), t.id('lab')],
	ARRAY[3, 1, 4, 1, 6, 1, 1, 1, 3], ARRAY[NULL, 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL]::bigint[]);
SELECT kind, key, rev, event->>'readSeq' AS read, event->>'deliveredSeq' AS delivered FROM t.events('s') ORDER BY key;
SELECT count(*) FROM chemchat.marks('{}', '{}', '{}', '{}');
SELECT u.c, r.* FROM (VALUES (1, '''{}'', NULL, ''{}'', ''{}'''), (2, '''{}'', ARRAY[t.id(''lab'')], ''{}'', ''{}'''), (3, 'NULL, NULL, NULL, NULL')) AS u (n, c),
	   t.refusal(format('SELECT chemchat.marks(%s)', c)) AS r ORDER BY n;
SELECT state, field FROM t.refusal($$ SELECT chemchat.marks(a, a, s, s) FROM
	(SELECT array_fill(t.id('bob'), ARRAY[1001]) AS a, array_fill(1::bigint, ARRAY[1001]) AS s) AS u $$);

-- Others' cursors, in small conversations.
SELECT t.name(user_id) AS name, read_seq, delivered_seq, rev FROM chemchat.cursors(t.id('carol'), t.id('lab')) ORDER BY 1;
SELECT state FROM t.refusal($$ SELECT chemchat.cursors(t.id('dave'), t.id('lab')) $$);
SELECT count(chemchat.create_user('crowd-' || n, NULL, t.id('crowd' || n))) FROM generate_series(1, 198) AS n;
SELECT count(chemchat.add_member(t.id('alice'), t.id('lab'), t.id('crowd' || n))) FROM generate_series(1, 197) AS n;
SELECT count(*) FROM chemchat.cursors(t.id('carol'), t.id('lab'));
SELECT ev FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('crowd198'));
SELECT t.name(user_id) AS name FROM chemchat.cursors(t.id('carol'), t.id('lab'));

-- A new epoch: higher, though the numbers go on.
SELECT count(*) FROM t.events('s');
UPDATE chemchat.epoch SET no = 3;
\c
SELECT read_seq, delivered_seq, rev - (3::bigint << 40) AS in_epoch_3 FROM chemchat.mark(t.id('carol'), t.id('lab'), 3);

-- What each wants to be told.  NULL keeps; who says muted, or until when, says both.
SELECT * FROM chemchat.set_preference(t.id('bob'), t.id('lab'), false, NULL, 'all');
SELECT count(*) AS written FROM chemchat.member_state WHERE preference_rev > 0;
SELECT rev - (3::bigint << 40) AS rev, is_duplicate FROM chemchat.set_preference(t.id('bob'), t.id('lab'), true);
SELECT is_duplicate FROM chemchat.set_preference(t.id('bob'), t.id('lab'), notify => 'mentions');
SELECT is_duplicate FROM chemchat.set_preference(t.id('bob'), t.id('lab'), notify => 'mentions');
SELECT is_duplicate FROM chemchat.set_preference(t.id('bob'), t.id('lab'));
SELECT is_duplicate FROM chemchat.set_preference(t.id('bob'), t.id('lab'), muted_until => '2030-01-01 12:00Z');
SELECT is_muted, muted_until = '2030-01-01 12:00Z' AS until, notify FROM chemchat.heads(t.id('bob'));
SELECT is_duplicate FROM chemchat.set_preference(t.id('bob'), t.id('lab'), true);
SELECT is_duplicate FROM chemchat.set_preference(t.id('bob'), t.id('lab'), false);
SELECT u.c, r.state, r.field FROM (VALUES (1, 'notify => ''x'''), (2, 'false, ''2030-01-01Z'''), (3, 'muted_until => ''infinity'''),
	(4, 'muted_until => ''10000-01-01Z''')) AS u (n, c),
	   t.refusal(format('SELECT chemchat.set_preference(t.id(''bob''), t.id(''lab''), %s)', c)) AS r ORDER BY n;
SELECT state FROM t.refusal($$ SELECT chemchat.set_preference(t.id('dave'), t.id('lab'), true) $$);
SELECT kind, id, rev - (3::bigint << 40) AS rev, event->>'isMuted' AS muted, event->>'mutedUntil' AS until, event->>'notify' AS notify
  FROM t.events('s') WHERE kind = 'preference';
-- And all of one's own, at once: what the events said.
SELECT event->>'kind' AS kind, event->>'readSeq' AS read, event->>'isMuted' AS muted, event->>'notify' AS notify
  FROM chemchat.my_state(t.id('bob'));
SELECT ev FROM chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('bob'));
SELECT event->>'kind' AS kind FROM chemchat.my_state(t.id('bob'));
SELECT pg_drop_replication_slot('s');

-- Of a large conversation one's own, and not one row is read for each of the others.
INSERT INTO chemchat.app_user (id, handle, display_name, rev, created_at)
SELECT t.id('many' || n), 'many' || n, 'x', 1, now() FROM generate_series(1, 2000) AS n;
SELECT ev > 0 AS made FROM chemchat.create_conversation(t.id('alice'), 'group', 'Crowd',
	(SELECT array_agg(t.id('many' || n)) FROM generate_series(1, 199) AS n), t.id('attic'));
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('attic'), t.id('crowded'), 'all here?');
SELECT count(*) AS marked FROM chemchat.marks((SELECT array_agg(t.id('many' || n)) FROM generate_series(1, 199) AS n),
	array_fill(t.id('attic'), ARRAY[199]), array_fill(1::bigint, ARRAY[199]), array_fill(NULL::bigint, ARRAY[199])) WHERE code = 'ok';
SELECT count(*) AS of_200 FROM chemchat.cursors(t.id('alice'), t.id('attic'));
SELECT count(*) AS added FROM generate_series(200, 2000) AS n, chemchat.add_member(t.id('alice'), t.id('attic'), t.id('many' || n));
ANALYZE chemchat.member, chemchat.member_state;
-- what was counted before is told first, so that only this is counted
SELECT pg_stat_force_next_flush() \gset
BEGIN;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT count(*) AS of_2001, bool_and(user_id = t.id('many7')) AS is_own FROM chemchat.cursors(t.id('many7'), t.id('attic'));
SELECT relname, seq_tup_read + idx_tup_fetch <= 210 AS is_bounded FROM pg_stat_xact_user_tables
 WHERE schemaname = 'chemchat' AND relname IN ('member', 'member_state') ORDER BY 1;
COMMIT;
