-- Every refusal has one of our SQLSTATEs, a HINT, and names its argument.
CALL t.people();
SELECT chemchat.create_conversation(t.id('alice'), 'direct', NULL, ARRAY[t.id('bob')], t.id('tea')) IS NOT NULL AS made;
SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'one') IS NOT NULL AS sent;
UPDATE chemchat.app_user SET deactivated_at = now() WHERE id = t.id('dave');

CREATE TABLE call (n serial, statement text);
INSERT INTO call (statement) VALUES
-- users
($$create_user(NULL)$$),
($$create_user('')$$),
($$create_user('Alice')$$),
($$create_user('a b')$$),
($$create_user(E'erin\n')$$),
($$create_user('erin', '')$$),
($$create_user('erin', repeat('x', 257))$$),
($$create_user(repeat('x', 65))$$),
($$create_user('alice')$$),
($$create_user('erin', NULL, t.id('alice'))$$),
($$create_user('bob', NULL, t.id('alice'))$$),
-- conversations
($$create_conversation(NULL, 'group')$$),
($$create_conversation(t.id('alice'), NULL)$$),
($$create_conversation(t.id('alice'), 'party')$$),
($$create_conversation(t.id('alice'), 'group', '')$$),
($$create_conversation(t.id('alice'), 'group', repeat('x', 1025))$$),
($$create_conversation(t.id('alice'), 'group', NULL, NULL)$$),
($$create_conversation(t.id('alice'), 'group', NULL, ARRAY[NULL]::uuid[])$$),
($$create_conversation(t.id('alice'), 'group', NULL, array_fill(t.id('bob'), ARRAY[1001]))$$),
($$create_conversation(t.id('alice'), 'group', NULL, array_fill(t.id('bob'), ARRAY[2, 2]))$$),
($$create_conversation(t.id('alice'), 'group', NULL, ARRAY[t.id('erin')])$$),
($$create_conversation(t.id('alice'), 'group', NULL, ARRAY[t.id('dave')])$$),
($$create_conversation(t.id('erin'), 'group')$$),
($$create_conversation(t.id('dave'), 'group')$$),
($$create_conversation(t.id('alice'), 'direct')$$),
($$create_conversation(t.id('alice'), 'direct', NULL, ARRAY[t.id('bob'), t.id('carol')])$$),
($$create_conversation(t.id('alice'), 'direct', NULL, ARRAY[t.id('alice')])$$),
($$create_conversation(t.id('bob'), 'group', NULL, '{}', t.id('lab'))$$),
-- members
($$add_member(NULL, t.id('lab'), t.id('carol'))$$),
($$add_member(t.id('alice'), NULL, t.id('carol'))$$),
($$add_member(t.id('alice'), t.id('lab'), NULL)$$),
($$add_member(t.id('alice'), t.id('lab'), t.id('carol'), NULL)$$),
($$add_member(t.id('alice'), t.id('lab'), t.id('carol'), 'king')$$),
($$add_member(t.id('alice'), t.id('lab'), t.id('erin'))$$),
($$add_member(t.id('alice'), t.id('lab'), t.id('dave'))$$),
($$add_member(t.id('alice'), t.id('attic'), t.id('carol'))$$),
($$add_member(t.id('carol'), t.id('lab'), t.id('carol'))$$),
($$add_member(t.id('bob'), t.id('lab'), t.id('carol'))$$),
($$add_member(t.id('alice'), t.id('tea'), t.id('carol'))$$),
($$remove_member(NULL, t.id('lab'), t.id('bob'))$$),
($$remove_member(t.id('alice'), NULL, t.id('bob'))$$),
($$remove_member(t.id('alice'), t.id('lab'), NULL)$$),
($$remove_member(t.id('alice'), t.id('lab'), t.id('carol'))$$),
($$remove_member(t.id('bob'), t.id('lab'), t.id('alice'))$$),
($$remove_member(t.id('carol'), t.id('lab'), t.id('bob'))$$),
($$remove_member(t.id('carol'), t.id('lab'), t.id('carol'))$$),
($$remove_member(t.id('alice'), t.id('attic'), t.id('bob'))$$),
-- messages
($$send_message(NULL, t.id('lab'), t.id('k2'), 'x')$$),
($$send_message(t.id('alice'), NULL, t.id('k2'), 'x')$$),
($$send_message(t.id('alice'), t.id('lab'), NULL, 'x')$$),
($$send_message(t.id('alice'), t.id('lab'), t.id('k2'), NULL)$$),
($$send_message(t.id('alice'), t.id('lab'), t.id('k2'), '')$$),
($$send_message(t.id('alice'), t.id('lab'), t.id('k2'), repeat('x', 16385))$$),
($$send_message(t.id('alice'), t.id('lab'), t.id('k2'), repeat('é', 8193))$$),
($$send_message(t.id('alice'), t.id('lab'), t.id('k2'), repeat('x', 100000000))$$),
($$send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'two')$$),
($$send_message(t.id('carol'), t.id('lab'), t.id('k2'), 'x')$$),
($$send_message(t.id('erin'), t.id('lab'), t.id('k2'), 'x')$$),
($$send_message(t.id('alice'), t.id('attic'), t.id('k2'), 'x')$$),
($$send_messages(NULL, '{}', '{}', '{}')$$),
($$send_messages('{}', NULL, '{}', '{}')$$),
($$send_messages('{}', '{}', NULL, '{}')$$),
($$send_messages('{}', '{}', '{}', NULL)$$),
($$send_messages(ARRAY[t.id('alice')], '{}', '{}', '{}')$$),
($$send_messages('{}', '{}', '{}', '{x}')$$),
($$send_messages('{}', '{}', '{}', '{}', '{x}')$$),
($$send_messages(ARRAY[ARRAY[t.id('alice')]], ARRAY[t.id('lab')], ARRAY[t.id('k2')], '{x}')$$),
($$send_messages(array_fill(t.id('alice'), ARRAY[1001]), array_fill(t.id('lab'), ARRAY[1001]), array_fill(t.id('k2'), ARRAY[1001]), array_fill('x'::text, ARRAY[1001]))$$),
-- reading
($$history(NULL, t.id('lab'))$$),
($$history(t.id('alice'), NULL)$$),
($$history(t.id('carol'), t.id('lab'))$$),
($$history(t.id('alice'), t.id('attic'))$$),
($$history(t.id('alice'), t.id('lab'), NULL, 0)$$),
($$history(t.id('alice'), t.id('lab'), NULL, NULL)$$),
($$history(t.id('alice'), t.id('lab'), NULL, 201)$$),
($$changes_since(NULL, t.id('lab'), 0)$$),
($$changes_since(t.id('alice'), NULL, 0)$$),
($$changes_since(t.id('alice'), t.id('lab'), NULL)$$),
($$changes_since(t.id('alice'), t.id('lab'), -1)$$),
($$changes_since(t.id('alice'), t.id('lab'), 0, 0, 501)$$),
($$changes_since(t.id('carol'), t.id('lab'), 0)$$),
($$heads(NULL)$$),
($$users(NULL, '{}')$$),
($$users(t.id('alice'), NULL)$$),
($$users(t.id('alice'), ARRAY[NULL]::uuid[])$$),
($$users(t.id('alice'), array_fill(t.id('bob'), ARRAY[201]))$$),
($$users(t.id('alice'), array_fill(t.id('bob'), ARRAY[2, 2]))$$),
($$live_heads(NULL)$$),
($$live_heads(ARRAY[NULL]::uuid[])$$),
($$live_heads(array_fill(t.id('bob'), ARRAY[2, 2]))$$),
($$live_heads('{}', 64)$$),
($$live_heads('{}', -1)$$),
($$live_heads(array_fill(t.id('bob'), ARRAY[10001]))$$),
($$live_changes(NULL, '{0}')$$),
($$live_changes(ARRAY[NULL]::uuid[], '{0}')$$),
($$live_changes(ARRAY[t.id('lab')], NULL)$$),
($$live_changes(ARRAY[t.id('lab')], '{0,1}')$$),
($$live_changes(ARRAY[t.id('lab')], '{-1}')$$),
($$live_changes(array_fill(t.id('lab'), ARRAY[1001]), array_fill(0::bigint, ARRAY[1001]))$$),
($$live_states(NULL, '{}')$$),
($$live_states('{}', ARRAY[NULL]::uuid[])$$),
($$live_states('{}', array_fill(t.id('lab'), ARRAY[10001]))$$),
($$live_states('{}', '{}', 'yesterday')$$),
($$live_states('{}', '{}', NULL, 64)$$),
($$live_states('{}', '{}', NULL, NULL, 10001)$$),
($$live_audience(NULL, '{}')$$),
($$live_audience('{}', '{}', -1)$$),
($$position_status(NULL, 1, '0/0')$$),
($$position_status('1', NULL, '0/0')$$),
($$position_status('1', 0, '0/0')$$),
($$position_status('1', 1, NULL)$$),
-- the relay's
($$republish(t.id('attic'))$$),
($$republish(NULL, 'x')$$),
($$republish(NULL, 'c/00000000-0000-0000-0000-000000000000/1/1/x')$$),
($$republish(t.id('lab'), 'c/00000000-0000-0000-0000-000000000000/1/1/1')$$),
($$republish(NULL, NULL, 0)$$),
($$republish(NULL, NULL, 10001)$$),
($$slot_name(1, 1)$$),
($$slot_name(NULL, 1)$$),
($$slot_name(0, 0)$$),
($$report_stream(NULL, '1', 1, 1, '{}', '0/0', 0, NULL, true)$$),
($$report_stream('s', '1', 1, 1, '{}', NULL, 0, NULL, true)$$),
($$report_stream('s', '1', 0, 1, '{}', '0/0', 0, NULL, true)$$),
($$report_stream('s', repeat('1', 21), 1, 1, '{}', '0/0', 0, NULL, true)$$),
($$report_stream('s', '1', 1, 1, to_json(repeat('x', 65535)), '0/0', 0, NULL, true)$$),
($$report_stream('s', '1', 1, 1, '{}', '0/0', 0, repeat('x', 1025), true)$$);
SELECT c.n, left(c.statement, 60) AS call, r.state, r.field, r.message, r.has_hint
  FROM call AS c, t.refusal('SELECT * FROM chemchat.' || c.statement) AS r
 ORDER BY c.n;

