-- Everything of ours belongs to chemchat_owner, who cannot log in and alone
-- has privileges on tables and their row types; and nobody may execute a
-- function who is not named in grants.sql.  Function by function: a default privilege of the
-- installing role must not open one.
DO $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT c.oid::pg_catalog.regclass AS name, c.relkind
		  FROM pg_catalog.pg_depend AS d
		  JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
		  JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
		 WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
		   AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
		   AND d.deptype = 'e' AND e.extname = 'chemchat'
		   AND c.relkind IN ('r', 'v')
	LOOP
		EXECUTE pg_catalog.format('ALTER %s %s OWNER TO chemchat_owner',
			CASE part.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, part.name);
		EXECUTE pg_catalog.format('REVOKE ALL ON TABLE %s FROM PUBLIC',
								  part.name);
		EXECUTE pg_catalog.format('REVOKE ALL ON TYPE %s FROM PUBLIC',
								  part.name);
	END LOOP;
	FOR part IN
		SELECT y.oid::pg_catalog.regtype AS name
		  FROM pg_catalog.pg_depend AS d
		  JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
		  JOIN pg_catalog.pg_type AS y ON y.oid = d.objid
		 WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
		   AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
		   AND d.deptype = 'e' AND e.extname = 'chemchat'
		   -- 17 and later count a table's row type and arrays as ours too
		   AND y.typelem = 0
		   AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
							WHERE c.oid = y.typrelid AND c.relkind <> 'c')
	LOOP
		EXECUTE pg_catalog.format('ALTER TYPE %s OWNER TO chemchat_owner',
								  part.name);
		EXECUTE pg_catalog.format('REVOKE ALL ON TYPE %s FROM PUBLIC',
								  part.name);
	END LOOP;
	FOR part IN
		SELECT p.oid::pg_catalog.regprocedure AS name
		  FROM pg_catalog.pg_depend AS d
		  JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
		  JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
		 WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
		   AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
		   AND d.deptype = 'e' AND e.extname = 'chemchat'
	LOOP
		EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO chemchat_owner',
								  part.name);
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC',
								  part.name);
	END LOOP;

	-- Whoever may call this could forge an event.
	FOR part IN
		SELECT p.oid::pg_catalog.regprocedure AS name
		  FROM pg_catalog.pg_proc AS p
		 WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
		   AND p.proname = 'pg_logical_emit_message'
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC',
								  part.name);
	END LOOP;
END
$$;
