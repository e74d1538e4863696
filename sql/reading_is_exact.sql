-- changes_since, history, heads, live_heads, live_changes, users.
CALL t.people();
SELECT count(*) FROM generate_series(1, 5) AS n,
	   chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k' || n), 'm' || n);
SELECT chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol')) IS NOT NULL AS added;
SELECT chemchat.add_member(t.id('alice'), t.id('lab'), t.id('bob'), 'admin') IS NOT NULL AS changed;
SELECT count(*) FROM generate_series(6, 7) AS n,
	   chemchat.send_message(t.id('carol'), t.id('lab'), t.id('k' || n), 'm' || n);

CREATE FUNCTION t.brief(events json) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT string_agg(concat_ws(' ', e->>'ev', e->>'kind', coalesce(e->>'body',
			t.name((e->>'userId')::uuid), e->>'title'), e->>'role'), ', ')
	  FROM json_array_elements(events) AS e
$$;

-- All of it: each entity once, at its last ev, as it now is (bob at 10, not 3).
SELECT status, upto, head, t.brief(events) FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 0);
SELECT events::text LIKE '[{"kind":"conversation",%"},{"kind":"member",%"}]' AS is_compact
  FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 0);
-- In pages, to the end, and at the end.
SELECT status, upto, head, t.brief(events) FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 0, 0, 3);
SELECT status, upto, head, t.brief(events) FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 3, 0, 6);
SELECT status, upto, head, t.brief(events) FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 9, 0, 6);
SELECT status, upto, head, t.brief(events), events FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 12);
-- A window in which every entity has moved on is empty, and still gets on.
SELECT status, upto, head, events FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 2, 0, 1);
-- Whoever knows more than this server.
SELECT status, upto, head, events FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 12, 13);
SELECT status, upto, head, events FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 13, 12);
SELECT status, upto, head, events FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 9007199254740991, NULL);
-- Every page size leads to the same events.
CREATE FUNCTION t.paged(size int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	at bigint := 0;
	page record;
	seen text[] := '{}';
BEGIN
	LOOP
		SELECT * INTO page FROM chemchat.changes_since(t.id('bob'), t.id('lab'), at, 0, size);
		seen := seen || ARRAY(SELECT e::text FROM json_array_elements(page.events) AS e);
		EXIT WHEN page.upto = page.head;
		at := page.upto;
	END LOOP;
	RETURN md5(array_to_string(seen, ','));
END
$$;
SELECT count(DISTINCT t.paged(size)) AS answers FROM generate_series(1, 13) AS size;
SELECT (SELECT events::text FROM chemchat.live_changes(ARRAY[t.id('lab')], '{3}'))
	 = (SELECT events::text FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 3)) AS live_is_the_same;
SELECT t.name(conversation_id) AS conversation, after_ev, status, upto, head
  FROM chemchat.live_changes(ARRAY[t.id('lab'), t.id('attic'), t.id('tea')], '{100,0,0}');

-- History, newest first; the event is the same JSON.
SELECT seq, t.name(sender) AS sender, body, ev, rev, edited_at, deleted_at, event->>'body' = body AS same
  FROM chemchat.history(t.id('bob'), t.id('lab'), NULL, 3);
SELECT seq FROM chemchat.history(t.id('bob'), t.id('lab'), 5, 2);
SELECT seq FROM chemchat.history(t.id('bob'), t.id('lab'), 1);
SELECT count(*) FROM chemchat.history(t.id('bob'), t.id('lab'), 100);
SELECT count(*) AS different FROM chemchat.history(t.id('bob'), t.id('lab')) AS h
  JOIN chemchat._entity AS e ON e.conversation_id = t.id('lab') AND e.ev = h.ev
 WHERE e.event::text <> h.event::text;

-- Heads: every conversation one is in, how far it is.
SELECT chemchat.create_conversation(t.id('bob'), 'direct', NULL, ARRAY[t.id('carol')], t.id('tea')) IS NOT NULL AS made;
INSERT INTO chemchat.member_state (user_id, conversation_id, read_seq, cursor_rev, is_muted, preference_rev)
VALUES (t.id('bob'), t.id('lab'), 4, 4, true, 1);
INSERT INTO chemchat.mention SELECT t.id('bob'), t.id('lab'), seq, now() FROM unnest(ARRAY[3, 4, 5, 6]) AS seq;
SELECT t.name(conversation_id) AS conversation, ev, seq, read_seq, mentions, is_muted, kind, title, role, member_rev
  FROM chemchat.heads(t.id('bob')) ORDER BY ev;
