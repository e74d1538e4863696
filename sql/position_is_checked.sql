-- A position is where the history is durable; one seen earlier is on it or not.
CREATE TABLE here AS SELECT * FROM chemchat.position();
SELECT h.system_id = c.system_identifier::text AS is_system, h.timeline = k.timeline_id AS is_timeline,
	   h.lsn <= pg_current_wal_flush_lsn() AS is_flushed
  FROM here AS h, pg_control_system() AS c, pg_control_checkpoint() AS k;
CALL t.people();
SELECT p.lsn > h.lsn AS grows FROM here AS h, chemchat.position() AS p;
-- What was committed before the position was read lies below it.
CREATE TABLE sent AS SELECT * FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'x');
SELECT p.lsn >= pg_current_wal_flush_lsn() - 8192 AS is_recent FROM chemchat.position() AS p;

SELECT what, chemchat.position_status(s, t, l) AS status
  FROM here AS h, LATERAL (VALUES
	('seen just now', h.system_id, h.timeline, h.lsn),
	('the beginning', h.system_id, h.timeline, '0/0'::pg_lsn),
	('beyond the end', h.system_id, h.timeline, 'FFFF/0'),
	('another system', '1', h.timeline, h.lsn),
	('no number at all', 'x', h.timeline, h.lsn),
	('a timeline to come', h.system_id, h.timeline + 1, h.lsn)) AS p (what, s, t, l);
