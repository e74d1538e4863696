-- One (sender, conversation, client_msg_id) is one message, whatever is asked.
CALL t.people();
CREATE TABLE first AS
SELECT * FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'one');
SELECT seq, ev, rev, is_duplicate FROM first;

-- A retry is answered with the original, field by field.
SELECT r.is_duplicate, (r.id, r.seq, r.ev, r.rev, r.created_at)
		   = (f.id, f.seq, f.ev, f.rev, f.created_at) AS is_original
  FROM first AS f, chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'one') AS r;
SELECT r.code, r.is_duplicate, (r.id, r.seq, r.ev, r.rev, r.created_at)
		   = (f.id, f.seq, f.ev, f.rev, f.created_at) AS is_original
  FROM first AS f, chemchat.send_messages(ARRAY[t.id('alice')], ARRAY[t.id('lab')],
	ARRAY[t.id('k1')], ARRAY['one']) AS r;

-- Another body is not a retry.
SELECT state, field, message FROM t.refusal($$
	SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'One') $$);

-- The key is the sender's and the conversation's own.
SELECT seq, ev, is_duplicate
  FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k1'), 'bob''s');
SELECT chemchat.create_conversation(t.id('alice'), 'group', NULL, '{}', t.id('den')) IS NOT NULL AS made;
SELECT seq, ev, is_duplicate
  FROM chemchat.send_message(t.id('alice'), t.id('den'), t.id('k1'), 'in the den');

-- Who has left meanwhile still learns that her message is there, and nothing
-- more: a definite refusal would mean that it is not.
SELECT ev, is_duplicate FROM chemchat.remove_member(t.id('bob'), t.id('lab'), t.id('bob'));
SELECT seq, is_duplicate
  FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k1'), 'bob''s');
SELECT state, field FROM t.refusal($$
	SELECT chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k2'), 'again') $$);

-- After an edit the first body is what counts.
UPDATE chemchat.message SET body = 'edited', edited_at = now()
 WHERE sender = t.id('alice') AND conversation_id = t.id('lab');
SELECT seq, is_duplicate
  FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'one');
SELECT state FROM t.refusal($$
	SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'edited') $$);

-- Inside one batch too: equal keys are one message.
SELECT item, code, field, seq, ev, is_duplicate
  FROM chemchat.send_messages(
	array_fill(t.id('alice'), ARRAY[4]), array_fill(t.id('lab'), ARRAY[4]),
	ARRAY[t.id('k3'), t.id('k3'), t.id('k3'), t.id('k4')],
	ARRAY['three', 'three', 'THREE', 'four']);
SELECT count(*), count(DISTINCT id) AS ids FROM chemchat.message
 WHERE client_msg_id = t.id('k3');
-- ... and both answers name the same row.
CREATE TABLE answer AS
SELECT r.id, r.seq, r.is_duplicate
  FROM chemchat.send_messages(
	array_fill(t.id('alice'), ARRAY[2]), array_fill(t.id('lab'), ARRAY[2]),
	array_fill(t.id('k5'), ARRAY[2]), ARRAY['five', 'five']) AS r;
SELECT a.seq, a.is_duplicate, m.body
  FROM answer AS a LEFT JOIN chemchat.message AS m USING (id);

-- The other retries.
SELECT rev, is_duplicate FROM chemchat.create_user('alice', 'Another Name', t.id('alice'));
SELECT display_name FROM chemchat.app_user WHERE handle = 'alice';
SELECT id = t.id('lab') AS is_lab, ev, is_duplicate
  FROM chemchat.create_conversation(t.id('alice'), 'group', 'The Lab',
									ARRAY[t.id('bob')], t.id('lab'));
SELECT * FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'));
SELECT * FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'));
SELECT * FROM t.hole;
