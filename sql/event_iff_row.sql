-- A row changes if and only if its event is written: the slot tells exactly
-- what the tables hold, in ev order.
SELECT 'made' FROM pg_create_logical_replication_slot('told', 'chemchat');
CALL t.people();
CREATE FUNCTION t.zero() RETURNS uuid LANGUAGE sql AS $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$;
SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'kept') IS NOT NULL AS sent;
BEGIN;
SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'rolled back') IS NOT NULL AS sent;
SELECT chemchat.create_user('erin', NULL, t.id('erin')) IS NOT NULL AS made;
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol')) IS NOT NULL AS added;
ROLLBACK TO a;
SELECT chemchat.add_member(t.id('alice'), t.id('lab'), t.id('dave')) IS NOT NULL AS added;
COMMIT;
-- Retries and refusals write nothing.
SELECT is_duplicate FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'kept');
SELECT is_duplicate FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('dave'));
SELECT state FROM t.refusal($$ SELECT chemchat.send_message(t.id('carol'), t.id('lab'), t.id('k3'), 'x') $$);
SELECT state FROM t.refusal($$ SELECT chemchat.create_user('alice') $$);
SELECT item, code FROM chemchat.send_messages(
	ARRAY[t.id('bob'), t.id('carol'), t.id('bob'), t.id('bob')],
	array_fill(t.id('lab'), ARRAY[4]),
	ARRAY[t.id('k4'), t.id('k4'), t.id('k4'), t.id('k5')],
	ARRAY['four', 'four', 'four', 'five']);
-- Every kind of entity, and every way in which it changes; each twice, of which one is a retry.
CREATE TABLE deed (n serial, statement text);
INSERT INTO deed (statement) VALUES
	('send_message(t.id(''alice''), t.id(''lab''), t.id(''k6''), ''@dave, see'', 2)'),
	('edit_message(t.id(''bob''), t.id(''lab''), 2, ''four, mended'')'),
	('react(t.id(''dave''), t.id(''lab''), 2, ''+1'')'),
	('react(t.id(''dave''), t.id(''lab''), 2, ''-1'')'),
	('react(t.id(''dave''), t.id(''lab''), 2, ''-1'', false)'),
	('delete_message(t.id(''bob''), t.id(''lab''), 3)'),
	('update_user(t.id(''dave''), ''Dave the Brave'')'),
	('create_conversation(t.id(''dave''), ''channel'', ''News'', ''{}'', t.id(''news''), ''what is new'', true)'),
	('update_conversation(t.id(''dave''), t.id(''news''), NULL, ''what was new'')'),
	('invite(t.id(''dave''), t.id(''news''), t.id(''carol''))'),
	('join_conversation(t.id(''carol''), t.id(''news''))'),
	('mark(t.id(''alice''), t.id(''lab''), 3, 4)'),
	('set_preference(t.id(''alice''), t.id(''lab''), true, NULL, ''mentions'')'),
	('block_user(t.id(''alice''), t.id(''carol''))'),
	('block_user(t.id(''carol''), t.id(''alice''))'),
	('block_user(t.id(''carol''), t.id(''alice''), false)'),
	('deactivate_user(t.id(''carol''))');
CREATE FUNCTION t.duplicates() RETURNS TABLE (n int, first boolean, second boolean) LANGUAGE plpgsql AS $$
DECLARE
	d deed;
BEGIN
	FOR d IN SELECT * FROM deed ORDER BY deed.n LOOP
		EXECUTE 'SELECT is_duplicate FROM chemchat.' || d.statement INTO first;
		EXECUTE 'SELECT is_duplicate FROM chemchat.' || d.statement INTO second;
		n := d.n;
		RETURN NEXT;
	END LOOP;
END
$$;
SELECT count(*) FILTER (WHERE NOT first) AS done, count(*) FILTER (WHERE second) AS repeated, count(*) AS deeds FROM t.duplicates();
SELECT ev FROM chemchat.remove_member(t.id('bob'), t.id('lab'), t.id('bob'));

