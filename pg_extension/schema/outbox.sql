-- What is committed and not yet confirmed, read from the WAL itself.
--
-- A slot goes on while it is looked at, and then a checkpoint may remove WAL
-- that is being read: 58P01, and the look is repeated at the new position.

CREATE FUNCTION chemchat._wal_count(slots name[], restart_lsns pg_lsn[],
	confirmed_lsns pg_lsn[], budget_bytes bigint DEFAULT 1 << 30)
RETURNS TABLE (slot name, events bigint, bytes bigint, oldest_at timestamptz,
			   is_estimate boolean)
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'chemchat_wal_count';
COMMENT ON FUNCTION chemchat._wal_count(name[], pg_lsn[], pg_lsn[], bigint) IS
	'what slots at these positions still have to deliver';

CREATE FUNCTION chemchat._wal_list(slot name, restart_lsn pg_lsn,
	confirmed_lsn pg_lsn, max_rows int)
RETURNS TABLE (commit_lsn pg_lsn, ordinal int, committed_at timestamptz,
			   kind text, key uuid, id uuid, ev bigint, seq bigint, rev bigint,
			   is_replay boolean, event json)
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'chemchat_wal_list';
COMMENT ON FUNCTION chemchat._wal_list(name, pg_lsn, pg_lsn, int) IS
	'the first events that a slot at this position still has to deliver';

CREATE FUNCTION chemchat._outbox_slots()
RETURNS TABLE (slot name, is_ours boolean, sink text, state text,
			   restart_lsn pg_lsn, confirmed_lsn pg_lsn)
LANGUAGE sql AS $$
	SELECT r.slot_name, o.is_ours,
		   CASE WHEN r.slot_name ~ '_live$' THEN 'live' ELSE 'kafka' END,
		   CASE WHEN r.wal_status = 'lost' OR r.restart_lsn IS NULL THEN 'lost'
				WHEN r.active THEN 'streaming'
				ELSE 'idle' END,
		   r.restart_lsn, r.confirmed_flush_lsn
	  FROM pg_catalog.pg_replication_slots AS r
	  JOIN pg_catalog.pg_database AS d ON d.datname = r.database
	 CROSS JOIN LATERAL (SELECT r.slot_name ~ ('^chemchat_' || d.oid
									|| '_([0-9]+of[0-9]+|live)$')) AS o (is_ours)
	 WHERE r.plugin = 'chemchat'
	   AND d.datname = pg_catalog.current_database()
$$;
COMMENT ON FUNCTION chemchat._outbox_slots() IS
	'this database''s slots of our plugin; is_ours: by name one of the relay''s';

