-- Channels are found and joined, invitations accepted and declined, settings
-- changed, roles given: each by an event, and doing it again changes nothing.
CALL t.people();
SELECT pg_create_logical_replication_slot('s', 'chemchat') IS NOT NULL AS made;
CREATE FUNCTION t.told() RETURNS TABLE (kind text, id text, ev bigint, state text, more text)
LANGUAGE sql AS $$
	SELECT e.kind, e.id, e.ev, e.event->>'state',
		   concat_ws(' ', e.event->>'role', e.event->>'title', e.event->>'topic',
					 'public=' || (e.event->>'isPublic'), CASE WHEN e.event->>'archivedAt' <> '' THEN 'archived' END,
					 e.event->>'displayName')
	  FROM t.events('s') AS e
$$;

-- A public channel: anybody joins; a private one is not there for her.
SELECT ev, is_duplicate FROM chemchat.create_conversation(t.id('alice'), 'channel', 'News',
	'{}', t.id('news'), 'What is new', true);
SELECT ev, is_duplicate FROM chemchat.create_conversation(t.id('alice'), 'channel', 'Tea', '{}', t.id('tea'));
SELECT t.name(conversation_id) AS channel, title, topic, members, is_member
  FROM chemchat.public_channels(t.id('carol'));
SELECT ev, is_duplicate FROM chemchat.join_conversation(t.id('carol'), t.id('news'));
SELECT ev, is_duplicate FROM chemchat.join_conversation(t.id('carol'), t.id('news'));
SELECT * FROM t.refusal($$ SELECT chemchat.join_conversation(t.id('carol'), t.id('tea')) $$);
SELECT * FROM t.refusal($$ SELECT chemchat.join_conversation(t.id('carol'), t.id('attic')) $$);
SELECT members, is_member FROM chemchat.public_channels(t.id('carol'), 'NEW');
SELECT count(*) FROM chemchat.public_channels(t.id('carol'), 'nothing');
SELECT * FROM t.told();

-- An invitation shows its conversation and nothing of it.
SELECT ev, is_duplicate FROM chemchat.invite(t.id('alice'), t.id('tea'), t.id('dave'), 'guest');
SELECT ev, is_duplicate FROM chemchat.invite(t.id('alice'), t.id('tea'), t.id('dave'), 'guest');
SELECT t.name(conversation_id) AS conversation, kind, title, t.name(invited_by) AS invited_by
  FROM chemchat.invitations(t.id('dave'));
SELECT count(*) FROM chemchat.heads(t.id('dave'));
SELECT state FROM t.refusal($$ SELECT chemchat.history(t.id('dave'), t.id('tea')) $$);
SELECT state FROM t.refusal($$ SELECT chemchat.members(t.id('dave'), t.id('tea')) $$);
SELECT handle FROM chemchat.users(t.id('dave'), ARRAY[t.id('alice'), t.id('bob')]);
SELECT ev, is_duplicate FROM chemchat.leave(t.id('dave'), t.id('tea'));
SELECT count(*) FROM chemchat.invitations(t.id('dave'));
SELECT state FROM t.refusal($$ SELECT chemchat.join_conversation(t.id('dave'), t.id('tea')) $$);
SELECT ev FROM chemchat.invite(t.id('alice'), t.id('tea'), t.id('dave'), 'guest');
SELECT ev, is_duplicate FROM chemchat.join_conversation(t.id('dave'), t.id('tea'));
SELECT t.name(user_id) AS name, role, state FROM chemchat.members(t.id('dave'), t.id('tea')) ORDER BY 1;
SELECT is_duplicate FROM chemchat.invite(t.id('alice'), t.id('tea'), t.id('dave'));
SELECT * FROM t.told();

-- A guest who goes and comes back is a guest.
SELECT ev FROM chemchat.update_conversation(t.id('alice'), t.id('tea'), is_public => true);
SELECT ev FROM chemchat.leave(t.id('dave'), t.id('tea'));
SELECT ev FROM chemchat.join_conversation(t.id('dave'), t.id('tea'));
SELECT role FROM chemchat.members(t.id('alice'), t.id('tea')) WHERE user_id = t.id('dave');
SELECT * FROM t.told();

-- Roles.
SELECT ev, is_duplicate FROM chemchat.set_role(t.id('alice'), t.id('tea'), t.id('dave'), 'admin');
SELECT ev, is_duplicate FROM chemchat.set_role(t.id('alice'), t.id('tea'), t.id('dave'), 'admin');
SELECT * FROM t.refusal($$ SELECT chemchat.set_role(t.id('alice'), t.id('tea'), t.id('bob'), 'admin') $$);
SELECT * FROM t.refusal($$ SELECT chemchat.set_role(t.id('dave'), t.id('tea'), t.id('dave'), 'owner') $$);

-- Settings: NULL keeps, an empty text clears, the same again is no change.
SELECT ev, is_duplicate FROM chemchat.update_conversation(t.id('dave'), t.id('tea'), 'Tea Room', 'Green or black');
SELECT ev, is_duplicate FROM chemchat.update_conversation(t.id('dave'), t.id('tea'), 'Tea Room');
SELECT ev, is_duplicate FROM chemchat.update_conversation(t.id('dave'), t.id('tea'), topic => '');
SELECT ev, is_duplicate FROM chemchat.update_conversation(t.id('dave'), t.id('tea'));
SELECT event->>'title' AS title, event->>'topic' AS topic, event->>'isPublic' AS public, member->>'role' AS role
  FROM chemchat.conversation(t.id('dave'), t.id('tea'));
