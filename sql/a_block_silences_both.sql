-- While one of two blocks the other, neither writes to the other in their
-- direct conversation; both may still read, and take back what they said.
CALL t.people();
SELECT chemchat.create_conversation(t.id('alice'), 'direct', NULL, ARRAY[t.id('bob')], t.id('tea')) IS NOT NULL AS made;
SELECT seq FROM chemchat.send_message(t.id('bob'), t.id('tea'), t.id('k1'), 'hello');
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('tea'), t.id('k2'), 'hello you');
INSERT INTO chemchat.block VALUES (t.id('alice'), t.id('bob'), true, 1, now());
CREATE TABLE attempt (n serial, statement text);
INSERT INTO attempt (statement) VALUES
	('send_message(t.id(%1$L), t.id(''tea''), t.id(''k3''), ''x'')'),
	('send_message(t.id(%1$L), t.id(''tea''), t.id(''k4''), ''x'', 1)'),
	('edit_message(t.id(%1$L), t.id(''tea''), %2$s, ''x'')'),
	('react(t.id(%1$L), t.id(''tea''), 1, ''x'')'),
	('history(t.id(%1$L), t.id(''tea''))'),
	('delete_message(t.id(%1$L), t.id(''tea''), %2$s)');
SELECT who, split_part(statement, '(', 1) AS function, state, field, message
  FROM (VALUES (1, 'bob', 1), (2, 'alice', 2)) AS v (v, who, seq), attempt,
	   LATERAL t.refusal(format('SELECT chemchat.' || statement, who, seq)) ORDER BY v, n;
SELECT item, code, field FROM chemchat.send_messages(ARRAY[t.id('bob'), t.id('bob'), t.id('alice')],
	ARRAY[t.id('tea'), t.id('lab'), t.id('tea')], ARRAY[t.id('k5'), t.id('k5'), t.id('k5')], ARRAY['x', 'x', 'x']);
-- Elsewhere they meet as before; and what is not on is no block.
SELECT state FROM t.refusal($$ SELECT chemchat.react(t.id('bob'), t.id('lab'), 1, 'x') $$);
UPDATE chemchat.block SET is_on = false;
SELECT item, code, seq FROM chemchat.send_messages(ARRAY[t.id('bob'), t.id('alice')],
	ARRAY[t.id('tea'), t.id('tea')], ARRAY[t.id('k6'), t.id('k6')], ARRAY['x', 'x']);
SELECT * FROM t.hole;
