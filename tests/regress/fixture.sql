-- What the tests share: names for ids, refusals as rows, events as rows.
-- Loaded into every test's database behind CREATE EXTENSION.

CREATE SCHEMA t;
GRANT USAGE ON SCHEMA t TO PUBLIC;

-- The same name is the same id in every run.
CREATE FUNCTION t.id(name text) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT pg_catalog.md5(name)::uuid $$;

CREATE TABLE t.name (id uuid PRIMARY KEY, name text NOT NULL);
GRANT SELECT ON t.name TO PUBLIC;
INSERT INTO t.name
SELECT t.id(n), n
  FROM unnest(ARRAY['alice', 'bob', 'carol', 'dave', 'erin', 'lab', 'tea',
					'den', 'news', 'attic']) AS n;

CREATE FUNCTION t.name(id uuid) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT n.name FROM t.name AS n WHERE n.id = $1),
				   CASE WHEN $1 IS NOT NULL THEN 'an id' END) $$;

-- alice, bob, carol and dave; lab: alice owns it, bob is in it.
CREATE PROCEDURE t.people() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM chemchat.create_user(n, NULL, t.id(n))
	   FROM unnest(ARRAY['alice', 'bob', 'carol', 'dave']) AS n;
	PERFORM chemchat.create_conversation(t.id('alice'), 'group', 'The Lab',
										 ARRAY[t.id('bob')], t.id('lab'));
END
$$;

-- Runs a statement for its refusal; what it did is rolled back when refused.
CREATE FUNCTION t.refusal(statement text, OUT state text, OUT field text,
						  OUT message text, OUT has_hint boolean)
LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	state := 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, field = COLUMN_NAME,
		message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	has_hint := hint <> '';
END
$$;

-- Between the permutations of a spec.
CREATE PROCEDURE t.reset() LANGUAGE sql AS $$
	DELETE FROM chemchat.change;
	DELETE FROM chemchat.message;
	DELETE FROM chemchat.message_revision;
	DELETE FROM chemchat.reaction;
	DELETE FROM chemchat.mention;
	DELETE FROM chemchat.block;
	DELETE FROM chemchat.direct;
	DELETE FROM chemchat.account;
	DELETE FROM chemchat.session_revocation;
	DELETE FROM chemchat.bot_token;
	DELETE FROM chemchat.login_role;
	DELETE FROM chemchat.member_state;
	DELETE FROM chemchat.member;
	DELETE FROM chemchat.conversation;
	DELETE FROM chemchat.app_user;
	DELETE FROM chemchat.epoch;
$$;

-- What the slot has to tell, consumed.
CREATE FUNCTION t.events(slot name, OUT kind text, OUT key text, OUT id text,
	OUT ev bigint, OUT seq bigint, OUT rev bigint, OUT replay boolean,
	OUT event json)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT d->>'kind', t.name((d->>'key')::uuid), t.name((d->>'id')::uuid),
		   (d->>'ev')::bigint, (d->>'seq')::bigint, (d->>'rev')::bigint,
		   (d->>'replay')::boolean, d->'event'
	  FROM pg_logical_slot_get_changes(slot, NULL, NULL, 'proto', '1',
									   'format', 'json') AS change,
		   LATERAL (SELECT change.data::json AS d) AS parsed
$$;

-- Numbers of every conversation that are not 1..n; empty when all is well.
CREATE VIEW t.hole AS
SELECT conversation_id, what, min(n) AS first, max(n) AS last, count(*) AS rows
  FROM (SELECT conversation_id, 'ev' AS what, ev AS n FROM chemchat.change
		UNION ALL
		SELECT conversation_id, 'seq', seq FROM chemchat.message) AS numbered
 GROUP BY conversation_id, what
HAVING min(n) <> 1 OR max(n) <> count(*) OR count(DISTINCT n) <> count(*);