CREATE FUNCTION chemchat.outbox_status()
RETURNS TABLE (slot name, sink text, state text, events bigint, bytes bigint,
			   oldest_age interval, is_estimate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tries int := 0;
BEGIN
	LOOP
		BEGIN
			RETURN QUERY
			WITH present AS MATERIALIZED (
				SELECT s.* FROM chemchat._outbox_slots() AS s WHERE s.is_ours
			), readable AS (
				SELECT array_agg(p.slot) AS slots,
					   array_agg(p.restart_lsn) AS restart_lsns,
					   array_agg(p.confirmed_lsn) AS confirmed_lsns
				  FROM present AS p
				 WHERE p.state <> 'lost' AND p.confirmed_lsn IS NOT NULL
			), counted AS (
				SELECT c.* FROM readable AS r, chemchat._wal_count(
					r.slots, r.restart_lsns, r.confirmed_lsns) AS c
			), reported AS (
				-- a restored dump brings the slots of where it was made
				SELECT s.slot FROM chemchat.stream AS s
				  JOIN pg_database AS d ON d.datname = current_database()
				 WHERE starts_with(s.slot, format('chemchat_%s_', d.oid))
			), wanted AS (
				SELECT r.slot FROM reported AS r
				 UNION ALL
				-- nothing at all: the one that the first relay will make
				SELECT chemchat.slot_name()
				 WHERE NOT EXISTS (SELECT FROM present)
				   AND NOT EXISTS (SELECT FROM reported)
			)
			SELECT p.slot, p.sink, p.state, c.events, c.bytes,
				   clock_timestamp() - c.oldest_at, c.is_estimate
			  FROM present AS p LEFT JOIN counted AS c ON c.slot = p.slot
			 UNION ALL
			SELECT w.slot,
				   CASE WHEN w.slot ~ '_live$' THEN 'live' ELSE 'kafka' END,
				   'missing', NULL, NULL, NULL, NULL
			  FROM wanted AS w
			 WHERE NOT EXISTS (SELECT FROM present AS p WHERE p.slot = w.slot)
			 ORDER BY 2, 1;
			RETURN;
		EXCEPTION WHEN undefined_file THEN
			tries := tries + 1;
			IF tries = 5 THEN
				RAISE;
			END IF;
		END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat.outbox_status() IS
	'per slot of the relay: how many events are committed and not yet confirmed';

-- A type, since an argument and a column of the answer share a name.
CREATE TYPE chemchat.outbox_event AS (
	slot name, commit_lsn pg_lsn, ordinal int, committed_at timestamptz,
	kind text, key uuid, id uuid, ev bigint, seq bigint, rev bigint,
	is_replay boolean, event json);
COMMENT ON TYPE chemchat.outbox_event IS 'what chemchat.outbox() lists';

CREATE FUNCTION chemchat._outbox_of(slot name, max_rows int)
RETURNS SETOF chemchat.outbox_event
LANGUAGE plpgsql AS $$
DECLARE
	tries int := 0;
BEGIN
	LOOP
		BEGIN
			RETURN QUERY
			SELECT s.slot, w.*
			  FROM chemchat._outbox_slots() AS s,
				   chemchat._wal_list(s.slot, s.restart_lsn, s.confirmed_lsn,
									  _outbox_of.max_rows) AS w
			 WHERE s.slot = _outbox_of.slot AND s.state <> 'lost';
			RETURN;
		EXCEPTION WHEN undefined_file THEN
			tries := tries + 1;
			IF tries = 5 THEN
				RAISE;
			END IF;
		END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat._outbox_of(name, int) IS
	'chemchat.outbox() for one slot';

CREATE FUNCTION chemchat.outbox(slot name DEFAULT NULL, max_rows int DEFAULT 100)
RETURNS SETOF chemchat.outbox_event
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	is_any boolean := false;
BEGIN
	IF coalesce(outbox.max_rows, -1) < 0 THEN
		PERFORM chemchat._raise('invalid_argument', 'max_rows',
								'max_rows must be 0 or more');
	ELSIF outbox.max_rows > 100000 THEN
		PERFORM chemchat._raise('too_large', 'max_rows',
								'max_rows must be at most 100000');
	END IF;
	FOR one IN
		SELECT s.slot, s.state FROM chemchat._outbox_slots() AS s
		 WHERE s.slot = outbox.slot OR (outbox.slot IS NULL AND s.is_ours)
		 ORDER BY s.sink, s.slot
	LOOP
		is_any := true;
		IF one.state = 'lost' THEN
			RAISE WARNING 'slot "%" has lost its WAL: its pending events '
				'cannot be listed', one.slot
				USING HINT = 'The relay makes it again and republishes.';
			CONTINUE;
		END IF;
		RETURN QUERY SELECT e.* FROM chemchat._outbox_of(one.slot,
											outbox.max_rows) AS e;
	END LOOP;
	IF outbox.slot IS NOT NULL AND NOT is_any THEN
		PERFORM chemchat._raise('invalid_argument', 'slot',
			format('this database has no slot "%s" of plugin chemchat; '
				   'chemchat.outbox_status() lists them', outbox.slot));
	ELSIF NOT is_any THEN
		RAISE NOTICE 'this database has no slot: no event is kept'
			USING HINT = 'The relay makes its slot at its first start and '
				'publishes everything written before.';
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat.outbox(name, int) IS
	'the first max_rows events of a slot (none named: of each) not yet confirmed';

GRANT EXECUTE ON FUNCTION chemchat.outbox_status()
   TO chemchat_admin, chemchat_reader, chemchat_relay;
GRANT EXECUTE ON FUNCTION chemchat.outbox(name, int) TO chemchat_admin;
