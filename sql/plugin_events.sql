-- The plugin sends what was committed by our functions, in order, and nothing
-- else: not what was rolled back, not rows, not other messages.
\set VERBOSITY terse
SELECT pg_create_logical_replication_slot('e', 'chemchat') IS NOT NULL AS created;
CREATE VIEW waiting AS
	SELECT (d->>'ordinal')::int AS ordinal, d->>'kind' AS kind,
		   t.name((d->>'key')::uuid) AS key, d->>'ev' AS ev, d->>'seq' AS seq,
		   d->>'rev' AS rev, d->>'replay' AS replay,
		   coalesce(d->'event'->>'body', d->'event'->>'handle',
					d->'event'->>'title', d->'event'->>'state') AS of
	  FROM pg_logical_slot_peek_changes('e', NULL, NULL, 'proto', '1',
										'format', 'json') AS p,
		   CAST(p.data AS json) AS d;
CREATE FUNCTION say(body text) RETURNS bigint LANGUAGE sql AS $$
	SELECT ev FROM chemchat.send_message(t.id('alice'), t.id('lab'),
										 gen_random_uuid(), body)
$$;

CALL t.people();
SELECT * FROM waiting;
SELECT count(*) > 0 AS consumed
  FROM pg_logical_slot_get_changes('e', NULL, NULL, 'proto', '1', 'format', 'json');

-- Rolled back, whole and in part.
BEGIN;
SELECT say('never');
ROLLBACK;
BEGIN;
SELECT say('first');
SAVEPOINT a;
SELECT say('never');
SAVEPOINT b;
SELECT say('nor this');
RELEASE b;
ROLLBACK TO a;
SELECT say('second');
SAVEPOINT c;
SELECT say('third');
RELEASE c;
COMMIT;
-- Nothing of ours.
CREATE TABLE neighbour (n int);
INSERT INTO neighbour SELECT generate_series(1, 300);
TRUNCATE neighbour;
SELECT pg_logical_emit_message(true, 'chemistry', 'H2O') IS NOT NULL AS emitted;
SELECT pg_logical_emit_message(true, 'chemchat', 'H2O') IS NOT NULL AS emitted;
SELECT pg_logical_emit_message(true, 'chemchat', ''::bytea) IS NOT NULL AS emitted;
-- Outside of any transaction nothing is ever sent, whatever it looks like.
SELECT pg_logical_emit_message(false, 'chemchat', decode('016d0000', 'hex')
	|| uuid_send(t.id('lab')) || uuid_send(t.id('x')) || int8send(1)
	|| int8send(1) || int8send(1) || int8send(1) || int4send(2) || '{}')
	IS NOT NULL AS emitted;
SELECT * FROM waiting;

-- A transaction is one frame: first and last, as many events as it has.
SELECT octet_length(data) > 300 AS is_packed, get_byte(data, 0) AS magic,
	   get_byte(data, 1) AS version, get_byte(data, 2) AS flags,
	   get_byte(data, 7) AS events
  FROM pg_logical_slot_get_binary_changes('e', NULL, NULL, 'proto', '1');

-- Shards: each event in one of them, under the ordinal it has in all.
BEGIN;
SELECT count(*) FROM generate_series(1, 20) AS n,
	chemchat.create_user('user' || n, NULL, t.id('user' || n));
COMMIT;
SELECT array_agg(ordinal ORDER BY ordinal) = array_agg(n ORDER BY n) AS is_whole,
	   count(DISTINCT shard) AS shards
  FROM (SELECT shard, (data::json->>'ordinal')::int AS ordinal,
			   (row_number() OVER ())::int - 1 AS n
		  FROM generate_series(0, 3) AS shard,
			   pg_logical_slot_peek_changes('e', NULL, NULL, 'proto', '1',
					'format', 'json', 'shard', shard::text, 'shards', '4')) AS p;

-- replays=off passes over what republish() writes again.
SELECT count(*) > 0 AS consumed
  FROM pg_logical_slot_get_binary_changes('e', NULL, NULL, 'proto', '1');
SELECT is_done FROM chemchat.republish();
SELECT DISTINCT replay FROM waiting;
SELECT count(*) FROM pg_logical_slot_peek_binary_changes('e', NULL, NULL,
	'proto', '1', 'replays', 'off');

-- What a newer library wrote is not passed over: the stream stops.
SELECT pg_logical_emit_message(true, 'chemchat', '\x02ff'::bytea) IS NOT NULL AS emitted;
SELECT state, regexp_replace(message, 'at \S+', 'at LSN') AS message, has_hint
  FROM t.refusal($$SELECT pg_logical_slot_peek_binary_changes('e', NULL, NULL,
																'proto', '1')$$);
SELECT pg_drop_replication_slot('e');
