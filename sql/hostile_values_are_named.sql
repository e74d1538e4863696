-- Every argument of every function gets what nobody should give it, the others
-- being good: what comes out is an answer or one of our refusals, with a HINT and
-- the argument's name.
CALL t.people();
SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k' || n), 'body ' || n) IS NOT NULL AS sent FROM generate_series(1, 3) AS n;
SELECT chemchat.set_password(t.id('alice'), 'x', true);
SELECT chemchat.create_bot(t.id('alice'), 'robot') IS NOT NULL AS made;
CREATE ROLE regress_hostile;
SELECT pg_create_logical_replication_slot('regress_hostile', 'chemchat') IS NOT NULL AS made;

-- What is good, by the name of the argument, or by function and argument.
CREATE TABLE good (name text PRIMARY KEY, value text);
INSERT INTO good VALUES
	('actor', 't.id(''alice'')'), ('conversation_id', 't.id(''lab'')'), ('user_id', 't.id(''bob'')'),
	('client_msg_id', 'gen_random_uuid()'), ('body', '''x'''), ('seq', '1'), ('thread', '1'), ('emoji', '''+1'''),
	('role', '''member'''), ('after_ev', '0'), ('ids', 'ARRAY[t.id(''bob'')]'), ('seqs', '''{1,2}'''),
	('query', '''al'''), ('kind', '''group'''), ('handle', '''h'' || substr(gen_random_uuid()::text, 1, 8)'),
	('display_name', '''A'''), ('users', 'ARRAY[t.id(''alice'')]'), ('conversation_ids', 'ARRAY[t.id(''lab'')]'),
	('after_evs', '''{0}'''), ('actors', 'ARRAY[t.id(''alice'')]'), ('client_msg_ids', 'ARRAY[gen_random_uuid()]'),
	('bodies', '''{x}'''), ('read_seqs', '''{1}'''), ('delivered_seqs', '''{1}'''), ('read_seq', '1'),
	('password_hash', '''x'''), ('is_admin', 'true'), ('jti', 'gen_random_uuid()'), ('expires_at', '''2999-01-01'''),
	('token_hash', 'decode(md5(random()::text) || md5(random()::text), ''hex'')'), ('scopes', '''{read}'''),
	('slot', '''regress_hostile'''), ('system_id', '''1'''), ('timeline', '1'), ('shards', '1'), ('shard', '0'),
	('partitions', '''{}'''), ('confirmed_lsn', '''0/1'''), ('events', '0'), ('repair_cursor', 'NULL'), ('is_repaired', 'true'),
	('lsn', '''0/1'''), ('is_on', 'true'),
	('bind_role.role', '''regress_hostile'''), ('unbind_role.role', '''regress_hostile'''),
	('create_bot_token.user_id', '(SELECT id FROM chemchat.app_user WHERE handle = ''robot'')'),
	('account.handle', '''alice'''), ('create_conversation.conversation_id', 'gen_random_uuid()'),
	('create_user.user_id', 'gen_random_uuid()'), ('create_bot_token.created_by', 't.id(''alice'')'),
	('revoke_bot_token.id', 'gen_random_uuid()'), ('republish.cursor', 'NULL'), ('before_seq', 'NULL'), ('after_seq', 'NULL'),
	('traceparents', 'NULL'), ('replies_to', 'NULL'), ('reply_to', 'NULL'), ('expected_rev', 'NULL');
-- What is not.
CREATE TABLE bad (type text, value text);
INSERT INTO bad SELECT type, 'NULL' FROM unnest(ARRAY['uuid', 'text', 'int4', 'int8', 'bool', 'timestamptz', '_uuid', '_text', '_int8',
	'bytea', 'name', 'json', 'pg_lsn']) AS type;
INSERT INTO bad SELECT type, value FROM unnest(ARRAY['int4', 'int8']) AS type,
	unnest(ARRAY['-1', '0', '2147483647', '-2147483648', '1000001']) AS value;
INSERT INTO bad SELECT 'int8', value FROM unnest(ARRAY['2147483648', '9007199254740992', '9007199254740993', '9223372036854775807',
	'-9223372036854775808', '-9007199254740993', '1099511627776']) AS value;
INSERT INTO bad SELECT 'uuid', value FROM unnest(ARRAY['''00000000-0000-0000-0000-000000000000''',
	'''ffffffff-ffff-ffff-ffff-ffffffffffff''', 't.id(''nobody'')']) AS value;
INSERT INTO bad SELECT type, value FROM unnest(ARRAY['text', 'name']) AS type, unnest(ARRAY['''''', ''' ''',
	'E''\001\010\037''', 'E''\177''', 'E''a\nb''', 'E''\u200b''', 'E''\u202e''', 'E''\uffff''', 'E''\U0010ffff''',
	'''%s%n%I''', '''''''; DROP SCHEMA chemchat CASCADE; --''', '''$$''', '''{}''', '''\x00''', '''../../etc/passwd''',
	'''1:1:0/0:999999999999999999''', '''1:0:0/0:5''', '''99999999999999999999:999999999:FFFFFFFF/FFFFFFFF:999999999999999999''',
	'''00000000-0000-0000-0000-000000000000/''', '''00000000-0000-0000-0000-000000000000/9999999999999999''',
	'''c/00000000-0000-0000-0000-000000000000/9999999999999999/9999999999999999/9999999999999999''',
	'''u/ffffffff-ffff-ffff-ffff-ffffffffffff/ffffffff-ffff-ffff-ffff-ffffffffffff/9999999999999999/9999999999999999''',
	'''x/00000000-0000-0000-0000-000000000000/0/0/0''', 'repeat(''x'', 63)', 'repeat(E''\u0130'', 31)']) AS value;
