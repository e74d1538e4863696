-- Every function's ACL, so that a new one cannot be open unseen.  Unaligned:
-- a longer name must not touch the other lines.
\pset format unaligned
\pset footer off
SELECT p.oid::regprocedure AS function, p.prosecdef AS definer,
	   coalesce((SELECT string_agg(coalesce(r.rolname, 'PUBLIC'), ' ' ORDER BY r.rolname)
				   FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
				   LEFT JOIN pg_roles AS r ON r.oid = a.grantee
				  WHERE a.grantee <> p.proowner), '') AS may_execute
  FROM pg_proc AS p WHERE p.pronamespace = 'chemchat'::regnamespace
 ORDER BY p.oid::regprocedure::text COLLATE "C";

-- What is not the owner's, is not pinned, or is not documented: nothing.
SELECT p.oid::regprocedure AS function, r.rolname, p.proconfig
  FROM pg_proc AS p JOIN pg_roles AS r ON r.oid = p.proowner
 WHERE p.pronamespace = 'chemchat'::regnamespace
   AND (r.rolname <> 'chemchat_owner'
		OR (p.prosecdef AND NOT coalesce(p.proconfig, '{}')
				@> ARRAY['search_path=pg_catalog, pg_temp'])
		OR obj_description(p.oid, 'pg_proc') IS NULL);
SELECT c.oid::regclass AS relation, c.relkind, r.rolname AS owner,
	   (SELECT count(*) FROM aclexplode(c.relacl) AS a WHERE a.grantee <> c.relowner) AS others
  FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner
 WHERE c.relnamespace = 'chemchat'::regnamespace AND c.relkind NOT IN ('i')
 ORDER BY c.relname COLLATE "C";
-- A row type that anybody may use keeps a table of anybody's from being changed.
SELECT y.oid::regtype AS type, r.rolname AS owner,
	   (SELECT count(*) FROM aclexplode(coalesce(y.typacl, acldefault('T', y.typowner))) AS a
		 WHERE a.grantee <> y.typowner) AS others
  FROM pg_type AS y JOIN pg_roles AS r ON r.oid = y.typowner
 WHERE y.typnamespace = 'chemchat'::regnamespace AND y.typcategory <> 'A'
 ORDER BY y.typname COLLATE "C";
\pset format aligned
\pset footer on
SELECT c.oid::regclass AS without_comment FROM pg_class AS c
 WHERE c.relnamespace = 'chemchat'::regnamespace AND c.relkind IN ('r', 'v')
   AND obj_description(c.oid, 'pg_class') IS NULL;
SELECT rolname, rolsuper, rolcanlogin, rolreplication, rolcreaterole, rolbypassrls
  FROM pg_roles WHERE rolname LIKE 'chemchat\_%' ORDER BY rolname COLLATE "C";

-- The same, tried: as each role, every function once, with NULLs.  What may
-- not be executed says so; what may, answers something else.
CREATE FUNCTION t.tries(as_role text) RETURNS TABLE (may bigint, may_not bigint, tables bigint)
LANGUAGE plpgsql AS $$
DECLARE
	f record;
	state text;
BEGIN
	may := 0;
	may_not := 0;
	tables := 0;
	FOR f IN
		SELECT p.oid::regproc AS name, (SELECT string_agg('NULL::' || format_type(a, NULL), ', ' ORDER BY n)
				  FROM unnest(p.proargtypes) WITH ORDINALITY AS u (a, n)) AS args
		  FROM pg_proc AS p WHERE p.pronamespace = 'chemchat'::regnamespace
	LOOP
		BEGIN
			EXECUTE format('SET LOCAL ROLE %I', as_role);
			EXECUTE format('SELECT count(*) FROM %s(%s) AS r', f.name, f.args);
			state := 'ok';
		EXCEPTION WHEN OTHERS THEN
			state := SQLSTATE;
		END;
		IF state = '42501' THEN may_not := may_not + 1; ELSE may := may + 1; END IF;
	END LOOP;
	FOR f IN
		SELECT c.oid::regclass AS name, verb
		  FROM pg_class AS c,
			   unnest(ARRAY['SELECT count(*) FROM %s', 'DELETE FROM %s', 'INSERT INTO %s DEFAULT VALUES',
							'TRUNCATE %s', 'LOCK TABLE %s']) AS verb
		 WHERE c.relnamespace = 'chemchat'::regnamespace
		   AND (c.relkind = 'r' OR (c.relkind = 'v' AND verb LIKE 'SELECT%'))
	LOOP
		BEGIN
			EXECUTE format('SET LOCAL ROLE %I', as_role);
			EXECUTE format(f.verb, f.name);
			tables := tables + 1;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE <> '42501' THEN
				tables := tables + 1;
			END IF;
		END;
	END LOOP;
	RESET ROLE;
	RETURN NEXT;
