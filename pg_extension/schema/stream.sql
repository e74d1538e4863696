-- The relay's own: what a slot is checked against, and its names.

CREATE FUNCTION chemchat.slot_name(shard int DEFAULT 0, shards int DEFAULT 1)
RETURNS name
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF coalesce(slot_name.shards, 0) NOT BETWEEN 1 AND 1000 THEN
		PERFORM chemchat._raise('invalid_argument', 'shards',
			'shards must be 1 to 1000');
	ELSIF coalesce(slot_name.shard, -1) NOT BETWEEN 0
		  AND slot_name.shards - 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'shard',
			'shard must be 0 or more and below shards');
	END IF;
	RETURN (SELECT format('chemchat_%s_%sof%s', d.oid, slot_name.shard,
						  slot_name.shards)
			  FROM pg_database AS d WHERE d.datname = current_database());
END
$$;
COMMENT ON FUNCTION chemchat.slot_name(int, int) IS
	'the name of a Kafka slot of this database';

CREATE FUNCTION chemchat.live_slot_name() RETURNS name
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('chemchat_%s_live', d.oid)::name
	  FROM pg_database AS d WHERE d.datname = current_database()
$$;
COMMENT ON FUNCTION chemchat.live_slot_name() IS
	'the name of the live slot of this database';

CREATE FUNCTION chemchat.stream_state(slot name)
RETURNS TABLE (system_id text, timeline int, shards int, partitions json,
			   confirmed_lsn pg_lsn, events bigint, repair_cursor text,
			   is_repaired boolean, updated_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
	SELECT s.system_id, s.timeline, s.shards, s.partitions, s.confirmed_lsn,
		   s.events, s.repair_cursor, s.is_repaired, s.updated_at
	  FROM chemchat.stream AS s
	 WHERE s.slot = stream_state.slot
$$;
COMMENT ON FUNCTION chemchat.stream_state(name) IS
	'what the relay last reported of a slot; no row: nothing yet';

CREATE FUNCTION chemchat.report_stream(slot name, system_id text, timeline int,
	shards int, partitions json, confirmed_lsn pg_lsn, events bigint,
	repair_cursor text, is_repaired boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	field text := CASE
		WHEN report_stream.slot IS NULL THEN 'slot'
		WHEN report_stream.system_id IS NULL THEN 'system_id'
		WHEN coalesce(report_stream.timeline, 0) < 1 THEN 'timeline'
		WHEN coalesce(report_stream.shards, 0) < 1 THEN 'shards'
		WHEN report_stream.partitions IS NULL THEN 'partitions'
		WHEN report_stream.confirmed_lsn IS NULL THEN 'confirmed_lsn'
		WHEN coalesce(report_stream.events, -1) < 0 THEN 'events'
		WHEN report_stream.is_repaired IS NULL THEN 'is_repaired'
	END;
BEGIN
	IF field IS NOT NULL THEN
		PERFORM chemchat._raise('invalid_argument', field,
			format('%s is null or too small', field));
	END IF;
	field := CASE
		WHEN octet_length(report_stream.system_id) > 20 THEN 'system_id'
		WHEN octet_length(report_stream.repair_cursor) > 1024
			THEN 'repair_cursor'
		WHEN octet_length(report_stream.partitions::text) > 65536
			THEN 'partitions'
	END;
	IF field IS NOT NULL THEN
		PERFORM chemchat._raise('too_large', field);
	END IF;
	INSERT INTO chemchat.stream AS s (slot, system_id, timeline, shards,
		partitions, confirmed_lsn, events, repair_cursor, is_repaired,
		updated_at)
	VALUES (report_stream.slot, report_stream.system_id,
			report_stream.timeline, report_stream.shards,
			report_stream.partitions, report_stream.confirmed_lsn,
			report_stream.events, report_stream.repair_cursor,
			report_stream.is_repaired, clock_timestamp())
		ON CONFLICT ON CONSTRAINT stream_pkey DO UPDATE
	   SET system_id = excluded.system_id, timeline = excluded.timeline,
		   shards = excluded.shards, partitions = excluded.partitions,
		   -- on one history it only grows: a relay that wakes up late says less
		   confirmed_lsn = CASE
				WHEN (s.system_id, s.timeline) =
					 (excluded.system_id, excluded.timeline)
				THEN greatest(s.confirmed_lsn, excluded.confirmed_lsn)
				ELSE excluded.confirmed_lsn END,
		   events = excluded.events,
		   repair_cursor = excluded.repair_cursor,
		   is_repaired = excluded.is_repaired, updated_at = excluded.updated_at;
END
$$;
COMMENT ON FUNCTION chemchat.report_stream(name, text, int, int, json, pg_lsn,
	bigint, text, boolean) IS 'the relay says how far a slot is';
