-- A body that names a member's handle tells that member, and nobody else.
CALL t.people();
SELECT chemchat._handles(body) AS handles FROM (VALUES
	('nobody'), ('@bob'), ('hey @bob, and @carol!'), ('(@Bob)'), ('@bob@carol'), ('mail@bob.example'), ('a@b @bob'),
	('@ bob'), ('@'), ('@@bob'), ('你好@bob'), ('@bob @bob @BOB'), ('@bob.smith.'), (E'@bob\n@carol'), ('@all'), (NULL),
	('@' || repeat('x', 64)), ('@' || repeat('x', 65)), ('@bob''s')) AS v (body);
SELECT cardinality(chemchat._handles(string_agg('@u' || n, ' '))) AS at_most FROM generate_series(1, 60) AS n;

SELECT chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol')) IS NOT NULL AS added;
CREATE FUNCTION t.named(key text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce((SELECT string_agg(CASE n WHEN '*' THEN '*' ELSE t.name(n::uuid) END, ' ' ORDER BY i)
					   FROM json_array_elements_text(chemchat._message_json(m)->'mentions') WITH ORDINALITY AS e (n, i)), '-')
		   || ' / ' || coalesce((SELECT string_agg(t.name(w.user_id), ' ' ORDER BY t.name(w.user_id)) FROM chemchat.mention AS w
								  WHERE (w.conversation_id, w.seq) = (m.conversation_id, m.seq)), '-')
	  FROM chemchat.message AS m WHERE m.client_msg_id = t.id(key)
$$;
CREATE TABLE said (n serial, actor text, body text);
INSERT INTO said (actor, body) VALUES ('alice', 'nobody here'), ('alice', '@bob look'), ('alice', '@carol, @bob. @carol'),
	('alice', '@alice is me'), ('alice', '@dave is no member'), ('alice', '@nobody'), ('alice', '@BOB...'), ('bob', '@all and @carol'),
	('bob', '@alice_'), ('carol', 'a@bob.example');
SELECT count(seq) AS sent FROM said, LATERAL chemchat.send_message(t.id(actor), t.id('lab'), t.id('k' || n), body);
SELECT actor, body, t.named('k' || n) AS "event / told" FROM said ORDER BY n;
-- As items of one batch it is the same.
SELECT string_agg(code, ' ' ORDER BY item) AS codes FROM (SELECT array_agg(t.id(actor) ORDER BY n) AS a, array_agg(t.id('lab')) AS c,
	array_agg(t.id('b' || n) ORDER BY n) AS k, array_agg(body ORDER BY n) AS b FROM said) AS s, chemchat.send_messages(a, c, k, b);
SELECT count(*) AS differences FROM said WHERE t.named('k' || n) <> t.named('b' || n);

-- A handle with a full stop of its own is itself, before a sentence's.
SELECT chemchat.create_user('bob.', 'Other Bob', t.id('erin')) IS NOT NULL AS made;
SELECT chemchat.add_member(t.id('alice'), t.id('lab'), t.id('erin')) IS NOT NULL AS added;
SELECT count(seq) AS sent FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('dot'), 'you, @bob.');
SELECT count(seq) AS sent FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('comma'), 'you, @bob, or @bob..');
SELECT t.named('dot') AS dot, t.named('comma') AS comma;

-- @all only where the role allows it: a guest of a group, a member of a channel may not.
SELECT chemchat.create_conversation(t.id('alice'), 'channel', 'News', ARRAY[t.id('bob'), t.id('carol')], t.id('news')) IS NOT NULL AS made;
SELECT count(seq) AS sent FROM (VALUES ('alice', 'all1'), ('bob', 'all2')) AS v (who, key),
	LATERAL chemchat.send_message(t.id(who), t.id('news'), t.id(key), '@all hands');
SELECT t.named('all1') AS owner, t.named('all2') AS member;

-- Who has blocked the sender is not told, and the sender is not told that.
INSERT INTO chemchat.block VALUES (t.id('bob'), t.id('alice'), true, 1, now()), (t.id('carol'), t.id('alice'), false, 1, now());
SELECT count(seq) AS sent FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('blocked'), '@bob @carol');
SELECT count(seq) AS sent FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('blocked all'), '@all');
SELECT t.named('blocked') AS named, t.named('blocked all') AS all;
-- Nor one who is deactivated.
UPDATE chemchat.app_user SET deactivated_at = now() WHERE id = t.id('carol');
SELECT count(seq) AS sent FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('gone'), '@carol');
SELECT t.named('gone') AS gone;
UPDATE chemchat.app_user SET deactivated_at = NULL WHERE id = t.id('carol');

-- An edit names anew.
SELECT seq AS dot FROM chemchat.message WHERE client_msg_id = t.id('dot') \gset
SELECT rev FROM chemchat.edit_message(t.id('alice'), t.id('lab'), :dot, 'you, @carol');
SELECT t.named('dot') AS renamed;
SELECT rev FROM chemchat.edit_message(t.id('alice'), t.id('lab'), :dot, 'nobody');
SELECT t.named('dot') AS unnamed;

-- What is asked for: newest first, in pages that lose nothing, and only where one is a member.
SELECT t.name(conversation_id) AS conversation, event->>'body' AS body FROM chemchat.mentions(t.id('carol'));
CREATE PROCEDURE t.pages(who text, size int, OUT pages int, OUT rows bigint, OUT distinct_rows bigint) LANGUAGE plpgsql AS $$
DECLARE
	at text;
	got bigint;
