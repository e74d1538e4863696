-- What is deleted keeps its place and its numbers, and no text of it is left.
CALL t.people();
SELECT chemchat.add_member(t.id('alice'), t.id('lab'), n.id, n.role) IS NOT NULL AS added
  FROM (VALUES (t.id('carol'), 'admin'), (t.id('dave'), 'member')) AS n (id, role);
SELECT 'made' FROM pg_create_logical_replication_slot('told', 'chemchat');
SELECT seq FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k1'), 'secret one for @dave');
SELECT seq FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k2'), 'kept');
SELECT ev, rev FROM chemchat.edit_message(t.id('bob'), t.id('lab'), 1, 'secret two for @dave and @alice');
SELECT ev FROM chemchat.react(t.id('alice'), t.id('lab'), 1, '🔥');
SELECT seq FROM chemchat.send_message(t.id('dave'), t.id('lab'), t.id('k3'), 'which?', 1);
SELECT count(*) AS told FROM chemchat.mention;

-- Not by another member; by the sender; again is the same deletion.
SELECT state, field FROM t.refusal($$ SELECT chemchat.delete_message(t.id('dave'), t.id('lab'), 1) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.delete_message(t.id('erin'), t.id('lab'), 1) $$);
SELECT state, field, message FROM t.refusal($$ SELECT chemchat.delete_message(t.id('bob'), t.id('lab'), 7) $$);
SELECT seq, ev, rev, deleted_at IS NOT NULL AS deleted, is_duplicate FROM chemchat.delete_message(t.id('bob'), t.id('lab'), 1);
SELECT seq, ev, rev, is_duplicate FROM chemchat.delete_message(t.id('bob'), t.id('lab'), 1);
-- An admin may take away anybody's; who has lost the right also the retry.
SELECT seq, ev, rev, is_duplicate FROM chemchat.delete_message(t.id('carol'), t.id('lab'), 2);
SELECT state, field FROM t.refusal($$ SELECT chemchat.delete_message(t.id('dave'), t.id('lab'), 2) $$);

-- No text anywhere.
SELECT seq, ev, rev, body, mentions, edited_at IS NOT NULL AS edited, deleted_at IS NOT NULL AS deleted FROM chemchat.message ORDER BY seq;
SELECT (SELECT count(*) FROM chemchat.message_revision) AS revisions, (SELECT count(*) FROM chemchat.mention) AS mentions;
SELECT count(*) AS revisions FROM chemchat.revisions(t.id('alice'), t.id('lab'), 1);
SELECT count(*) AS reactions FROM chemchat.reactions(t.id('alice'), t.id('lab'), ARRAY[1, 2, 3]);
SELECT seq, body, event->>'body' AS told, event->>'deletedAt' IS NOT NULL AS deleted
  FROM chemchat.history(t.id('alice'), t.id('lab'));

-- Nor in what the planner keeps of columns, which outlives the rows.
INSERT INTO chemchat.bot_token (id, user_id, token_hash, created_at)
SELECT t.id('token' || n), t.id('alice'), sha256(n::text::bytea), now() FROM generate_series(1, 3) AS n;
INSERT INTO chemchat.message_revision SELECT t.id('lab'), 9, n, 'secret ' || n, now() FROM generate_series(1, 3) AS n;
ANALYZE chemchat.message, chemchat.message_revision, chemchat.account, chemchat.bot_token;
SELECT count(DISTINCT tablename) AS looked_at, count(*) FILTER (WHERE attname IN ('body', 'password_hash', 'token_hash')) AS kept
  FROM pg_stats WHERE schemaname = 'chemchat' AND tablename IN ('message', 'message_revision', 'bot_token');
DELETE FROM chemchat.message_revision;
DELETE FROM chemchat.bot_token;

-- Nothing more is done with it; an answer that was given stays.
SELECT state, field, message FROM t.refusal($$ SELECT chemchat.edit_message(t.id('bob'), t.id('lab'), 1, 'x') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.react(t.id('alice'), t.id('lab'), 1, '🔥', false) $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.send_message(t.id('dave'), t.id('lab'), t.id('k4'), 'but', 1) $$);
SELECT item, code, field FROM chemchat.send_messages(ARRAY[t.id('dave')], ARRAY[t.id('lab')], ARRAY[t.id('k4')], ARRAY['but'], NULL, ARRAY[1]);
SELECT seq, body FROM chemchat.thread(t.id('bob'), t.id('lab'), 3);
-- A retry of the send is still that message, and brings nothing back.
SELECT seq, ev, rev, is_duplicate FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k1'), 'secret one for @dave');
SELECT count(*) AS bodies FROM chemchat.message WHERE body LIKE 'secret%';

-- Out of the archive too.
UPDATE chemchat.conversation SET archived_at = now() WHERE id = t.id('lab');
SELECT seq, ev FROM chemchat.delete_message(t.id('dave'), t.id('lab'), 3);
SELECT kind, ev, seq, rev, event->>'body' AS body, event->>'mentions' IS NOT NULL AS names, event->>'deletedAt' IS NOT NULL AS deleted
  FROM t.events('told');
SELECT * FROM t.hole;
SELECT 'dropped' FROM pg_drop_replication_slot('told');