-- The limits themselves are inside.
SELECT count(*) AS accepted FROM (
	SELECT FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k10'), repeat('x', 16384))
	UNION ALL
	SELECT FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k11'), repeat('😀', 4096))
	UNION ALL
	SELECT FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k12'), ' ')
	UNION ALL
	SELECT FROM chemchat.create_user(repeat('x', 64), repeat('x', 256))
	UNION ALL
	SELECT FROM chemchat.create_conversation(t.id('alice'), 'channel', repeat('x', 1024))) AS ok;

-- As a client sees it.
\set VERBOSITY sqlstate
SELECT chemchat.send_message(t.id('carol'), t.id('lab'), t.id('k2'), 'x');
\set VERBOSITY default
SELECT chemchat.send_message(t.id('carol'), t.id('lab'), t.id('k2'), 'x');

-- Unknown, not a member, and never was: one answer, to the letter.
SELECT count(DISTINCT (r.state, r.field, r.message)) AS answers
  FROM unnest(ARRAY['lab', 'attic']) AS c,
	   unnest(ARRAY['send_message(t.id(''carol''), t.id(%L), t.id(''k2''), ''x'')',
					'history(t.id(''carol''), t.id(%L))',
					'changes_since(t.id(''carol''), t.id(%L), 0)',
					'add_member(t.id(''carol''), t.id(%L), t.id(''carol''))',
					'remove_member(t.id(''carol''), t.id(%L), t.id(''bob''))']) AS f,
	   t.refusal('SELECT chemchat.' || format(f, c)) AS r;

-- One list: what the functions can answer is what is documented.
SELECT DISTINCT r.state FROM call AS c, t.refusal('SELECT * FROM chemchat.' || c.statement) AS r
 ORDER BY r.state;
-- A code that is not in it is a bug of ours.
SELECT state, message FROM t.refusal($$ SELECT chemchat._raise('no_such_code', NULL) $$);
