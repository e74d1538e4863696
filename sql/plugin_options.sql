-- An option that is unknown, given twice, badly valued or of another protocol
-- is refused by its name, and none of them harms the slot.
\set VERBOSITY terse
SELECT pg_create_logical_replication_slot('o', 'chemchat') IS NOT NULL AS created;

CREATE FUNCTION try(VARIADIC options text[])
RETURNS TABLE (state text, message text, hint text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_logical_slot_peek_binary_changes('o', NULL, NULL,
												VARIADIC options);
	state := 'ok';
	RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		hint = PG_EXCEPTION_HINT;
	RETURN NEXT;
END
$$;

\x
SELECT * FROM try('proto', '1');
SELECT * FROM try('proto', '1', 'shard', '2', 'shards', '3', 'replays', 'off',
				  'format', 'binary');
SELECT * FROM try(VARIADIC '{}');
SELECT * FROM try('shards', '1');
SELECT * FROM try('proto', '2');
SELECT * FROM try('proto', '');
SELECT * FROM try('proto', ' 1');
SELECT * FROM try('Proto', '1');
SELECT * FROM try('proto', '1', 'proto', '1');
SELECT * FROM try('proto', '1', 'include-xids', 'on');
SELECT * FROM try('proto', '1', 'shard', '1');
SELECT * FROM try('proto', '1', 'shard', '-1', 'shards', '2');
SELECT * FROM try('proto', '1', 'shards', '0');
SELECT * FROM try('proto', '1', 'shards', '1001');
SELECT * FROM try('proto', '1', 'shards', '4294967297');
SELECT * FROM try('proto', '1', 'replays', 'ON');
SELECT * FROM try('proto', '1', 'format', 'text');
\x

-- Frames are bytes: the function for text says so.
SELECT count(*) FROM pg_logical_slot_peek_changes('o', NULL, NULL, 'proto', '1');
SELECT pg_drop_replication_slot('o');
