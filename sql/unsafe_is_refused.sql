-- Nothing is acknowledged that a crash could take back.
CALL t.people();
CREATE TABLE call (what text, statement text);
INSERT INTO call VALUES
	('create_user', $$SELECT chemchat.create_user('erin')$$),
	('create_conversation', $$SELECT chemchat.create_conversation(t.id('alice'), 'group')$$),
	('add_member', $$SELECT chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'))$$),
	('remove_member', $$SELECT chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('bob'))$$),
	('send_message', $$SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'x')$$),
	('send_messages', $$SELECT chemchat.send_messages(ARRAY[t.id('alice')], ARRAY[t.id('lab')], ARRAY[t.id('k1')], ARRAY['x'])$$),
	('republish', $$SELECT chemchat.republish()$$);
CREATE FUNCTION pg_temp.refuses(level text, what text, statement text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('synchronous_commit', level, true);
	RETURN (SELECT format('%s %s', r.state, r.has_hint) FROM t.refusal(statement) AS r);
END
$$;
BEGIN;
SELECT level, what, pg_temp.refuses(level, what, statement)
  FROM call, unnest(ARRAY['off', 'local', 'remote_write']) AS level
 ORDER BY what, level;
ROLLBACK;
BEGIN;
SELECT level, what, pg_temp.refuses(level, what, statement)
  FROM call, unnest(ARRAY['on', 'remote_apply']) AS level
 WHERE what = 'send_message';
ROLLBACK;

-- Lowered after the call: looked at again just before commit.
BEGIN;
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'x');
SET LOCAL synchronous_commit = off;
COMMIT;
SELECT count(*) AS rows FROM chemchat.message WHERE client_msg_id = t.id('k2');
BEGIN;
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'x');
SET LOCAL synchronous_commit = local;
SET LOCAL synchronous_commit = on;
COMMIT;
SELECT count(*) AS rows FROM chemchat.message WHERE client_msg_id = t.id('k2');

-- By a deferred trigger, which runs last of all.
CREATE TABLE late (n int);
CREATE FUNCTION lower() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('synchronous_commit', 'off', true);
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lower();
BEGIN;
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k3'), 'x');
INSERT INTO late VALUES (1);
COMMIT;

-- A transaction of others is none of our business, and what comes after is
-- judged by itself.
BEGIN;
SET LOCAL synchronous_commit = off;
SELECT status FROM chemchat.changes_since(t.id('alice'), t.id('lab'), 0);
CREATE TABLE theirs ();
COMMIT;

-- COMMIT PREPARED may be given by anybody, with any setting.
BEGIN;
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k4'), 'x');
PREPARE TRANSACTION 'two phases';
SELECT count(*) AS prepared FROM pg_prepared_xacts WHERE database = current_database();

-- Above READ COMMITTED a fresh lock comes with an old snapshot.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k5'), 'x');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT what, state, has_hint FROM call, t.refusal(statement) ORDER BY what;
ROLLBACK;
BEGIN ISOLATION LEVEL READ UNCOMMITTED;
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k5'), 'x');
COMMIT;
-- A read-only transaction, as on a standby, is refused before anything.
BEGIN READ ONLY;
SELECT count(*) AS calls, count(*) FILTER (WHERE state = '25006') AS refused FROM call, t.refusal(statement);
ROLLBACK;
-- Readers may have any.
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
SELECT status, upto FROM chemchat.changes_since(t.id('alice'), t.id('lab'), 0);
COMMIT;
SELECT * FROM t.hole;