CREATE TABLE told AS SELECT row_number() OVER () AS n, * FROM t.events('told');
SELECT kind, key, CASE kind WHEN 'message' THEN '' ELSE id END AS id, ev, seq, rev,
	   replay, event->>'body' AS body, event->>'state' AS state
  FROM told ORDER BY n;

-- Event by event as the rows are, and no row without its event.
SELECT count(*) AS differences FROM (
	SELECT e.event::jsonb FROM chemchat._entity AS e
	UNION ALL
	SELECT u.event::jsonb
	  FROM unnest('{u,s,n,b}'::"char"[]) AS k, chemchat._user_entities(k, t.zero(), t.zero(), 1000) AS u
	EXCEPT
	SELECT event::jsonb FROM told) AS untold;
SELECT kind, id, ev, event->>'state' AS told_state FROM told
 WHERE event::jsonb NOT IN (SELECT e.event::jsonb FROM chemchat._entity AS e)
   AND ev IS NOT NULL;

-- The JSON, to the byte.
SELECT regexp_replace(regexp_replace(event::text, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g'),
					  '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', '<time>', 'g') AS json
  FROM (SELECT DISTINCT ON (kind, has) event, n FROM told, LATERAL (SELECT ARRAY[event->>'replyTo', event->>'editedAt', event->>'deletedAt', event->>'topic',
			event->>'deactivatedAt', event->>'createdAt', event->>'title', event->>'state']) AS h (all_of),
			LATERAL (SELECT array_agg(x IS NULL) FROM unnest(all_of) AS x) AS there (has) ORDER BY kind, has, n) AS one ORDER BY n;
SELECT (event->>'createdAt')::timestamptz = m.created_at AS same_moment,
	   event->>'id' = m.id::text AS same_id
  FROM told JOIN chemchat.message AS m ON m.conversation_id = t.id('lab') AND m.seq = told.seq
 ORDER BY m.seq;

-- Whatever a body holds comes through.
CREATE TABLE odd (n int, body text);
INSERT INTO odd VALUES (1, E'quote " backslash \\ slash / tab \t newline \n return \r'),
	(2, E'\b\f\x01\x1f\x7f'), (3, '😀 é 漢 ‮ﷺ'), (4, E'\u2028\u2029\ufeff'),
	(5, '{"kind":"message"}'), (6, ' '), (7, repeat('é', 8192)), (8, E'a\x0bb');
SELECT count(s.seq) AS sent FROM odd,
	   LATERAL chemchat.send_message(t.id('alice'), t.id('lab'), t.id('odd' || n), body) AS s;
SELECT count(*) AS told, bool_and(event->>'body' = odd.body) AS all_equal
  FROM t.events('told') AS e JOIN odd ON e.event->>'clientMsgId' = t.id('odd' || odd.n)::text;

-- A trace goes with the events of its transaction, or of its item.
BEGIN;
SET LOCAL chemchat.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('traced'), 'traced');
COMMIT;
SELECT code, seq FROM chemchat.send_messages(ARRAY[t.id('alice'), t.id('alice')],
	ARRAY[t.id('lab'), t.id('lab')], ARRAY[t.id('traced2'), t.id('traced3')],
	ARRAY['x', 'y'], ARRAY['00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', NULL]);
-- In the frame: 32 bytes of its header, 8 before the event record, whose byte 3
-- is the length of the trace and whose byte 72 its beginning.
SELECT get_byte(data, 43) AS trace_length,
	   convert_from(substring(data FROM 113 FOR get_byte(data, 43)), 'UTF8') AS trace
  FROM pg_logical_slot_get_binary_changes('told', NULL, NULL, 'proto', '1');
SET chemchat.traceparent = 'not a trace';
SELECT 'dropped' FROM pg_drop_replication_slot('told');