SELECT * FROM t.refusal($$ SELECT chemchat.update_conversation(t.id('bob'), t.id('lab'), 'Mine') $$);
SELECT * FROM t.refusal($$ SELECT chemchat.update_conversation(t.id('alice'), t.id('lab'), is_public => true) $$);
SELECT * FROM t.refusal(format($$ SELECT chemchat.update_conversation(t.id('alice'), t.id('lab'), %L) $$, repeat('x', 1025)));
SELECT * FROM t.refusal(format($$ SELECT chemchat.update_conversation(t.id('alice'), t.id('lab'), topic => %L) $$, repeat('x', 4097)));
SELECT * FROM t.told();

-- The archive: read, leave and tidy; nothing new; and out of it again.
SELECT ev, is_duplicate FROM chemchat.update_conversation(t.id('alice'), t.id('tea'), is_archived => true);
SELECT ev, is_duplicate FROM chemchat.update_conversation(t.id('alice'), t.id('tea'), is_archived => true);
SELECT f AS call, r.state
  FROM unnest(ARRAY['send_message(t.id(''alice''), t.id(''tea''), t.id(''k''), ''x'')',
		'update_conversation(t.id(''alice''), t.id(''tea''), ''x'')',
		'invite(t.id(''alice''), t.id(''tea''), t.id(''bob''))',
		'add_member(t.id(''alice''), t.id(''tea''), t.id(''bob''))',
		'set_role(t.id(''alice''), t.id(''tea''), t.id(''dave''), ''guest'')',
		'join_conversation(t.id(''carol''), t.id(''tea''))',
		'join_conversation(t.id(''dave''), t.id(''tea''))',
		'history(t.id(''dave''), t.id(''tea''))',
		'mark(t.id(''dave''), t.id(''tea''), 0)',
		'set_preference(t.id(''dave''), t.id(''tea''), true)']) WITH ORDINALITY AS u (f, n),
	   t.refusal('SELECT chemchat.' || f) AS r ORDER BY n;
SELECT title FROM chemchat.public_channels(t.id('carol'));
SELECT archived_at IS NOT NULL AS archived FROM chemchat.heads(t.id('dave'));
SELECT ev FROM chemchat.remove_member(t.id('alice'), t.id('tea'), t.id('dave'));
SELECT ev FROM chemchat.update_conversation(t.id('alice'), t.id('tea'), 'Coffee', is_archived => false);
SELECT * FROM t.told();

-- People are found by the beginning of a handle or a name.
SELECT rev, is_duplicate FROM chemchat.update_user(t.id('carol'), 'Dr. Carol White');
SELECT rev, is_duplicate FROM chemchat.update_user(t.id('carol'), 'Dr. Carol White');
SELECT handle, display_name, event->>'userId' = id::text AS same FROM chemchat.find_users(t.id('alice'), 'D');
SELECT handle FROM chemchat.find_users(t.id('alice'), '@car');
SELECT handle FROM chemchat.find_users(t.id('alice'), 'd', 1);
SELECT q, r.state, r.field FROM unnest(ARRAY['', '@', NULL, repeat('x', 257)]) WITH ORDINALITY AS u (q, n),
	   t.refusal(format('SELECT chemchat.find_users(t.id(''alice''), %L)', q)) AS r ORDER BY n;

-- Pages of channels, by title, with a cursor.
SELECT chemchat.create_conversation(t.id('alice'), 'channel', 'Room ' || n, '{}', NULL, NULL, true) IS NOT NULL AS made
  FROM generate_series(1, 5) AS n;
WITH RECURSIVE page AS (
	SELECT 1 AS n, (SELECT array_agg(c.title) FROM chemchat.public_channels(t.id('bob'), NULL, NULL, 3) AS c) AS titles,
		   (SELECT c.cursor FROM chemchat.public_channels(t.id('bob'), NULL, NULL, 3) AS c OFFSET 2) AS cursor
	UNION ALL
	SELECT n + 1, (SELECT array_agg(c.title) FROM chemchat.public_channels(t.id('bob'), NULL, page.cursor, 3) AS c),
		   (SELECT c.cursor FROM chemchat.public_channels(t.id('bob'), NULL, page.cursor, 3) AS c OFFSET 2)
	  FROM page WHERE cursor IS NOT NULL)
SELECT n, titles FROM page;
SELECT * FROM t.refusal($$ SELECT chemchat.public_channels(t.id('bob'), NULL, 'x') $$);
SELECT * FROM t.hole;
SELECT pg_drop_replication_slot('s');

-- A short beginning that everybody has is as quick as a long one: no more is read
-- than is told, twice.  Whose handle begins so is told once; others by their names.
INSERT INTO chemchat.app_user (id, handle, display_name, rev, created_at)
SELECT t.id('zz' || n), 'zz' || n, CASE WHEN n % 2 = 0 THEN 'zz' || n ELSE 'Zz Top ' || n END, 1, now() FROM generate_series(1, 3000) AS n;
INSERT INTO chemchat.app_user (id, handle, display_name, rev, created_at)
SELECT t.id('y' || n), 'y' || n, 'Zzyx ' || n, 1, now() FROM generate_series(1, 3) AS n;
ANALYZE chemchat.app_user;
-- what was counted before is told first, so that only this is counted
SELECT pg_stat_force_next_flush() \gset
BEGIN;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT count(*) AS rows, count(DISTINCT id) AS users FROM chemchat.find_users(t.id('alice'), 'z', 50);
SELECT seq_tup_read + idx_tup_fetch <= 160 AS is_bounded FROM pg_stat_xact_user_tables
 WHERE schemaname = 'chemchat' AND relname = 'app_user';
COMMIT;
SELECT string_agg(handle, ' ') AS found FROM chemchat.find_users(t.id('alice'), 'zzy');
SELECT string_agg(handle, ' ') AS found FROM chemchat.find_users(t.id('alice'), 'ZZ15', 5);
