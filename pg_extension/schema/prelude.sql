-- The schema may be there before us, as a restored dump brings it; but whose
-- function is in it already, or will be, has it called with our owner's rights.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace AS n
				 JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner
				WHERE n.nspname = 'chemchat'
				  AND (NOT r.rolsuper
					   OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p
								   WHERE p.pronamespace = n.oid))) THEN
		RAISE EXCEPTION 'schema chemchat is there already, and not empty or not a superuser''s'
			USING ERRCODE = 'duplicate_schema',
				HINT = 'Look at what is in it, then DROP SCHEMA chemchat.';
	END IF;
END
$$;

-- Event JSON goes to Kafka and browsers as it stands: UTF-8 and nothing else.
DO $$
BEGIN
	IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
		RAISE EXCEPTION 'ChemChat needs a database with encoding UTF8, this one has %',
			pg_catalog.current_setting('server_encoding')
			USING ERRCODE = 'feature_not_supported',
				HINT = 'CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0';
	END IF;
END
$$;