BEGIN
	CREATE TEMP TABLE page (n serial, conversation_id uuid, seq bigint, created_at timestamptz, cursor text);
	pages := 0;
	LOOP
		INSERT INTO page (conversation_id, seq, created_at, cursor) SELECT m.* FROM (
			SELECT f.conversation_id, f.seq, f.created_at, f.cursor FROM chemchat.mentions(t.id(who), at, size) AS f) AS m;
		GET DIAGNOSTICS got = ROW_COUNT;
		EXIT WHEN got = 0;
		at := (SELECT p.cursor FROM page AS p ORDER BY n DESC LIMIT 1);
		ASSERT got = size OR NOT EXISTS (SELECT FROM chemchat.mentions(t.id(who), at));
		pages := pages + 1;
	END LOOP;
	ASSERT NOT EXISTS (SELECT FROM page AS p JOIN page AS q ON q.n = p.n + 1 WHERE q.created_at > p.created_at);
	SELECT count(*), count(DISTINCT (p.conversation_id, p.seq)) INTO rows, distinct_rows FROM page AS p;
	DROP TABLE page;
END
$$;
SELECT count(*) AS of_carol FROM chemchat.mention WHERE user_id = t.id('carol');
SELECT count(*) > 1 AS have_one_time FROM chemchat.mention WHERE user_id = t.id('carol') GROUP BY created_at ORDER BY 1 DESC LIMIT 1;
CALL t.pages('carol', 1, NULL, NULL, NULL);
CALL t.pages('carol', 2, NULL, NULL, NULL);
CALL t.pages('carol', 200, NULL, NULL, NULL);
SELECT mentions FROM chemchat.heads(t.id('carol')) WHERE conversation_id = t.id('lab');
SELECT ev > 0 AS removed FROM chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('carol'));
SELECT t.name(conversation_id) AS conversation, count(*) FROM chemchat.mentions(t.id('carol')) GROUP BY 1;
SELECT state, field FROM t.refusal($$ SELECT chemchat.mentions(t.id('alice'), NULL, 0) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.mentions(t.id('alice'), NULL, 201) $$);
SELECT before, state, field FROM unnest(ARRAY['', 'x', '2026-01-01', '1/2/3', '1/' || t.id('lab') || '/', '99999999999999999/' || t.id('lab') || '/1', '9999999999999999/' || t.id('lab') || '/9999999999999999']) AS before,
	   LATERAL t.refusal(format('SELECT chemchat.mentions(t.id(''alice''), %L)', before));
SELECT state, field FROM t.refusal($$ SELECT chemchat.mentions(t.id('alice'), repeat('1', 1000000)) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.mentions(NULL) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.mentions(t.id('x')) $$);

-- Of everybody a thousand are told, and whoever is named.
INSERT INTO chemchat.app_user (id, handle, display_name, rev, created_at)
SELECT t.id('crowd' || n), 'crowd' || n, 'x', 1, now() FROM generate_series(1, 1100) AS n;
SELECT chemchat.create_conversation(t.id('alice'), 'group', 'Crowd', (SELECT array_agg(t.id('crowd' || n) ORDER BY n) FROM generate_series(1, 1000) AS n), t.id('attic')) IS NOT NULL AS made;
SELECT count(*) AS added FROM generate_series(1001, 1100) AS n, chemchat.add_member(t.id('alice'), t.id('attic'), t.id('crowd' || n));
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('attic'), t.id('crowded'), '@all, @crowd1100 too');
SELECT count(*) AS told, count(*) FILTER (WHERE user_id = t.id('crowd1100')) AS named FROM chemchat.mention WHERE conversation_id = t.id('attic');

-- However many are in the conversation, and in however many the sender is: for
-- a name nobody reads all their seats.
BEGIN;
INSERT INTO chemchat.app_user (id, handle, display_name, rev, created_at)
SELECT t.id('horde' || n), 'horde-' || n, 'One of many', 1, now() FROM generate_series(1, 3000) AS n;
INSERT INTO chemchat.member SELECT t.id('lab'), t.id('horde' || n), 'member', 'joined', 1, 1, t.id('alice'), now() FROM generate_series(1, 3000) AS n;
INSERT INTO chemchat.conversation (id, kind, ev, rev, created_ev, created_by, created_at)
SELECT t.id('room' || n), 'group', 1, 1, 1, t.id('alice'), now() FROM generate_series(1, 3000) AS n;
INSERT INTO chemchat.member SELECT t.id('room' || n), t.id('alice'), 'member', 'joined', 1, 1, t.id('alice'), now() FROM generate_series(1, 3000) AS n;
SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read AS fetched FROM pg_stat_xact_user_tables WHERE relid = 'chemchat.member'::regclass \gset
SELECT count(seq) AS sent FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('horde'), '@horde-7, @horde-8. @nobody');
SELECT cardinality(mentions) AS named FROM chemchat.message WHERE client_msg_id = t.id('horde');
SELECT idx_tup_fetch + seq_tup_read - :fetched < 100 AS few FROM pg_stat_xact_user_tables WHERE relid = 'chemchat.member'::regclass;
ROLLBACK;
