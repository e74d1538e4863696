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

-- What may be one: what is seen, and no more.
SELECT emoji, state FROM (VALUES (E'👩\u200d🔬'), (E'❤\ufe0f'), ('ok'), ('漢'), ('H₂O'), (E'🏴󠁧󠁢󠁳󠁣󠁴󠁿'), (repeat('x', 64))) AS v (emoji),
	   LATERAL t.refusal(format('SELECT chemchat.react(t.id(''alice''), t.id(''lab''), 2, %L)', emoji));
SELECT n, state, field FROM (VALUES (1, ''), (2, ' '), (3, 'a b'), (4, E'a\tb'), (5, E'\x01'), (6, E'\x7f'), (7, E'\u0085'), (8, E'\u00a0'),
		(9, E'\u200b'), (10, E'\u202e'), (11, E'\u2066'), (12, E'\u3000'), (13, E'\ufeff'), (14, NULL), (15, repeat('x', 65)), (16, repeat('é', 33))) AS v (n, emoji),
	   LATERAL t.refusal(format('SELECT chemchat.react(t.id(''alice''), t.id(''lab''), 2, %L)', emoji)) ORDER BY n;
SELECT state, field FROM t.refusal($$ SELECT chemchat.react(t.id('alice'), t.id('lab'), 1, 'x', NULL) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.react(t.id('alice'), t.id('lab'), 9, 'x') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.react(t.id('carol'), t.id('lab'), 1, 'x') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('carol'), t.id('lab'), '{1}') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('bob'), t.id('lab'), NULL) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('bob'), t.id('lab'), '{{1},{2}}') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.reactions(t.id('bob'), t.id('lab'), array_fill(1::bigint, ARRAY[201])) $$);

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

-- A guest reacts in a group and not in a channel.
SELECT chemchat.create_conversation(t.id('alice'), 'channel', 'News', '{}', t.id('news')) IS NOT NULL AS made;
SELECT chemchat.add_member(t.id('alice'), t.id(c), t.id('dave'), 'guest') IS NOT NULL AS added FROM unnest(ARRAY['lab', 'news']) AS c;
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('news'), t.id('n1'), 'read all about it');
SELECT c, state, field FROM unnest(ARRAY['lab', 'news']) AS c,
	   LATERAL t.refusal(format('SELECT chemchat.react(t.id(''dave''), t.id(%L), 1, ''x'')', c));
SELECT 'dropped' FROM pg_drop_replication_slot('told');