END
$$;
CREATE ROLE acl_stranger;
BEGIN;
SELECT r.name, t.may, t.may + t.may_not = (SELECT count(*) FROM pg_proc AS p
			WHERE p.pronamespace = 'chemchat'::regnamespace) AS all_tried, t.tables
  FROM unnest(ARRAY['acl_stranger', 'chemchat_reader', 'chemchat_relay', 'chemchat_gateway',
					'chemchat_admin', 'chemchat_user']) AS r (name), t.tries(r.name) AS t;
ROLLBACK;
GRANT USAGE ON SCHEMA chemchat TO acl_stranger;
BEGIN;
SELECT t.may, t.tables FROM t.tries('acl_stranger') AS t;
ROLLBACK;

-- A forged event is refused, in every form the server has.
SET ROLE chemchat_gateway;
SELECT pg_logical_emit_message(true, 'chemchat', '{}'::text);
SELECT pg_logical_emit_message(true, 'chemchat', '\x01'::bytea);
SELECT chemchat._emit('m', t.id('x'), t.id('x'), 1, 1, 1, now(), '{}', false);
SELECT chemchat._begin_write();
RESET ROLE;
SET ROLE acl_stranger;
SELECT pg_logical_emit_message(false, 'chemchat', '{}'::text);
-- A table of one's own in the search path is not taken for ours.
RESET ROLE;
CALL t.people();
CREATE SCHEMA acl_trap AUTHORIZATION acl_stranger;
SET ROLE acl_stranger;
SELECT what, state FROM unnest(ARRAY['chemchat.account', 'chemchat.message', 'chemchat._entity', 'chemchat.outbox_event', 'chemchat.account[]']) AS w (what),
	   LATERAL t.refusal(format('CREATE TABLE acl_trap.mine (theirs %s)', what));
RESET ROLE;
GRANT EXECUTE ON FUNCTION chemchat.heads(uuid) TO acl_stranger;
SET ROLE acl_stranger;
CREATE FUNCTION acl_trap.coalesce(bigint, int) RETURNS bigint LANGUAGE sql AS 'SELECT 666::bigint';
CREATE OPERATOR acl_trap.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_ne);
SET search_path = acl_trap, pg_catalog;
SELECT seq, ev, title FROM chemchat.heads(t.id('alice'));
RESET ROLE;
GRANT chemchat_gateway TO acl_stranger;
SET ROLE acl_stranger;
SELECT seq, ev, title FROM chemchat.heads(t.id('alice'));
RESET search_path;
RESET ROLE;
DROP SCHEMA acl_trap CASCADE;
REVOKE ALL ON SCHEMA chemchat FROM acl_stranger;
REVOKE ALL ON FUNCTION chemchat.heads(uuid) FROM acl_stranger;
DROP ROLE acl_stranger;

-- The relay's role is confined to our plugin where the server knows how.
SELECT NOT EXISTS (SELECT FROM pg_settings WHERE name = 'output_plugin_libraries')
	OR EXISTS (SELECT FROM pg_db_role_setting AS s
				WHERE s.setrole = 'chemchat_relay'::regrole
				  AND 'output_plugin_libraries=chemchat' = ANY (s.setconfig)) AS is_confined;
