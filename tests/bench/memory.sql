-- Many events in little time: a thousand are built once and written again and
-- again.  For what only counts their number and weight.
CREATE OR REPLACE PROCEDURE bench.make_many(total bigint, per_tx bigint, json_bytes int)
LANGUAGE plpgsql AS $$
DECLARE
	made bytea[];
BEGIN
	SELECT array_agg(substr(bench.event(n), 1, 68) || int4send(json_bytes)
			|| convert_to(rpad('{"kind":"message","body":"', json_bytes - 2, 'x') || '"}', 'UTF8'))
	  INTO made FROM generate_series(0, 999) AS n;
	FOR i IN 0 .. total - 1 LOOP
		PERFORM pg_catalog.pg_logical_emit_message(true, 'chemchat', made[i % 1000 + 1]);
		IF (i + 1) % per_tx = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
END
$$;
