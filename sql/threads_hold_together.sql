-- An answer knows what it answers, and a thread is all answers to its root,
-- to whichever of them they are.
CALL t.people();
SELECT 'made' FROM pg_create_logical_replication_slot('told', 'chemchat');
CREATE FUNCTION t.say(who text, key text, reply_to bigint DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT format('seq %s ev %s', s.seq, s.ev) FROM chemchat.send_message(t.id(who), t.id('lab'), t.id(key), key, reply_to) AS s
$$;
SELECT t.say('alice', 'root'), t.say('bob', 'other'), t.say('bob', 'a1', 1), t.say('alice', 'a2', 3), t.say('alice', 'to other', 2), t.say('bob', 'a3', 1);
SELECT seq, body, reply_to, thread FROM chemchat.message ORDER BY seq;
SELECT event->>'seq' AS seq, event->>'replyTo' AS reply_to, event->>'thread' AS thread FROM t.events('told');
-- The whole thread, by any message of it, in pages.
SELECT n AS by, string_agg(seq || ' ' || body, ', ') AS thread FROM generate_series(1, 6) AS n, LATERAL chemchat.thread(t.id('bob'), t.id('lab'), n) GROUP BY n ORDER BY n;
SELECT seq FROM chemchat.thread(t.id('bob'), t.id('lab'), 1, NULL, 2);
SELECT seq FROM chemchat.thread(t.id('bob'), t.id('lab'), 1, 4, 2);
SELECT seq FROM chemchat.thread(t.id('bob'), t.id('lab'), 1, 3, 2);
SELECT seq FROM chemchat.thread(t.id('bob'), t.id('lab'), 1, 1, 2);
-- Edited it stays where it is.
SELECT ev FROM chemchat.edit_message(t.id('bob'), t.id('lab'), 3, 'a1, mended');
SELECT seq, body, event->>'replyTo' AS reply_to FROM chemchat.thread(t.id('bob'), t.id('lab'), 1) WHERE seq = 3;

-- The same key names the same answer: to something else it is another message.
SELECT seq, is_duplicate FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('a3'), 'a3', 1);
SELECT r, state, field FROM unnest(ARRAY['2', 'NULL']) AS r,
	   LATERAL t.refusal(format('SELECT chemchat.send_message(t.id(''bob''), t.id(''lab''), t.id(''a3''), ''a3'', %s)', r));
SELECT r, state, field, message FROM unnest(ARRAY['7', '0', '-1', '9223372036854775807']) AS r,
	   LATERAL t.refusal(format('SELECT chemchat.send_message(t.id(''bob''), t.id(''lab''), t.id(''x''), ''x'', %s)', r)) ORDER BY r;
-- A batch: each for itself, and an item is nobody's parent in its own batch.
SELECT item, code, field, seq, ev FROM chemchat.send_messages(
	array_fill(t.id('alice'), ARRAY[7]), array_fill(t.id('lab'), ARRAY[7]),
	ARRAY[t.id('b1'), t.id('b2'), t.id('b3'), t.id('b4'), t.id('b2'), t.id('b2'), t.id('b7')],
	ARRAY['plain', 'reply', 'reply @bob', 'lost', 'reply', 'reply', 'early'], NULL, ARRAY[NULL, 4, 2, 99, 4, 2, 7]);
SELECT seq, body, reply_to, thread, cardinality(mentions) AS named FROM chemchat.message WHERE seq > 6 ORDER BY seq;
SELECT state, field FROM t.refusal($$ SELECT * FROM chemchat.send_messages(ARRAY[t.id('bob')], ARRAY[t.id('lab')], ARRAY[t.id('z')], ARRAY['z'], NULL, ARRAY[1, 2]) $$);
SELECT * FROM t.hole;

SELECT state, field FROM t.refusal($$ SELECT chemchat.thread(t.id('carol'), t.id('lab'), 1) $$);
SELECT state, field, message FROM t.refusal($$ SELECT chemchat.thread(t.id('bob'), t.id('lab'), 99) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.thread(t.id('bob'), t.id('lab'), NULL) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.thread(t.id('bob'), t.id('lab'), 1, NULL, 201) $$);
-- Another conversation's message is none of this one's.
SELECT chemchat.create_conversation(t.id('bob'), 'group', 'Tea', '{}', t.id('tea')) IS NOT NULL AS made;
SELECT state, field, message FROM t.refusal($$ SELECT chemchat.send_message(t.id('bob'), t.id('tea'), t.id('x'), 'x', 1) $$);

-- Forward through history, too.
SELECT string_agg(seq::text, ' ') AS seqs FROM chemchat.history(t.id('bob'), t.id('lab'), NULL, 3, 2);
SELECT string_agg(seq::text, ' ') AS seqs FROM chemchat.history(t.id('bob'), t.id('lab'), NULL, 50, 0);
SELECT count(*) AS beyond FROM chemchat.history(t.id('bob'), t.id('lab'), NULL, 50, 9);
SELECT state, field FROM t.refusal($$ SELECT chemchat.history(t.id('bob'), t.id('lab'), 5, 50, 2) $$);
SELECT 'dropped' FROM pg_drop_replication_slot('told');
