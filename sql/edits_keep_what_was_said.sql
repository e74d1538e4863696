-- An edit is the sender's alone, is one change with one event, keeps the body
-- before, and may be repeated.
CALL t.people();
SELECT 'made' FROM pg_create_logical_replication_slot('told', 'chemchat');
SELECT seq, ev, rev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'one');
SELECT seq, ev, rev FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k2'), 'two');
SELECT seq, ev, rev, is_duplicate, edited_at > created_at AS later
  FROM chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'one, mended'),
	   LATERAL (SELECT m.created_at FROM chemchat.message AS m WHERE m.seq = 1) AS m;
-- The same again is the same edit, also of who believes in the rev before.
SELECT seq, ev, rev, is_duplicate FROM chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'one, mended');
SELECT seq, ev, rev, is_duplicate FROM chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'one, mended', 1);
SELECT state, field, message FROM t.refusal($$ SELECT chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'another', 1) $$);
SELECT ev, rev FROM chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'one, mended twice', 2);
SELECT ev, rev FROM chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'one');
-- Numbers go on from the last message and the last change.
SELECT seq, ev, rev FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k3'), 'three');
SELECT * FROM t.hole;

-- What it said before, and when; who is a member may know.
SELECT r.rev, r.body, r.written_at = m.created_at AS is_first
  FROM chemchat.revisions(t.id('bob'), t.id('lab'), 1) AS r, chemchat.message AS m WHERE m.seq = 1;
SELECT count(*) AS never_edited FROM chemchat.revisions(t.id('bob'), t.id('lab'), 2);
-- In pages.
SELECT r.rev, r.body FROM chemchat.revisions(t.id('bob'), t.id('lab'), 1, NULL, 2) AS r;
SELECT r.rev, r.body FROM chemchat.revisions(t.id('bob'), t.id('lab'), 1, 2, 2) AS r;
SELECT max_rows, state, field FROM unnest(ARRAY[0, 201]) AS max_rows,
	   LATERAL t.refusal(format('SELECT chemchat.revisions(t.id(''bob''), t.id(''lab''), 1, NULL, %s)', max_rows));

-- Refusals, and what they leave: nothing.
CREATE TABLE attempt (n serial, statement text);
INSERT INTO attempt (statement) VALUES
	($$ edit_message(t.id('bob'), t.id('lab'), 1, 'mine') $$),
	($$ edit_message(t.id('carol'), t.id('lab'), 1, 'mine') $$),
	($$ edit_message(t.id('carol'), t.id('attic'), 1, 'mine') $$),
	($$ edit_message(t.id('alice'), t.id('lab'), 4, 'none') $$),
	($$ edit_message(t.id('alice'), t.id('lab'), 0, 'none') $$),
	($$ edit_message(t.id('alice'), t.id('lab'), NULL, 'none') $$),
	($$ edit_message(t.id('alice'), NULL, 1, 'none') $$),
	($$ edit_message(NULL, t.id('lab'), 1, 'none') $$),
	($$ edit_message(t.id('erin'), t.id('lab'), 1, 'none') $$),
	($$ edit_message(t.id('alice'), t.id('lab'), 1, '') $$),
	($$ edit_message(t.id('alice'), t.id('lab'), 1, NULL) $$),
	($$ edit_message(t.id('alice'), t.id('lab'), 1, repeat('é', 8193)) $$),
	($$ revisions(t.id('carol'), t.id('lab'), 1) $$),
	($$ revisions(t.id('bob'), t.id('lab'), 9) $$);
SELECT statement, r.* FROM attempt, LATERAL t.refusal('SELECT chemchat.' || statement) AS r ORDER BY n;
UPDATE chemchat.conversation SET archived_at = now() WHERE id = t.id('lab');
SELECT state, field FROM t.refusal($$ SELECT chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'x') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k4'), 'x') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.react(t.id('alice'), t.id('lab'), 1, '🧪') $$);
SELECT item, code FROM chemchat.send_messages(ARRAY[t.id('alice'), t.id('carol')], ARRAY[t.id('lab'), t.id('lab')],
	ARRAY[t.id('k1'), t.id('k1')], ARRAY['one', 'one']);
UPDATE chemchat.conversation SET archived_at = NULL WHERE id = t.id('lab');
UPDATE chemchat.app_user SET deactivated_at = now() WHERE id = t.id('alice');
SELECT state, field FROM t.refusal($$ SELECT chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'x') $$);
SELECT state, field FROM t.refusal($$ SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k4'), 'x') $$);
UPDATE chemchat.app_user SET deactivated_at = NULL WHERE id = t.id('alice');

-- A retry of the send finds its message, however often that was edited.
SELECT ev FROM chemchat.edit_message(t.id('alice'), t.id('lab'), 1, 'at last');
SELECT seq, ev, rev, is_duplicate FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'one');
SELECT state FROM t.refusal($$ SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'at last') $$);

-- One event per edit, the message as it then was.
SELECT kind, ev, seq, rev, event->>'body' AS body, event->>'editedAt' IS NOT NULL AS edited FROM t.events('told');
-- Who comes later gets the last of them, at its ev.
SELECT e->>'ev' AS ev, e->>'rev' AS rev, e->>'body' AS body
  FROM chemchat.changes_since(t.id('bob'), t.id('lab'), 3), json_array_elements(events) AS e;
SELECT seq, body, rev, event->>'body' = body AS is_told FROM chemchat.history(t.id('bob'), t.id('lab'));
SELECT 'dropped' FROM pg_drop_replication_slot('told');
