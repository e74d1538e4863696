-- A reaction is on or off, of one user to one message, with a number for each
-- time it was switched and none for what was already so.
CALL t.people();
SELECT 'made' FROM pg_create_logical_replication_slot('told', 'chemchat');
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'look');
SELECT ev, rev, is_duplicate FROM chemchat.react(t.id('bob'), t.id('lab'), 1, '🧪');
SELECT ev, rev, is_duplicate FROM chemchat.react(t.id('bob'), t.id('lab'), 1, '🧪');
SELECT ev, rev, is_duplicate FROM chemchat.react(t.id('alice'), t.id('lab'), 1, '🧪');
SELECT ev, rev, is_duplicate FROM chemchat.react(t.id('bob'), t.id('lab'), 1, '🧪', false);
SELECT ev, rev, is_duplicate FROM chemchat.react(t.id('bob'), t.id('lab'), 1, '🧪', false);
SELECT ev, rev, is_duplicate FROM chemchat.react(t.id('bob'), t.id('lab'), 1, '🧪');
-- Never on: nothing to switch off.
SELECT * FROM chemchat.react(t.id('bob'), t.id('lab'), 1, 'no', false);
SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM chemchat.reaction;
SELECT t.name(user_id) AS user, emoji, event->>'state' AS state, event->>'rev' AS rev, event->>'seq' AS seq
  FROM chemchat.reactions(t.id('alice'), t.id('lab'), ARRAY[1, 2, 77]);
-- Numbers go on from the last message, not from the message reacted to.
SELECT seq, ev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'and');
SELECT ev FROM chemchat.react(t.id('bob'), t.id('lab'), 1, '+1');
SELECT seq, ev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k3'), 'so');
SELECT * FROM t.hole;
SELECT kind, ev, seq, rev, event->>'seq' AS of, t.name((event->>'userId')::uuid) AS user, event->>'emoji' AS emoji, event->>'state' AS state
  FROM t.events('told');
SELECT count(DISTINCT event->>'id') AS entities FROM chemchat._entity WHERE kind = 'r';
-- The JSON, to the byte.
SELECT regexp_replace(regexp_replace(event::text, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g'),
					  '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', '<time>', 'g') AS json
  FROM chemchat._entity WHERE kind = 'r' ORDER BY ev LIMIT 1;

-- What may be one: what is seen, and no more.  Last in the row, where no
-- version's idea of its width matters.
SELECT state, emoji FROM (VALUES (E'👩\u200d🔬'), (E'❤\ufe0f'), ('ok'), ('漢'), ('H₂O'), (E'🏴󠁧󠁢󠁳󠁣󠁴󠁿'), (repeat('x', 64)),
		(':shipit:'), ('👍🏽'), ('🇩🇪'), (E'1\ufe0f\u20e3'), (E'#\u20e3'), (E'👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏿'), (E'👨\u200d👩\u200d👧\u200d👦'), (E'🏳\ufe0f\u200d🌈'),
		(E'🏴\u200d☠\ufe0f'), (E'🙂\u200d↕\ufe0f'), (E'👁\ufe0f\u200d🗨\ufe0f'), (E'☺\ufe0e'), ('🏿'), ('🫩'), ('été'), ('שלום'), ('हाँ')) AS v (emoji),
	   LATERAL t.refusal(format('SELECT chemchat.react(t.id(%L), t.id(''lab''), 2, %L)', CASE WHEN octet_length(emoji) > 6 THEN 'alice' ELSE 'bob' END, emoji));
SELECT n, state, field FROM (VALUES (1, ''), (2, ' '), (3, 'a b'), (4, E'a\tb'), (5, E'\x01'), (6, E'\x7f'), (7, E'\u0085'), (8, E'\u00a0'),
		(9, E'\u200b'), (10, E'\u202e'), (11, E'\u2066'), (12, E'\u3000'), (13, E'\ufeff'), (14, NULL), (15, repeat('x', 65)), (16, repeat('é', 33))) AS v (n, emoji),
	   LATERAL t.refusal(format('SELECT chemchat.react(t.id(''alice''), t.id(''lab''), 2, %L)', emoji)) ORDER BY n;
-- What is not seen, alone or beside something: formats, fillers, and the parts of emoji out of their places.
SELECT n, state, field, message FROM (VALUES (1, E'\u061c'), (2, E'👍\u061c'), (3, E'\u00ad'), (4, E'a\u00adb'), (5, E'\u200c'), (6, E'\u2060'), (7, E'\u2064'),
		(8, E'\u180e'), (9, E'\u180b'), (10, E'\u034f'), (11, E'\u3164'), (12, E'\uffa0'), (13, E'\u115f'), (14, E'\u2800'), (15, E'\u06dd'), (16, E'\U0001d173'),
		(17, E'\U000e0001'), (18, E'\U000e0100'), (19, E'👍\U000e0100'), (20, E'\U000110bd'), (21, E'\U0010ffff'), (22, E'\ufdd0'),
		(30, E'\ufe0f'), (31, E'\ufe0e\ufe0f'), (32, E'\u200d'), (33, E'\u200d\ufe0f'), (34, E'\u200d👍'), (35, E'👍\u200d'), (36, E'👩\u200d\u200d🔬'),
		(37, E'❤\ufe0f\ufe0f'), (38, E'👩\u200d\ufe0f🔬'), (40, E'\U000e0067\U000e007f'), (41, E'\U000e007f'), (42, E'👍\U000e0067\U000e007f'),
		(43, E'🏴\U000e0067'), (44, E'🏴\U000e0067\U000e007f\U000e007f'), (45, E'🏴\U000e007f')) AS v (n, emoji),
	   LATERAL t.refusal(format('SELECT chemchat.react(t.id(''bob''), t.id(''lab''), 2, %L)', emoji)) ORDER BY n;
SELECT state, field FROM t.refusal($$ SELECT chemchat.react(t.id('alice'), t.id('lab'), 1, 'x', NULL) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.react(t.id('alice'), t.id('lab'), 9, 'x') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.react(t.id('carol'), t.id('lab'), 1, 'x') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('carol'), t.id('lab'), '{1}') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('bob'), t.id('lab'), NULL) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('bob'), t.id('lab'), '{{1},{2}}') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('bob'), t.id('lab'), array_fill(1::bigint, ARRAY[201])) $$);
SELECT max_rows, state, field FROM unnest(ARRAY[0, 1000, 1001]) AS max_rows,
	   LATERAL t.refusal(format('SELECT chemchat.reactions(t.id(''bob''), t.id(''lab''), ''{1}'', NULL, %s)', max_rows));
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('bob'), t.id('lab'), array_fill(1::bigint, ARRAY[21]), NULL, 1000) $$);

