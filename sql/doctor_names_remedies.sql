-- What is right is said to be, and what is wrong comes with what mends it.
SELECT subject, severity FROM chemchat.doctor()
 WHERE subject IN ('version', 'wal_level', 'output_plugin_libraries', 'synchronous_commit',
				   'full_page_writes', 'default_transaction_isolation', 'pg_logical_emit_message')
	OR subject LIKE 'role %' ORDER BY subject COLLATE "C", severity;
SELECT count(*) AS without_remedy FROM chemchat.doctor() WHERE severity <> 'ok' AND remedy IS NULL;
SELECT DISTINCT severity IN ('ok', 'warning', 'error') AS known FROM chemchat.doctor();
-- Nobody reads it: said of a database without a slot, and of a slot.
SELECT severity, subject, finding FROM chemchat.doctor() WHERE subject LIKE 'slot%';
SELECT chemchat.report_stream('chemchat_1_0of1', '1', 1, 1, '{}', '0/0', 0, NULL, true) IS NOT NULL AS restored,
       chemchat.report_stream(chemchat.live_slot_name(), '1', 1, 1, '{}', '0/0', 0, NULL, true) IS NOT NULL AS reported;
SELECT severity, regexp_replace(subject, '\d+', '<oid>') AS subject, finding, remedy
  FROM chemchat.doctor() WHERE subject LIKE 'slot%';
SELECT chemchat.report_stream(chemchat.slot_name(), '1', 1, 1, '{}', '0/0', 0, 'c/x', false) IS NOT NULL AS reported;
SELECT 'made' FROM pg_create_logical_replication_slot(chemchat.slot_name(), 'chemchat');
SELECT severity, regexp_replace(finding, '\d+ \w+$', '<size>') AS finding, remedy
  FROM chemchat.doctor() WHERE subject ~ '_0of1$';
SELECT 'dropped' FROM pg_drop_replication_slot(chemchat.slot_name());
-- Settings of this session count, as they would for a caller.
ALTER DATABASE t_doctor_names_remedies SET synchronous_commit = local;
ALTER DATABASE t_doctor_names_remedies SET default_transaction_isolation = 'repeatable read';
\c
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT severity, finding, remedy FROM chemchat.doctor() WHERE subject IN ('synchronous_commit', 'default_transaction_isolation');
COMMIT;
ALTER DATABASE t_doctor_names_remedies RESET ALL;
\c
-- The forging function opened again by somebody, a role that can read more.
BEGIN;
SELECT format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', max(oid)::regprocedure) AS opened
  FROM pg_proc WHERE proname = 'pg_logical_emit_message' \gset
:opened;
ALTER ROLE chemchat_relay NOREPLICATION;
ALTER ROLE chemchat_owner LOGIN;
SELECT severity, subject, finding FROM chemchat.doctor()
 WHERE severity = 'error' AND (subject LIKE 'role%' OR subject LIKE 'pg_log%') ORDER BY subject;
ROLLBACK;
SELECT count(*) FROM chemchat.doctor() WHERE severity = 'error' AND subject LIKE 'role%';
-- Readers may ask; what is behind it they may not see.
SET ROLE chemchat_reader;
SELECT count(*) > 10 AS answered FROM chemchat.doctor();
