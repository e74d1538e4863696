-- An old library with new SQL, or the other way round, writes nothing.
CALL t.people();
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k1'), 'x');
UPDATE pg_extension SET extversion = '99.0' WHERE extname = 'chemchat';
\c
\set SHOW_CONTEXT never
SELECT state, message ~ '^chemchat.so is \S+, its SQL is 99.0$' AS is_told, has_hint
  FROM t.refusal($$ SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'x') $$);
SELECT state FROM t.refusal($$ SELECT chemchat.create_user('erin') $$);
SELECT severity FROM chemchat.doctor() WHERE subject = 'version';
-- A session that was open while the SQL was updated looks again: an update
-- makes functions.
UPDATE pg_extension SET extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'chemchat')
 WHERE extname = 'chemchat';
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'x');
UPDATE pg_extension SET extversion = '99.0' WHERE extname = 'chemchat';
SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k3'), 'x');
CREATE FUNCTION t.as_an_update_does() RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT state FROM t.refusal($$ SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k4'), 'x') $$);
SELECT * FROM t.hole;
