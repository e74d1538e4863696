-- On a history that never wrote before, revs begin above all that any other
-- can have given.  The other history is played by a changed row.
CALL t.people();
SELECT no, system_id = c.system_identifier::text AS is_system, timeline,
	   database_oid = (SELECT oid FROM pg_database WHERE datname = current_database()) AS is_database
  FROM chemchat.epoch, pg_control_system() AS c;
SELECT rev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'x');
SELECT rev FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('bob'), 'guest');
UPDATE chemchat.epoch SET system_id = '1';
\c
-- Rolled back: no epoch was begun, and nothing is remembered of it.
BEGIN;
SELECT rev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'x');
ROLLBACK;
SELECT count(*) FROM chemchat.epoch;
BEGIN;
SAVEPOINT a;
SELECT rev FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'x');
ROLLBACK TO a;
SELECT count(*) FROM chemchat.epoch;
SELECT rev, rev = 1::bigint << 40 AS is_first FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'x');
COMMIT;
SELECT no FROM chemchat.epoch ORDER BY no;
-- A row of before, changed now; and once more.
SELECT ev, rev - (1::bigint << 40) AS above FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('bob'), 'admin');
SELECT ev, rev - (1::bigint << 40) AS above FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('bob'), 'member');
SELECT rev - (1::bigint << 40) AS above FROM chemchat.create_user('erin');
-- Numbers go on; what is there keeps its rev.
SELECT seq, rev >= 1::bigint << 40 AS is_new FROM chemchat.message ORDER BY seq;
SELECT * FROM t.hole;
-- Reading begins no epoch.
UPDATE chemchat.epoch SET timeline = 99 WHERE no = 1;
\c
SELECT upto FROM chemchat.changes_since(t.id('alice'), t.id('lab'), 0);
SELECT count(*) FROM chemchat.epoch;
-- The last epoch's revs stay below 2^53.
UPDATE chemchat.epoch SET no = 8190 WHERE no = 1;
SELECT rev < 1::bigint << 53 AS fits, rev = 8191::bigint << 40 AS is_last
  FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k3'), 'x');
