-- outbox() and outbox_status() tell what is committed and not yet confirmed;
-- republish() puts everything there again; all confirmed is 0.
\set VERBOSITY terse
CREATE VIEW status AS
	SELECT regexp_replace(slot, '_\d+_', '_oid_') AS slot, sink, state, events,
		   bytes > 0 AS has_bytes, oldest_age >= '0' AS has_age, is_estimate
	  FROM chemchat.outbox_status();

SELECT * FROM status;
SELECT * FROM chemchat.outbox();

SELECT chemchat.slot_name() AS kafka, chemchat.live_slot_name() AS live \gset
SELECT pg_create_logical_replication_slot(:'kafka', 'chemchat') IS NOT NULL AS k,
	   pg_create_logical_replication_slot(:'live', 'chemchat') IS NOT NULL AS l;
SELECT * FROM status;

CALL t.people();
SELECT ev FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('1'), 'H₂O');
BEGIN;
SELECT ev FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('2'), 'never');
ROLLBACK;
SELECT * FROM status;
SELECT ordinal, kind, t.name(key) AS key, t.name(id) AS id, ev, seq, rev,
	   is_replay, committed_at <= clock_timestamp() AS is_past,
	   event->>'body' AS body
  FROM chemchat.outbox(:'kafka');

-- The very rows that the plugin sends.
CREATE FUNCTION differ(slot name, VARIADIC options text[]) RETURNS bigint
LANGUAGE sql AS $$
	WITH listed AS (
		SELECT o.commit_lsn, o.ordinal, o.kind, o.key, o.id, o.ev, o.seq, o.rev,
			   o.is_replay, o.event::text FROM chemchat.outbox(slot) AS o
	), sent AS (
		SELECT e.* FROM pg_logical_slot_peek_changes(slot, NULL, NULL,
			VARIADIC ARRAY['proto', '1', 'format', 'json'] || options) AS p,
			json_to_record(p.data::json) AS e (commit_lsn pg_lsn, ordinal int,
				kind text, key uuid, id uuid, ev bigint, seq bigint, rev bigint,
				replay boolean, event text)
	)
	SELECT count(*) FROM ((TABLE listed EXCEPT ALL TABLE sent)
		UNION ALL (TABLE sent EXCEPT ALL TABLE listed)) AS d
$$;
SELECT differ(:'kafka', VARIADIC '{}') AS kafka, differ(:'live', 'replays', 'off') AS live;

-- A repair is pending for Kafka, and nothing for those who look on.
SELECT is_done FROM chemchat.republish();
SELECT * FROM status;
SELECT differ(:'kafka', VARIADIC '{}') AS kafka, differ(:'live', 'replays', 'off') AS live;

-- A part confirmed, then all.
SELECT count(*) FROM pg_logical_slot_get_binary_changes(:'kafka', NULL, 1,
	'proto', '1');
SELECT kind, t.name(key) AS key, ev, is_replay FROM chemchat.outbox(:'kafka', 3);
SELECT count(*) > 0 AS read FROM pg_logical_slot_get_binary_changes(:'kafka', NULL,
	NULL, 'proto', '1');
SELECT * FROM status;
SELECT count(*) FROM chemchat.outbox(:'kafka');

-- What is not a number of rows, or not a slot of ours.
SELECT * FROM t.refusal('SELECT chemchat.outbox(max_rows => NULL)');
SELECT * FROM t.refusal('SELECT chemchat.outbox(max_rows => -1)');
SELECT * FROM t.refusal('SELECT chemchat.outbox(max_rows => 100001)');
SELECT * FROM t.refusal('SELECT chemchat.outbox(''nobody'')');

SELECT pg_drop_replication_slot(:'kafka'), pg_drop_replication_slot(:'live');
