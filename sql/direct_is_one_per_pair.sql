-- A direct conversation is there once per pair, whoever begins it, and keeps
-- its two seats for ever; while one blocks the other neither writes.
CALL t.people();
SELECT pg_create_logical_replication_slot('s', 'chemchat') IS NOT NULL AS made;
SELECT t.name(id) AS id, ev, is_duplicate FROM chemchat.create_conversation(t.id('alice'), 'direct', NULL,
	ARRAY[t.id('carol')], t.id('tea'));
-- Again, by her, by the other, with another id, with none.
SELECT u.n, t.name(c.id) AS id, c.ev, c.is_duplicate
  FROM (VALUES (1, 'alice', 'carol', t.id('tea')), (2, 'carol', 'alice', t.id('tea')), (3, 'carol', 'alice', t.id('den')),
			   (4, 'alice', 'carol', NULL)) AS u (n, one, other, id),
	   chemchat.create_conversation(t.id(u.one), 'direct', NULL, ARRAY[t.id(u.other)], u.id) AS c ORDER BY u.n;
-- Somebody else's id is taken, whatever it is.
SELECT * FROM t.refusal($$ SELECT chemchat.create_conversation(t.id('bob'), 'direct', NULL, ARRAY[t.id('alice')], t.id('tea')) $$);
SELECT * FROM t.refusal($$ SELECT chemchat.create_conversation(t.id('bob'), 'group', 'x', '{}', t.id('tea')) $$);
-- Her own id names one thing for ever: no retry with another kind or another
-- partner is answered with it.
SELECT * FROM t.refusal($$ SELECT chemchat.create_conversation(t.id('alice'), 'group', 'x', '{}', t.id('tea')) $$);
SELECT * FROM t.refusal($$ SELECT chemchat.create_conversation(t.id('alice'), 'direct', NULL, ARRAY[t.id('bob')], t.id('tea')) $$);
SELECT * FROM t.refusal($$ SELECT chemchat.create_conversation(t.id('bob'), 'direct', NULL, ARRAY[t.id('bob')]) $$);
SELECT kind, id, ev, event->>'role' AS role FROM t.events('s');
-- Its seats.
SELECT f AS call, r.state
  FROM unnest(ARRAY['leave(t.id(''alice''), t.id(''tea''))',
		'remove_member(t.id(''alice''), t.id(''tea''), t.id(''carol''))',
		'remove_member(t.id(''carol''), t.id(''tea''), t.id(''carol''))',
		'add_member(t.id(''alice''), t.id(''tea''), t.id(''bob''))',
		'invite(t.id(''alice''), t.id(''tea''), t.id(''bob''))',
		'set_role(t.id(''alice''), t.id(''tea''), t.id(''carol''), ''owner'')',
		'update_conversation(t.id(''alice''), t.id(''tea''), ''x'')',
		'update_conversation(t.id(''alice''), t.id(''tea''), is_archived => true)',
		'join_conversation(t.id(''bob''), t.id(''tea''))']) WITH ORDINALITY AS u (f, n),
	   t.refusal('SELECT chemchat.' || f) AS r ORDER BY n;
SELECT t.name(other_id) AS other FROM chemchat.heads(t.id('alice')) WHERE kind = 'direct';
SELECT t.name(other_id) AS other FROM chemchat.heads(t.id('carol')) WHERE kind = 'direct';

-- Blocked: neither side writes, edits or reacts; both read and delete.  The
-- blocked one is not told.
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('tea'), t.id('k1'), 'hello');
SELECT seq FROM chemchat.send_message(t.id('carol'), t.id('tea'), t.id('k2'), 'hello');
SELECT rev, is_duplicate FROM chemchat.block_user(t.id('carol'), t.id('alice'), false);
SELECT rev, is_duplicate FROM chemchat.block_user(t.id('carol'), t.id('alice'));
SELECT rev, is_duplicate FROM chemchat.block_user(t.id('carol'), t.id('alice'));
SELECT u.who, f AS call, r.state, r.message
  FROM unnest(ARRAY['alice', 'carol']) WITH ORDINALITY AS u (who, n),
	   unnest(ARRAY['send_message(t.id(%1$L), t.id(''tea''), t.id(''k3''), ''x'')',
		'edit_message(t.id(%1$L), t.id(''tea''), %2$s, ''x'')',
		'react(t.id(%1$L), t.id(''tea''), 1, ''x'')',
		'history(t.id(%1$L), t.id(''tea''))',
		'mark(t.id(%1$L), t.id(''tea''), 2)']) WITH ORDINALITY AS c (f, m),
	   t.refusal('SELECT chemchat.' || format(f, who, n)) AS r ORDER BY n, m;
SELECT item, code, field FROM chemchat.send_messages(ARRAY[t.id('alice'), t.id('carol')], ARRAY[t.id('tea'), t.id('tea')],
	ARRAY[t.id('k4'), t.id('k5')], ARRAY['x', 'y']);
SELECT is_duplicate FROM chemchat.send_message(t.id('alice'), t.id('tea'), t.id('k1'), 'hello');
SELECT f AS call, r.state, r.field, r.message
  FROM unnest(ARRAY['invite(t.id(''alice''), t.id(''lab''), t.id(''carol''))',
		'add_member(t.id(''alice''), t.id(''lab''), t.id(''carol''))',
		'create_conversation(t.id(''alice''), ''group'', ''x'', ARRAY[t.id(''bob''), t.id(''carol'')])']) WITH ORDINALITY AS u (f, n),
	   t.refusal('SELECT chemchat.' || f) AS r ORDER BY n;
-- The one there is, is found; a new one is not begun.
SELECT t.name(id) AS id, is_duplicate FROM chemchat.create_conversation(t.id('alice'), 'direct', NULL, ARRAY[t.id('carol')]);
SELECT rev FROM chemchat.block_user(t.id('dave'), t.id('bob'));
SELECT * FROM t.refusal($$ SELECT chemchat.create_conversation(t.id('bob'), 'direct', NULL, ARRAY[t.id('dave')]) $$);
SELECT ev FROM chemchat.create_conversation(t.id('dave'), 'direct', NULL, ARRAY[t.id('bob')], t.id('attic'));
SELECT state FROM t.refusal($$ SELECT chemchat.send_message(t.id('dave'), t.id('attic'), t.id('k1'), 'x') $$);
-- In a group they go on.
SELECT ev FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('dave'));
SELECT seq FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k1'), 'x');
-- And out of it again.
SELECT rev, is_duplicate FROM chemchat.block_user(t.id('carol'), t.id('alice'), false);
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('tea'), t.id('k6'), 'again');
SELECT kind, key, id, ev, rev, event->>'state' AS state FROM t.events('s') WHERE kind IN ('block', 'member', 'conversation');
SELECT event->>'blockedId' = t.id('bob')::text AS blocked, event->>'state' AS state FROM chemchat.my_state(t.id('dave')) WHERE event->>'kind' = 'block';
SELECT * FROM t.refusal($$ SELECT chemchat.block_user(t.id('carol'), t.id('carol')) $$);
SELECT * FROM t.refusal($$ SELECT chemchat.block_user(t.id('carol'), t.id('nobody')) $$);
SELECT * FROM t.hole;
SELECT pg_drop_replication_slot('s');