-- 20 of one user, 50 different on one message; off ones do not count.
SELECT count(*) AS made FROM generate_series(1, 3) AS n, chemchat.create_user('u' || n, NULL, t.id('u' || n));
SELECT count(*) AS added FROM generate_series(1, 3) AS n, chemchat.add_member(t.id('alice'), t.id('lab'), t.id('u' || n));
SELECT count(*) AS reacted FROM generate_series(1, 20) AS n, chemchat.react(t.id('u1'), t.id('lab'), 3, 'a' || n);
SELECT state, field, message FROM t.refusal($$ SELECT chemchat.react(t.id('u1'), t.id('lab'), 3, 'a21') $$);
SELECT is_duplicate FROM chemchat.react(t.id('u1'), t.id('lab'), 3, 'a20');
SELECT is_duplicate FROM chemchat.react(t.id('u1'), t.id('lab'), 3, 'a20', false);
SELECT is_duplicate FROM chemchat.react(t.id('u1'), t.id('lab'), 3, 'a21');
SELECT count(*) AS reacted FROM generate_series(1, 20) AS n, chemchat.react(t.id('u2'), t.id('lab'), 3, 'b' || n);
SELECT count(*) AS reacted FROM generate_series(1, 10) AS n, chemchat.react(t.id('u3'), t.id('lab'), 3, 'c' || n);
SELECT state, field, message FROM t.refusal($$ SELECT chemchat.react(t.id('bob'), t.id('lab'), 3, 'd1') $$);
SELECT is_duplicate FROM chemchat.react(t.id('bob'), t.id('lab'), 3, 'c10');
SELECT * FROM t.hole;
-- In pages, each of every message asked for: none lost, none twice.
SELECT seq, count(*), bool_and(ev > 0 AND event->>'ev' = ev::text) AS by_ev
  FROM chemchat.reactions(t.id('bob'), t.id('lab'), '{1,2,3,3}', NULL, 10) GROUP BY seq ORDER BY seq;
CREATE PROCEDURE t.pages(size int, OUT pages int, OUT ids uuid[]) LANGUAGE plpgsql AS $$
DECLARE
	upto bigint;
	page record;
BEGIN
	pages := 0;
	LOOP
		SELECT max(r.ev) AS upto, array_agg((r.event->>'id')::uuid ORDER BY r.ev) AS ids INTO page
		  FROM chemchat.reactions(t.id('bob'), t.id('lab'), '{3}', upto, size) AS r;
		EXIT WHEN page.upto IS NULL;
		ids := ids || page.ids;
		upto := page.upto;
		pages := pages + 1;
	END LOOP;
	ASSERT ids = (SELECT array_agg(r.id ORDER BY r.ev) FROM chemchat.reaction AS r WHERE r.seq = 3 AND r.is_on);
	ids := ids[1:0];
END
$$;
CALL t.pages(1, NULL, NULL);
CALL t.pages(20, NULL, NULL);
CALL t.pages(1000, NULL, NULL);

-- However many have reacted, one more looks at few of them.
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k4'), 'a crowd');
INSERT INTO chemchat.reaction (id, conversation_id, seq, user_id, emoji, is_on, ev, rev, changed_at)
SELECT t.id('crowd' || n), t.id('lab'), 4, t.id('crowd' || n), 'e' || n % 49, true, 1000 + n, 1, now() FROM generate_series(1, 5000) AS n;
ANALYZE chemchat.reaction;
SELECT pg_stat_force_next_flush() \gset
BEGIN;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT is_duplicate FROM chemchat.react(t.id('u1'), t.id('lab'), 4, 'kind50');
SELECT seq_tup_read + idx_tup_fetch <= 200 AS is_bounded FROM pg_stat_xact_user_tables
 WHERE schemaname = 'chemchat' AND relname = 'reaction';
COMMIT;
SELECT state, field, message FROM t.refusal($$ SELECT chemchat.react(t.id('bob'), t.id('lab'), 4, 'kind51') $$);

-- A guest reacts in a group and not in a channel.
SELECT chemchat.create_conversation(t.id('alice'), 'channel', 'News', '{}', t.id('news')) IS NOT NULL AS made;
SELECT chemchat.add_member(t.id('alice'), t.id(c), t.id('dave'), 'guest') IS NOT NULL AS added FROM unnest(ARRAY['lab', 'news']) AS c;
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('news'), t.id('n1'), 'read all about it');
SELECT c, state, field FROM unnest(ARRAY['lab', 'news']) AS c,
	   LATERAL t.refusal(format('SELECT chemchat.react(t.id(''dave''), t.id(%L), 1, ''x'')', c));
SELECT 'dropped' FROM pg_drop_replication_slot('told');
