-- No item raises for the others, and every item is answered in its place.
CALL t.people();
SELECT chemchat.create_conversation(t.id('alice'), 'channel', 'News', ARRAY[t.id('bob')], t.id('news')) IS NOT NULL AS made;
SELECT role.ev FROM chemchat.add_member(t.id('alice'), t.id('news'), t.id('carol'), 'guest') AS role;
SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('old'), 'old') IS NOT NULL AS sent;

CREATE TABLE item (n serial, actor uuid, conversation_id uuid, client_msg_id uuid, body text, trace text);
INSERT INTO item (actor, conversation_id, client_msg_id, body, trace) VALUES
	(t.id('alice'), t.id('lab'), t.id('k1'), 'one', NULL),
	(NULL, t.id('lab'), t.id('k2'), 'x', NULL),
	(t.id('alice'), NULL, t.id('k3'), 'x', NULL),
	(t.id('alice'), t.id('lab'), NULL, 'x', NULL),
	(t.id('alice'), t.id('lab'), t.id('k4'), NULL, NULL),
	(t.id('alice'), t.id('lab'), t.id('k5'), '', NULL),
	(t.id('alice'), t.id('lab'), t.id('k6'), repeat('x', 16385), NULL),
	(t.id('carol'), t.id('lab'), t.id('k7'), 'a stranger', NULL),
	(t.id('carol'), t.id('news'), t.id('k7'), 'a guest', NULL),
	(t.id('alice'), t.id('attic'), t.id('k8'), 'nowhere', NULL),
	(t.id('alice'), t.id('lab'), t.id('old'), 'old', NULL),
	(t.id('alice'), t.id('lab'), t.id('old'), 'new', NULL),
	(t.id('bob'), t.id('news'), t.id('k9'), 'two', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
	(t.id('bob'), t.id('news'), t.id('k10'), 'x', 'garbage'),
	(t.id('bob'), t.id('news'), t.id('k11'), 'three', ''),
	(t.id('bob'), t.id('lab'), t.id('k1'), 'bob''s own k1', NULL),
	(t.id('alice'), t.id('lab'), t.id('k1'), 'one', NULL),
	(t.id('alice'), t.id('lab'), t.id('k6'), 'now short enough', NULL);
CREATE TABLE answer AS
SELECT r.* FROM (SELECT array_agg(actor ORDER BY n) AS a, array_agg(conversation_id ORDER BY n) AS c,
						array_agg(client_msg_id ORDER BY n) AS k, array_agg(body ORDER BY n) AS b,
						array_agg(trace ORDER BY n) AS t FROM item) AS all_items,
	   chemchat.send_messages(a, c, k, b, t) AS r;
SELECT item, code, field, seq, ev, rev, is_duplicate, id IS NOT NULL AS has_id,
	   created_at IS NOT NULL AS has_time FROM answer ORDER BY item;
-- What was answered ok is there, in its place, and nothing else.
SELECT t.name(m.conversation_id) AS conversation, m.seq, t.name(m.sender) AS sender, m.body,
	   array_agg(a.item ORDER BY a.item) AS items
  FROM chemchat.message AS m LEFT JOIN answer AS a USING (id)
 GROUP BY m.conversation_id, m.seq, m.sender, m.body ORDER BY conversation, m.seq;
SELECT * FROM t.hole;

-- Nothing asked, nothing answered.
SELECT count(*) FROM chemchat.send_messages('{}', '{}', '{}', '{}');
SELECT count(*) FROM chemchat.send_messages('{}', '{}', '{}', '{}', '{}');
-- The largest batch.
SELECT code, count(*), min(seq), max(seq), count(DISTINCT id) AS ids
  FROM (SELECT array_agg(t.id('alice')) AS a, array_agg(t.id('lab')) AS c,
			   array_agg(t.id('n' || n) ORDER BY n) AS k, array_agg('m' || n ORDER BY n) AS b
		  FROM generate_series(1, 1000) AS n) AS thousand,
	   chemchat.send_messages(a, c, k, b) GROUP BY code;
SELECT bool_and(body = 'm' || seq - 4) AS in_order FROM chemchat.message
 WHERE conversation_id = t.id('lab') AND body ~ '^m\d';
SELECT * FROM t.hole;