INSERT INTO bad SELECT 'text', value FROM unnest(ARRAY['repeat(''x'', 1025)', 'repeat(''x'', 2000000)',
	'repeat(''@a '', 5000)', 'repeat(E''\U0001F600'', 4096)', 'repeat(E''\u0130'', 128)', 'repeat(''('', 10000)',
	'repeat(E''\u0130'', 513)', 'repeat(''9'', 1000)', 'repeat(''@'', 300)']) AS value;
INSERT INTO bad SELECT 'timestamptz', value FROM unnest(ARRAY['''infinity''', '''-infinity''', '''4714-11-24 00:00:00+00 BC''',
	'''294276-12-31 23:59:59.999999+00''', '''epoch''', '''0001-01-01 BC''']) AS value;
INSERT INTO bad SELECT '_' || type, v FROM (VALUES ('uuid', 't.id(''alice'')'), ('text', '''x''::text'), ('int8', '1::bigint')) AS e (type, item),
	LATERAL unnest(ARRAY['''{}''', '''{NULL}''', format('ARRAY[%s, NULL]', item), format('array_fill(%s, ARRAY[2, 2])', item),
		format('array_fill(%s, ARRAY[1, 1, 1, 1, 1, 1])', item), format('array_fill(%s, ARRAY[1], ARRAY[7])', item),
		format('array_fill(%s, ARRAY[1], ARRAY[-2147483647])', item), format('array_fill(%s, ARRAY[1], ARRAY[2147483646])', item),
		format('array_fill(%s, ARRAY[2])', item), format('array_fill(%s, ARRAY[1001])', item),
		format('array_fill(%s, ARRAY[1000000])', item), format('array_fill(NULL::%s, ARRAY[1000])', type)]) AS v;
INSERT INTO bad SELECT '_int8', format('''{%s}''', value) FROM bad WHERE type = 'int8' AND value <> 'NULL';
INSERT INTO bad SELECT '_text', format('ARRAY[%s]', value) FROM bad WHERE type = 'text' AND value <> 'NULL';
INSERT INTO bad SELECT '_uuid', format('ARRAY[%s]::uuid[]', value) FROM bad WHERE type = 'uuid' AND value <> 'NULL';
INSERT INTO bad SELECT 'bytea', value FROM unnest(ARRAY['''''', '''\x00''', '''\xff'' || decode(md5(''''), ''hex'')',
	'decode(repeat(''00'', 32), ''hex'')', 'decode(repeat(''00'', 1000000), ''hex'')']) AS value;
INSERT INTO bad SELECT 'json', value FROM unnest(ARRAY['''[]''', '''null''', '''1e999''', '''"x"''', '(repeat(''['', 1000) || repeat('']'', 1000))::json']) AS value;
INSERT INTO bad SELECT 'pg_lsn', value FROM unnest(ARRAY['''0/0''', '''FFFFFFFF/FFFFFFFF''']) AS value;

CREATE TABLE call AS
WITH argument AS (
	SELECT p.oid, p.proname::text AS function, a.n, a.name, t.typname::text AS type,
		   coalesce(own.value, by_name.value) AS value, p.pronargs - p.pronargdefaults AS required
	  FROM pg_proc AS p CROSS JOIN
		   LATERAL (SELECT x.n, x.name, (p.proargtypes::oid[])[x.n - 1] AS type
					  FROM (SELECT row_number() OVER (ORDER BY i) AS n, name
							  FROM unnest(p.proargnames, p.proargmodes) WITH ORDINALITY AS y (name, mode, i)
							 WHERE coalesce(mode, 'i') IN ('i', 'b')) AS x) AS a
	  JOIN pg_type AS t ON t.oid = a.type
	  LEFT JOIN good AS own ON own.name = p.proname || '.' || a.name
	  LEFT JOIN good AS by_name ON by_name.name = a.name
	 WHERE p.pronamespace = 'chemchat'::regnamespace AND p.proname !~ '^_'
)
SELECT b.function, b.name, b.type, bad.value,
	   format('SELECT count(*) FROM chemchat.%I(%s)', b.function,
		(SELECT string_agg(format('%I => %s', o.name, CASE WHEN o.n = b.n THEN bad.value ELSE o.value END), ', ' ORDER BY o.n)
		   FROM argument AS o WHERE o.oid = b.oid AND (o.n = b.n OR o.value IS NOT NULL))) AS statement,
	   ARRAY(SELECT o.name FROM argument AS o WHERE o.oid = b.oid)::text[] AS names
  FROM argument AS b LEFT JOIN bad ON bad.type = b.type;
-- no type without hostile values
SELECT DISTINCT type FROM call WHERE value IS NULL;

CREATE TABLE outcome (function text, name text, names text[], statement text, state text, field text, message text, has_hint boolean);
CREATE PROCEDURE t.try() LANGUAGE plpgsql AS $$
DECLARE
	one record;
	was record;
BEGIN
	FOR one IN SELECT * FROM call LOOP
		-- What was accepted is taken back, so that none changes the next one's answer.
		SELECT * INTO was FROM t.refusal(format('DO $do$BEGIN EXECUTE %L; RAISE EXCEPTION USING ERRCODE = ''ZZ999''; END$do$', one.statement));
		INSERT INTO outcome VALUES (one.function, one.name, one.names, one.statement, was.state, was.field, was.message, was.has_hint);
	END LOOP;
END
$$;
SET client_min_messages = warning;
CALL t.try();
RESET client_min_messages;
SELECT count(*) > 2000 AS many, count(DISTINCT (function, name)) = (SELECT count(DISTINCT (function, name)) FROM call) AS every_argument,
	   count(*) FILTER (WHERE state = 'ZZ999') > 500 AS some_good, count(*) FILTER (WHERE state = 'QC003') > 500 AS many_bad
  FROM outcome;
-- Nothing but our codes ...
SELECT state, left(statement, 120) AS statement, left(message, 60) AS message FROM outcome
 WHERE state <> 'ZZ999' AND state NOT LIKE 'QC0__' ORDER BY statement COLLATE "C";
-- ... which name an argument, and a way out.
SELECT state, field, has_hint, left(statement, 120) AS statement FROM outcome
 WHERE state LIKE 'QC0__' AND NOT coalesce(has_hint AND field = ANY (names), false) ORDER BY statement COLLATE "C";
-- A value that is out of the question is named itself, and not another: these
-- are about two arguments, or about a user who is in no conversation.
SELECT function, name, field, state, count(*) > 0 AS some FROM outcome
 WHERE state LIKE 'QC0__' AND field <> name GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
-- NULL is an invalid argument wherever it is none of the answers.
SELECT function, name, state FROM outcome JOIN call USING (function, name, statement)
 WHERE call.value = 'NULL' AND state NOT IN ('QC003', 'ZZ999');
SELECT * FROM t.hole;
SELECT pg_drop_replication_slot('regress_hostile');
DROP ROLE regress_hostile;
