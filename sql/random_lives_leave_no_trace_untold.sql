-- Whatever people do, at random: numbers have no holes, and the last event of
-- every entity is what its row says.
SELECT setseed(0.4242);
SELECT pg_create_logical_replication_slot('s', 'chemchat') IS NOT NULL AS made;
SELECT count(chemchat.create_user('p-' || n, NULL, t.id('p' || n))) FROM generate_series(1, 8) AS n;
SELECT count(chemchat.create_conversation(t.id('p' || n), CASE WHEN n < 3 THEN 'group' ELSE 'channel' END, 'Place ' || n,
	ARRAY[t.id('p' || n + 1), t.id('p' || n + 2)], t.id('place' || n), NULL, n > 4)) FROM generate_series(1, 6) AS n;
SELECT count(chemchat.create_conversation(t.id('p' || n), 'direct', NULL, ARRAY[t.id('p' || n + 1)], t.id('direct' || n)))
  FROM generate_series(1, 3) AS n;
CREATE TABLE act (statement text);
INSERT INTO act VALUES ('join_conversation(%1$L, %3$L)'), ('leave(%1$L, %3$L)'), ('leave(%1$L, %3$L)'),
	('add_member(%1$L, %3$L, %2$L, %4$L)'), ('invite(%1$L, %3$L, %2$L, %4$L)'), ('set_role(%1$L, %3$L, %2$L, %4$L)'),
	('remove_member(%1$L, %3$L, %2$L)'), ('update_conversation(%1$L, %3$L, %5$L)'),
	('update_conversation(%1$L, %3$L, topic => %5$L)'), ('update_conversation(%1$L, %3$L, is_archived => false)'),
	('update_conversation(%1$L, %3$L, is_archived => random() < 0.3)'),
	('update_conversation(%1$L, %3$L, is_public => random() < 0.7)'),
	('send_message(%1$L, %3$L, gen_random_uuid(), %5$L)'), ('send_message(%1$L, %3$L, gen_random_uuid(), ''@p-1 @all'')'),
	('edit_message(%1$L, %3$L, %6$s, %5$L)'), ('delete_message(%1$L, %3$L, %6$s)'), ('react(%1$L, %3$L, %6$s, %5$L, random() < 0.6)'),
	('mark(%1$L, %3$L, %6$s)'), ('mark(%1$L, %3$L, NULL, %6$s)'), ('set_preference(%1$L, %3$L, random() < 0.5)'),
	('set_preference(%1$L, %3$L, notify => ''none'')'), ('block_user(%1$L, %2$L, random() < 0.3)'), ('update_user(%1$L, %5$L)'),
	('create_conversation(%1$L, ''direct'', NULL, ARRAY[%2$L]::uuid[])'),
	('deactivate_user(%1$L)'), ('reactivate_user(%1$L)'), ('reactivate_user(%2$L)');
CREATE TABLE done (statement text, state text, message text);
CREATE PROCEDURE t.live(acts int) LANGUAGE plpgsql AS $$
DECLARE
	what text;
	call text;
BEGIN
	FOR i IN 1..acts LOOP
		what := (SELECT statement FROM act ORDER BY random() LIMIT 1);
		call := 'SELECT * FROM chemchat.' || format(what, t.id('p' || 1 + floor(random() * 8)), t.id('p' || 1 + floor(random() * 8)),
			CASE WHEN random() < 0.8 THEN t.id('place' || 1 + floor(random() * 6)) ELSE t.id('direct' || 1 + floor(random() * 3)) END,
			(ARRAY['owner', 'admin', 'member', 'guest'])[1 + floor(random() * 4)], 'w' || floor(random() * 5), 1 + floor(random() * 9));
		BEGIN
			EXECUTE call;
			INSERT INTO done VALUES (what, 'ok', NULL);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO done VALUES (what, SQLSTATE, SQLERRM);
		END;
	END LOOP;
END
$$;
CALL t.live(4000);
-- What was refused was refused by name; and every act was done at least once.
SELECT DISTINCT state, message FROM done WHERE state NOT LIKE 'QC0__' AND state <> 'ok';
SELECT statement FROM act EXCEPT SELECT statement FROM done WHERE state = 'ok';
SELECT * FROM t.hole;
SELECT count(*) > 1000 AS enough FROM done WHERE state = 'ok';
-- The last event of every entity is its row, and every row has one.
CREATE TABLE told AS
SELECT DISTINCT ON (kind, key, id) kind, key, id, rev, event::jsonb AS event
  FROM (SELECT d->>'kind' AS kind, d->>'key' AS key, d->>'id' AS id, (d->>'rev')::bigint AS rev, d->'event' AS event, n
		  FROM pg_logical_slot_get_changes('s', NULL, NULL, 'proto', '1', 'format', 'json') WITH ORDINALITY AS c (lsn, xid, data, n),
			   LATERAL (SELECT c.data::json AS d) AS parsed) AS e
 ORDER BY kind, key, id, n DESC;
CREATE TABLE stands AS
SELECT event::jsonb AS event FROM chemchat._entity
UNION ALL SELECT chemchat._user_json(u)::jsonb FROM chemchat.app_user AS u
UNION ALL SELECT chemchat._cursor_json(s)::jsonb FROM chemchat.member_state AS s WHERE cursor_rev > 0
UNION ALL SELECT chemchat._preference_json(s)::jsonb FROM chemchat.member_state AS s WHERE preference_rev > 0
UNION ALL SELECT chemchat._block_json(b)::jsonb FROM chemchat.block AS b;
SELECT count(*) AS untold FROM (SELECT event FROM stands EXCEPT ALL SELECT event FROM told) AS u;
SELECT count(*) AS not_standing FROM (SELECT event FROM told EXCEPT ALL SELECT event FROM stands) AS u;
SELECT count(*) AS rows_without_rev FROM chemchat.member_state WHERE cursor_rev = 0 AND preference_rev = 0;
-- A client that comes now is told the same as the rows say.
SELECT count(*) AS wrong_heads
  FROM generate_series(1, 8) AS n JOIN chemchat.app_user AS u ON u.id = t.id('p' || n) AND u.deactivated_at IS NULL,
	   LATERAL chemchat.heads(u.id) AS h
 WHERE (h.ev, h.seq, h.mentions) IS DISTINCT FROM (
	(SELECT max(ev) FROM chemchat.change AS c WHERE c.conversation_id = h.conversation_id),
	coalesce((SELECT max(seq) FROM chemchat.message AS m WHERE m.conversation_id = h.conversation_id), 0),
	(SELECT count(*)::int FROM chemchat.mention AS m WHERE m.conversation_id = h.conversation_id AND m.user_id = u.id AND m.seq > h.read_seq))
	OR (h.kind = 'direct') <> (h.other_id IS NOT NULL);
SELECT pg_drop_replication_slot('s');