-- When it was last written in, whatever has happened since; or was made.
CREATE VIEW said AS
SELECT t.name(h.conversation_id) AS conversation, h.last_at = coalesce((
			SELECT max(m.created_at) FROM chemchat.message AS m
			 WHERE m.conversation_id = h.conversation_id), c.created_at) AS is_last
  FROM chemchat.heads(t.id('bob')) AS h JOIN chemchat.conversation AS c ON c.id = h.conversation_id;
SELECT * FROM said ORDER BY 1;
SELECT seq FROM chemchat.send_message(t.id('bob'), t.id('tea'), gen_random_uuid(), 'first');
SELECT * FROM said ORDER BY 1;
SELECT rev FROM chemchat.react(t.id('carol'), t.id('tea'), 1, '+1');
SELECT * FROM said ORDER BY 1;
SELECT count(*) FROM chemchat.heads(t.id('dave'));
SELECT count(*) FROM chemchat.heads(t.id('erin'));
-- A session that saw more than became true, or less, sees what is true.
BEGIN;
SELECT seq FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('undone'), 'undone');
SELECT ev, seq FROM chemchat.heads(t.id('bob')) WHERE conversation_id = t.id('lab');
ROLLBACK;
SELECT ev, seq FROM chemchat.heads(t.id('bob')) WHERE conversation_id = t.id('lab');
BEGIN;
SELECT seq FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('edited'), 'last');
SELECT ev FROM chemchat.edit_message(t.id('bob'), t.id('lab'), 8, 'at last');
SELECT h.ev, h.seq, h.last_at = m.created_at AS is_last FROM chemchat.heads(t.id('bob')) AS h, chemchat.message AS m
 WHERE h.conversation_id = t.id('lab') AND m.client_msg_id = t.id('edited');
ROLLBACK;

-- Live heads: all, by channel, and who is nowhere; unknown users have no row.
SELECT t.name(user_id) AS name, t.name(conversation_id) AS conversation, ev, seq, user_rev
  FROM chemchat.live_heads(ARRAY[t.id('alice'), t.id('bob'), t.id('carol'), t.id('dave'), t.id('erin')])
 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE conversation_id IS NOT NULL) AS seats, count(*) AS rows
  FROM generate_series(0, 63) AS channel,
	   chemchat.live_heads(ARRAY[t.id('alice'), t.id('bob'), t.id('carol')], channel);
SELECT chemchat._live_channel(t.id('lab')) AS lab, chemchat._live_channel(t.id('tea')) AS tea;
SELECT t.name(user_id) AS name, t.name(conversation_id) AS conversation
  FROM chemchat.live_heads(ARRAY[t.id('alice'), t.id('bob')], chemchat._live_channel(t.id('tea')))
 ORDER BY 1;
SELECT count(*) FROM chemchat.live_heads('{}');

-- Users: those one shares or shared a conversation with, oneself included.
SELECT handle, display_name, rev, event->>'handle' = handle AS same FROM chemchat.users(t.id('alice'),
	ARRAY[t.id('alice'), t.id('bob'), t.id('carol'), t.id('dave'), t.id('erin')]) ORDER BY handle;
SELECT chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('carol')) IS NOT NULL AS removed;
SELECT handle FROM chemchat.users(t.id('alice'), ARRAY[t.id('carol')]);
SELECT handle FROM chemchat.users(t.id('carol'), ARRAY[t.id('alice')]);
SELECT handle FROM chemchat.users(t.id('dave'), ARRAY[t.id('alice'), t.id('dave')]);
SELECT count(*) FROM chemchat.users(t.id('dave'), '{}');

-- Reading is declared to be one snapshot, and changes nothing.
SELECT p.proname, p.provolatile FROM pg_proc AS p
 WHERE p.pronamespace = 'chemchat'::regnamespace
   AND p.proname IN ('history', 'changes_since', 'heads', 'users', 'live_heads', 'live_changes',
					 'position', 'position_status', 'stream_state', 'doctor', '_changes', '_head',
					 '_authorize', '_authorized')
 ORDER BY 1;
BEGIN READ ONLY;
SELECT upto FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 0);
SELECT count(*) FROM chemchat.heads(t.id('bob'));
COMMIT;
-- What gateways ask for together stops at some 4 MiB; the rest is asked again.
SELECT chemchat.create_conversation(t.id('alice'), 'group', NULL, '{}', t.id('long')) IS NOT NULL AS made;
SELECT count(*) AS sent FROM chemchat.send_messages(array_fill(t.id('alice'), ARRAY[300]), array_fill(t.id('long'), ARRAY[300]),
	ARRAY(SELECT t.id('long' || n) FROM generate_series(1, 300) AS n), array_fill(repeat('x', 16384), ARRAY[300])) WHERE code = 'ok';
SELECT t.name(conversation_id) AS conversation, status, upto
  FROM chemchat.live_changes(ARRAY[t.id('lab'), t.id('long'), t.id('lab')], '{5,0,5}', 500);
