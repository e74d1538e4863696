-- What the permission table says is what the functions do: every kind of
-- conversation, every role, every verb, and what was just left.
CALL t.people();
SELECT kind, role, string_agg(verb, ' ' ORDER BY verb) AS verbs
  FROM chemchat.permission GROUP BY kind, role ORDER BY kind, role;

-- One conversation per kind and role, in which erin has the role; alice owns.
SELECT chemchat.create_user('erin', NULL, t.id('erin')) IS NOT NULL AS made;
CREATE TABLE room (kind text, role text, id uuid DEFAULT gen_random_uuid());
INSERT INTO room (kind, role)
SELECT k, r FROM unnest(ARRAY['channel', 'direct', 'group']) AS k,
	   unnest(ARRAY['owner', 'admin', 'member', 'guest', 'removed', 'stranger']) AS r;
INSERT INTO chemchat.conversation (id, kind, title, ev, rev, created_ev, created_by, created_at)
SELECT id, kind, NULL, 1, 1, 1, t.id('alice'), now() FROM room;
INSERT INTO chemchat.change (conversation_id, ev, id, kind)
SELECT id, ev, CASE ev WHEN 1 THEN id WHEN 2 THEN t.id('alice') WHEN 3 THEN t.id('bob')
		   WHEN 4 THEN t.id('erin') END, CASE ev WHEN 1 THEN 'c' ELSE 'p' END
  FROM room, generate_series(1, 4) AS ev;
INSERT INTO chemchat.member
SELECT room.id, t.id(m.name), m.role, 'joined', m.ev, 1, t.id('alice'), now()
  FROM room, (VALUES ('alice', 'owner', 2), ('bob', 'member', 3)) AS m (name, role, ev);
INSERT INTO chemchat.member
SELECT id, t.id('erin'), CASE role WHEN 'removed' THEN 'member' ELSE role END,
	   CASE role WHEN 'removed' THEN 'removed' ELSE 'joined' END, 4, 1, t.id('alice'), now()
  FROM room WHERE role <> 'stranger';

CREATE TABLE attempt (verb text, statement text);
INSERT INTO attempt VALUES
	('read', 'SELECT chemchat.history(t.id(''erin''), %L)'),
	('read', 'SELECT chemchat.changes_since(t.id(''erin''), %L, 0)'),
	('send', 'SELECT chemchat.send_message(t.id(''erin''), %L, gen_random_uuid(), ''x'')'),
	('add_member', 'SELECT chemchat.add_member(t.id(''erin''), %L, t.id(''carol''))'),
	('add_owner', 'SELECT chemchat.add_member(t.id(''erin''), %L, t.id(''carol''), ''owner'')'),
	('add_owner', 'SELECT chemchat.add_member(t.id(''erin''), %L, t.id(''alice''), ''guest'')'),
	('remove_member', 'SELECT chemchat.remove_member(t.id(''erin''), %L, t.id(''bob''))'),
	('remove_owner', 'SELECT chemchat.remove_member(t.id(''erin''), %L, t.id(''alice''))'),
	('leave', 'SELECT chemchat.remove_member(t.id(''erin''), %L, t.id(''erin''))');
-- Each attempt is taken back, so that none changes the next one's answer.
CREATE FUNCTION t.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION USING ERRCODE = 'ZZ999';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE SQLSTATE WHEN 'ZZ999' THEN 'ok' ELSE SQLSTATE END;
END
$$;
CREATE TABLE outcome AS
SELECT room.kind, room.role, a.verb, a.statement, t.attempt(format(a.statement, room.id)) AS got,
	   CASE WHEN room.role = 'stranger' OR (room.role = 'removed' AND a.verb <> 'leave') THEN 'QC001'
			WHEN room.role = 'removed' THEN 'ok'	-- has left already
			WHEN EXISTS (SELECT FROM chemchat.permission AS p
						  WHERE (p.kind, p.role, p.verb) = (room.kind, room.role, a.verb))
			THEN 'ok' ELSE 'QC002' END AS expected
  FROM room, attempt AS a;
SELECT count(*) AS tried, count(*) FILTER (WHERE got = 'ok') AS allowed,
	   count(*) FILTER (WHERE got = 'QC002') AS forbidden,
	   count(*) FILTER (WHERE got = 'QC001') AS not_found FROM outcome;
SELECT * FROM outcome WHERE got <> expected;

-- The batch asks the same wall.
SELECT count(*) AS differences
  FROM (SELECT array_agg(t.id('erin')) AS a, array_agg(id ORDER BY kind, role) AS c,
			   array_agg(gen_random_uuid()) AS k, array_agg('x'::text) AS b,
			   array_agg(kind ORDER BY kind, role) AS kinds,
			   array_agg(role ORDER BY kind, role) AS roles FROM room) AS r,
	   chemchat.send_messages(r.a, r.c, r.k, r.b) AS s
  JOIN outcome AS o ON o.verb = 'send'
 WHERE o.kind = r.kinds[s.item] AND o.role = r.roles[s.item]
   AND s.code <> CASE o.got WHEN 'QC001' THEN 'not_found' WHEN 'QC002' THEN 'forbidden' ELSE 'ok' END;
