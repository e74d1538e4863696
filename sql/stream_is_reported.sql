-- The relay's own: names, and what it reported last.
SELECT replace(chemchat.slot_name(), d.oid::text, '<oid>') AS one,
	   replace(chemchat.slot_name(2, 4), d.oid::text, '<oid>') AS of_four,
	   replace(chemchat.live_slot_name(), d.oid::text, '<oid>') AS live
  FROM pg_database AS d WHERE d.datname = current_database();
SET ROLE chemchat_relay;
SELECT count(*) FROM chemchat.stream_state('s');
SELECT chemchat.report_stream('s', '77', 1, 1, '{"chat.messages.v1": 12}', '0/10', 5, 'u/x', false) IS NOT NULL AS reported;
SELECT system_id, timeline, shards, partitions, confirmed_lsn, events, repair_cursor, is_repaired,
	   updated_at BETWEEN now() - interval '1 min' AND clock_timestamp() AS is_fresh
  FROM chemchat.stream_state('s');
SELECT chemchat.report_stream('s', '78', 2, 4, '{}', '0/8', 6, NULL, true) IS NOT NULL AS reported;
SELECT system_id, timeline, shards, partitions, confirmed_lsn, events, repair_cursor, is_repaired
  FROM chemchat.stream_state('s');
-- A relay that wakes up late says less: on one history the position only grows.
SELECT chemchat.report_stream('s', '78', 2, 4, '{}', '0/4', 6, NULL, true) IS NOT NULL AS reported;
SELECT confirmed_lsn FROM chemchat.stream_state('s');
SELECT count(*) FROM chemchat.stream_state('other');
SELECT count(*) FROM chemchat.stream;
RESET ROLE;
SELECT count(*) FROM chemchat.stream;
